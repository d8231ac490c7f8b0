"""Faults of disks: at most one is damaged or lost at a time, as the quorum allows."""

import errno
from pathlib import Path

from chaos.simulation.faults.processes import restart_host
from chaos.simulation.faults.strike import Strike
from chaos.simulation.host import DAMAGED, JOURNAL, Host
from node.consensus.errors import ConsensusError, JournalDamageError
from node.consensus.journal_recovery import recover
from node.consensus.journal_segment import SEGMENT_HEADER_SIZE, SegmentReader, decode_header

_OF_NAMES = 0.4
"""How often what fails is the names of files, and not what is in them."""


def slow_disk(strike: Strike) -> None:
    """Let a machine's syncs take long."""
    host = strike.random.choice(strike.hosts)
    slow_ms = strike.random.choice((5, 30, 200))
    end = host.slow_disk_down(slow_ms * 1_000_000, strike.felt)
    strike.note(host.lane, f"syncs take {slow_ms} ms more", strike.later(0.5, end))


def _expects_failure(strike: Strike, host: Host | None) -> bool:
    return host is not None and not host.excused and len(strike.alive) > strike.quorum


def sync_error(strike: Strike) -> None:
    """Let a machine's next sync fail, of all files or of names only: its node must end."""
    host = strike.any_alive()
    if host is not None and _expects_failure(strike, host):
        if strike.random.random() < _OF_NAMES:
            host.disk.fail_names(errno.EIO, strike.felt)
            strike.note(host.lane, "cannot keep names of files any more (EIO)")
        else:
            host.disk.fail_syncs(errno.EIO, strike.felt)
            strike.note(host.lane, "cannot sync any more (EIO)")
        _expect_end(strike, host, errno.EIO)


def disk_full(strike: Strike) -> None:
    """Let a machine's disk be full: its node must end, not go on without a log."""
    host = strike.any_alive()
    if host is not None and _expects_failure(strike, host):
        host.disk.fill_up(strike.felt)
        strike.note(host.lane, "has a full disk (ENOSPC)")
        _expect_end(strike, host, errno.ENOSPC)


def _expect_end(strike: Strike, host: Host, number: int) -> None:
    """Excuse the end of a node that met the fault, and no other; miss it when it does not come."""
    host.excused = number
    failures, life, repairs = host.disk.failures, host.lives, host.disk.repairs

    def look() -> None:
        met = host.disk.failures > failures
        if met and host.lives == life and host.alive and not host.loop.paused:
            host.watcher.broke_promise(
                host, f"the node goes on although its disk failed ({number})"
            )
        if host.disk.repairs == repairs:  # What fails by now may be another fault's.
            restart_host(host)
            host.repair()

    strike.later(0.3, look)


def _others_are_whole(strike: Strike) -> bool:
    """Tell whether no machine misses or is about to miss anything that it once held."""
    return not any(host.excused or host.misses_promises for host in strike.hosts)


def lose_disk(strike: Strike) -> None:
    """Replace a machine's disk by an empty one; its node recovers from the others."""
    if not _others_are_whole(strike):
        return
    host = strike.random.choice(strike.hosts)
    host.note_holdings()
    if host.alive:
        host.lose_power()
    strike.felt()
    strike.note(host.lane, "loses its whole disk")
    host.lose_disk()
    strike.later(strike.random.random() * 0.1, lambda: restart_host(host))


def flip_bit(strike: Strike) -> None:
    """Flip a bit of the journal at rest, in a flush that a later one follows.

    The next start must find it and refuse: then the machine is rebuilt from the others.
    """
    host = _victim_at_rest(strike)
    if host is None:
        return
    place = _guarded_byte(strike, host)
    if place is None:
        _lose_power_only(strike, host, "its journal has no byte that a later flush guards")
        return
    path, at = place
    content = bytearray(host.disk.read(path))
    content[at] ^= 1 << strike.random.randrange(8)
    host.disk.replace(path, bytes(content))
    strike.felt()
    strike.note(host.lane, f"a bit of {path.name} flips at byte {at}")
    _must_refuse(strike, host, path, at)


def lose_segment(strike: Strike) -> None:
    """Lose the newest segment of a journal at rest, records and all.

    What is left looks whole: only the mark beside it tells. The next start must refuse.
    """
    host = _victim_at_rest(strike)
    if host is None:
        return
    path = _newest_segment(host)
    if path is None:
        _lose_power_only(strike, host, "its newest segment has no records")
        return
    host.disk.remove(path)
    strike.felt()
    strike.note(host.lane, f"loses {path.name}")
    _must_refuse(strike, host, path, 0)


def _victim_at_rest(strike: Strike) -> Host | None:
    """Choose a machine whose disk may be damaged, and cut its power."""
    host = strike.any_alive()
    if host is None or not _others_are_whole(strike) or len(strike.alive) < strike.quorum:
        return None
    host.note_holdings()
    host.lose_power()
    return host


def _lose_power_only(strike: Strike, host: Host, why: str) -> None:
    """Start a machine again whose disk had nothing to damage: it counts as a loss of power."""
    strike.kind = "power-loss"
    strike.felt()
    strike.note(host.lane, f"loses power; {why}")
    restart_host(host)


def _must_refuse(strike: Strike, host: Host, path: Path, at: int) -> None:
    """Start the damaged machine; once it has refused, rebuild it from the others."""
    host.excused = DAMAGED
    host.start()
    host.excused = 0
    if host.alive:
        host.watcher.broke_promise(host, f"it starts on {path.name}, damaged at byte {at}")
        return
    host.lose_disk()
    strike.later(0.05, host.start)


def _newest_segment(host: Host) -> Path | None:
    """Return the newest segment if records are in it."""
    try:
        stored = recover(host.disk, JOURNAL)
    except ConsensusError:
        return None
    newest = max(path for path in host.disk.paths(JOURNAL) if path.name.startswith("segment-"))
    holds_records = stored.last_flush_at is not None and stored.last_flush_at[0] == newest
    return newest if holds_records else None


def _guarded_byte(strike: Strike, host: Host) -> tuple[Path, int] | None:
    """Choose a byte of a record behind which an intact record of a later flush stands."""
    try:
        recover(host.disk, JOURNAL)  # What a torn tail is, the first start decides.
    except ConsensusError:
        return None
    paths = [path for path in host.disk.paths(JOURNAL) if path.name.startswith("segment-")]
    choices = []
    for path in paths:
        content = host.disk.read(path)
        try:
            reader = SegmentReader(path, content, decode_header(path, content), last=True)
            ends = [(stored.flush, reader.end) for stored in reader]
        except JournalDamageError:
            return None
        start = SEGMENT_HEADER_SIZE
        for flush, end in ends:
            if flush < reader.flush_seen:
                choices.append((path, start, end))
            start = end
    if not choices:
        return None
    path, start, end = strike.random.choice(choices)
    return path, strike.random.randrange(start, end)
