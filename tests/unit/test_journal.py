"""The journal: what was synced comes back whole, what was not may be gone, damage is refused."""

import errno
from pathlib import Path
from random import Random

import pytest

from chaos.simulation.disk import SimulatedDisk
from node.consensus.errors import JournalDamageError, SnapshotGapError
from node.consensus.journal import Journal, read_entries
from node.consensus.journal_record import HEADER_SIZE
from node.consensus.journal_segment import SEGMENT_HEADER_SIZE, segment_name
from node.consensus.log_alignment import align, may_have_forgotten

DIRECTORY = Path("/journal")
FIRST = DIRECTORY / segment_name(1)
Contents = tuple[list[tuple[bytes, int, int]], int, int, int]


def opened(disk: SimulatedDisk, segment_bytes: int = 1 << 20) -> Journal:
    """Return the journal on `disk`."""
    return Journal(DIRECTORY, files=disk, segment_bytes=segment_bytes, nonce=lambda: 77)


def contents(journal: Journal) -> Contents:
    """Return what a journal must never forget."""
    return (list(journal.entries), journal.base_index, journal.term, journal.vote)


def filled(disk: SimulatedDisk, entries: int = 8) -> Journal:
    """Return a journal with some entries, each made durable by a sync of its own."""
    journal = opened(disk)
    journal.save_vote(3, 2)
    for index in range(1, entries + 1):
        journal.append(b"payload-%d" % index, index, 3)
        journal.sync()
    return journal


def test_everything_synced_is_read_back() -> None:
    """Entries, term, vote, truncation, base and commit hint survive the process."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk)
    journal.truncate_from(7)
    journal.append(b"other", 7, 4)
    journal.save_vote(5, 0)
    journal.commit = 6
    journal.drop_before(4)
    journal.sync()
    disk.kill()

    again = opened(disk)

    assert contents(again) == contents(journal)
    assert again.base_index == 4
    assert again.commit == 6
    assert again.entries[-1] == (b"other", 7, 4)


def test_a_journal_on_a_real_disk_is_read_back(tmp_path: Path) -> None:
    """The same on the operating system's files, over several segments."""
    journal = Journal(tmp_path / "journal", segment_bytes=4096)
    for index in range(1, 60):
        journal.append(bytes([index]) * 500, index, 1)
        journal.sync()
    journal.drop_before(50)
    journal.sync()
    journal.append(b"last", 60, 2)
    journal.close()

    again = Journal(tmp_path / "journal", segment_bytes=4096)

    assert contents(again) == contents(journal)
    assert len(list((tmp_path / "journal").iterdir())) < 6
    assert [entry.index for entry in read_entries(tmp_path / "journal")] == list(range(50, 61))


@pytest.mark.parametrize("cut_flushes", [False, True])
def test_a_file_cut_at_any_byte_keeps_a_prefix_of_what_was_written(*, cut_flushes: bool) -> None:
    """Every truncation of the last segment yields the entries that are whole, no others."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk) if cut_flushes else opened(disk)
    if not cut_flushes:
        for index in range(1, 9):
            journal.append(b"payload-%d" % index, index, 3)
        journal.sync()
    whole = disk.read(FIRST)
    disk.kill()
    counts = []
    for size in range(len(whole)):
        copy = SimulatedDisk(Random(1))
        copy.close(copy.create(FIRST))
        copy.replace(FIRST, whole[:size])
        cut = opened(copy)
        assert cut.entries == journal.entries[: len(cut.entries)]
        counts.append(len(cut.entries))
        if cut.entries:
            cut.append(b"new", cut.last_index + 1, 9)
            cut.sync()
            assert opened(copy).entries == cut.entries
    assert counts == sorted(counts)
    assert counts[-1] == len(journal.entries) - 1


def test_any_flipped_bit_before_the_last_flush_is_refused() -> None:
    """Damage to what was durable is no torn tail; the error says where, and what to do."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk)
    last_flush = len(disk.read(FIRST))
    journal.append(b"in the last flush", 9, 3)
    journal.sync()
    whole = disk.read(FIRST)
    for bit in range(last_flush * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << (bit % 8)
        disk.replace(FIRST, bytes(damaged))
        with pytest.raises(JournalDamageError, match="rebuild the node") as caught:
            opened(disk)
        assert caught.value.path == FIRST
        assert caught.value.offset <= bit // 8


def test_a_flipped_bit_in_the_last_flush_never_alters_an_entry() -> None:
    """What cannot be told from a torn tail is dropped whole."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk, 3)
    start = len(disk.read(FIRST))
    journal.append(b"in the last flush", 4, 3)
    journal.append(b"and this", 5, 3)
    journal.sync()
    whole = disk.read(FIRST)
    for bit in range(start * 8, len(whole) * 8):
        copy = SimulatedDisk(Random(1))
        copy.close(copy.create(FIRST))
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << (bit % 8)
        copy.replace(FIRST, bytes(damaged))
        found = opened(copy).entries
        assert found in (journal.entries[:3], journal.entries[:4])


def test_pages_of_one_flush_may_reach_the_disk_in_any_order() -> None:
    """An intact record behind a torn one of the same flush is no damage: neither was promised."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk, 3)
    start = len(disk.read(FIRST))
    journal.append(b"a" * 100, 4, 3)
    journal.append(b"b" * 100, 5, 3)
    journal.sync()
    torn = bytearray(disk.read(FIRST))
    torn[start : start + 50] = bytes(50)
    disk.replace(FIRST, bytes(torn))

    assert opened(disk).entries == journal.entries[:3]


def test_a_payload_cannot_pass_for_a_record() -> None:
    """Bytes of a real record inside a torn payload do not make the torn tail look like damage."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk, 3)
    record = disk.read(FIRST)[SEGMENT_HEADER_SIZE:]
    other = Journal(Path("/other"), files=disk, nonce=lambda: 78)
    other.append(record, 1, 1)
    other.sync()
    path = Path("/other") / segment_name(1)
    disk.replace(path, disk.read(path)[:-1])

    assert Journal(Path("/other"), files=disk).entries == []
    assert journal.last_index == 3


def test_a_missing_segment_is_refused() -> None:
    """A hole in the numbers, or a log that starts behind its base, is damage."""
    disk = SimulatedDisk(Random(1))
    journal = opened(disk, 300)
    for index in range(1, 30):
        journal.append(b"x" * 60, index, 1)
        journal.sync()
    names = [name for name in disk.names(DIRECTORY) if name.startswith("segment-")]
    assert len(names) > 4
    middle, first = DIRECTORY / names[2], DIRECTORY / names[0]
    disk.kill()
    saved = disk.read(middle)
    disk.remove(middle)
    with pytest.raises(JournalDamageError, match="missing"):
        opened(disk, 300)
    disk.close(disk.create(middle))
    disk.replace(middle, saved)
    disk.remove(first)
    with pytest.raises(JournalDamageError, match="the log starts at"):
        opened(disk, 300)


@pytest.mark.parametrize("left", [None, b"", b"QBJ"])
def test_a_lost_last_segment_is_refused(left: bytes | None) -> None:
    """The newest segment holds the votes: whether it is gone, empty or cut short, it is missed."""
    disk = SimulatedDisk(Random(1))
    filled(disk)
    disk.kill()
    again = opened(disk)
    again.save_vote(4, 1)
    again.sync()
    disk.kill()
    last = DIRECTORY / segment_name(2)
    if left is None:
        disk.remove(last)
    else:
        disk.replace(last, left)
    with pytest.raises(JournalDamageError, match=r"missing|ends inside its header"):
        opened(disk)


def test_segments_go_only_when_the_new_base_is_durable() -> None:
    """A crash between the base record and the deletion leaves a readable journal, at every step."""
    for steps in range(40):
        disk = SimulatedDisk(Random(steps))
        journal = opened(disk, 300)
        for index in range(1, 30):
            journal.append(b"x" * 60, index, 1)
            journal.sync()
        disk.operations_left = steps
        try:
            journal.drop_before(25)
            journal.sync()
            journal.append(b"x" * 60, 30, 1)
            journal.sync()
            journal.append(b"x" * 60, 31, 1)
            journal.sync()
        except OSError:
            pass
        disk.lose_power()
        again = opened(disk, 300)
        assert again.base_index in {1, 25}
        assert again.last_index >= 29
        assert again.entries[0] == (b"x" * 60, again.base_index, 1)


def test_a_flush_in_a_thread_covers_only_what_it_took() -> None:
    """What is recorded, or cut, while a flush runs is not durable when it ends."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk, 3)
    journal.append(b"four", 4, 3)
    flush = journal.begin_flush()
    assert flush is not None
    journal.append(b"five", 5, 3)
    position = journal.position
    assert journal.begin_flush() is None, "one at a time"
    flush.run()
    journal.end_flush(flush)
    assert (journal.synced_index, journal.synced_position) == (4, position - 1)

    flush = journal.begin_flush()
    assert flush is not None
    journal.truncate_from(4)
    journal.append(b"other", 4, 4)
    flush.run()
    journal.end_flush(flush)
    assert journal.synced_index == 3
    journal.sync()
    assert journal.synced_index == 4


class FailingDisk(SimulatedDisk):
    """A disk whose sync fails."""

    def sync_data(self, descriptor: int) -> None:
        """Fail."""
        del descriptor
        raise OSError(errno.EIO, "Input/output error")


def test_a_failed_sync_is_raised_and_nothing_becomes_durable() -> None:
    """The process must die of it: a retry would call pages written that the kernel dropped."""
    journal = opened(FailingDisk(Random(1)))
    journal.append(b"x", 1, 0)

    with pytest.raises(OSError, match="Input/output"):
        journal.sync()
    assert journal.synced_index == 0


def test_the_journal_starts_at_the_snapshot_or_before_it() -> None:
    """Whatever a crash leaves of snapshot and log, the two are brought together or refused."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk)
    align(journal, 5, 3)
    assert (journal.base_index, journal.last_index) == (1, 8), "it agrees: nothing to do"
    align(journal, 7, 9)
    # It disagrees there: nothing in it was committed behind.
    assert journal.entries == [(b"", 7, 9)]
    align(journal, 20, 9)
    assert journal.entries == [(b"", 20, 9)], "it ends before"
    with pytest.raises(SnapshotGapError):
        align(journal, 6, 3)
    with pytest.raises(SnapshotGapError):
        align(journal, 0, 0)


def flipped_at_the_end(disk: SimulatedDisk, name: str, end: int) -> bool:
    """Return whether a flipped bit in any of the last 40 bytes before `end` is refused."""
    path = DIRECTORY / name
    whole = disk.read(path)
    refused = []
    for place in range(end - 40, end):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        copy = SimulatedDisk(Random(1))
        for other in disk.names(DIRECTORY):
            copy.close(copy.create(DIRECTORY / other))
            copy.replace(DIRECTORY / other, disk.read(DIRECTORY / other))
        copy.replace(path, bytes(damaged))
        try:
            opened(copy)
        except JournalDamageError:
            refused.append(place)
    assert len(refused) in {0, 40}
    return bool(refused)


def test_damage_to_the_last_entry_of_a_closed_journal_is_refused() -> None:
    """A flush follows at `close`: what was acknowledged last cannot pass for a torn tail."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk, 3)
    end = len(disk.read(FIRST))
    assert not flipped_at_the_end(disk, FIRST.name, end)

    journal.close()

    assert flipped_at_the_end(disk, FIRST.name, end)
    assert opened(disk).entries == journal.entries


def test_damage_to_a_lone_vote_is_refused_once_a_second_has_passed() -> None:
    """Nothing else may ever be written behind it; the flush that follows is written once."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk, 3)
    journal.save_vote(9, 2)
    journal.sync()
    end = len(disk.read(FIRST))
    assert not flipped_at_the_end(disk, FIRST.name, end)

    journal.cover()
    journal.sync()

    assert flipped_at_the_end(disk, FIRST.name, end)
    syncs = disk.syncs
    for _second in range(3):
        journal.cover()
        journal.sync()
    journal.close()
    assert disk.syncs == syncs


def test_a_journal_knows_when_opened_whether_its_last_flush_is_covered() -> None:
    """After a kill the vote written last is covered by the next process; then nothing is due."""
    disk = SimulatedDisk(Random(1))
    journal = filled(disk, 3)
    journal.save_vote(9, 2)
    journal.commit = 3
    journal.sync()
    end = len(disk.read(FIRST))
    disk.kill()

    opened(disk).close()

    assert flipped_at_the_end(disk, FIRST.name, end)
    count = len(disk.names(DIRECTORY))
    opened(disk).close()
    assert len(disk.names(DIRECTORY)) == count == 3, "two segments and the mark of the newest"


def test_the_bytes_of_a_dropped_tail_are_told() -> None:
    """An operator can know that something was cut, and how much."""
    disk = SimulatedDisk(Random(1))
    filled(disk, 3)
    whole = disk.read(FIRST)
    disk.kill()
    assert opened(disk).dropped_bytes == 0

    disk.replace(FIRST, whole[:-5])

    assert opened(disk).dropped_bytes == HEADER_SIZE + len(b"payload-3") - 5
    assert opened(disk).dropped_bytes == 0, "it was cut off, durably"


def test_a_journal_of_an_older_term_than_the_snapshot_may_have_forgotten() -> None:
    """Lost segments and a crash before the sync look alike; equal terms and no snapshot do not."""
    journal = filled(SimulatedDisk(Random(1)))

    assert may_have_forgotten(journal, 8, 4)
    assert may_have_forgotten(journal, 20, 7)
    assert not may_have_forgotten(journal, 8, 3)
    assert not may_have_forgotten(journal, 20, 3)
    assert not may_have_forgotten(journal, 0, 0)
    assert not may_have_forgotten(opened(SimulatedDisk(Random(1))), 0, 0)
    align(journal, 20, 7)
    assert (journal.term, journal.vote, journal.last_term) == (7, 0, 7)
    assert not may_have_forgotten(journal, 20, 7), "whoever asked has made the node recover"
