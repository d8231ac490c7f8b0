"""The parts that meet in the runtime: machine, proposer, checkpoints, answers."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from types import SimpleNamespace
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from node.assembly import Assembly
from node.consensus.log_group import build_group, group_stamp_ns
from node.domain import commands, records, terms
from node.domain.genesis import Genesis, default_limits
from node.domain.groups import GROUP_COUNT
from node.engine.checkpoint import Checkpoint
from node.engine.snapshot import digests, restore
from node.engine.venue import Venue
from node.gateway.seams import Found
from node.gateway.venue_reads import VenueReads
from node.machine import DivergenceAlarm, Machine
from node.proposer import Proposer
from node.protocol import messages
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import encode_session_open
from node.storage.checkpointer import Checkpointer
from node.storage.event_journal import EventJournal
from node.storage.snapshot_meta import SnapshotMeta
from node.storage.snapshot_store import SnapshotStore
from node.telemetry.stages import StageClock

OPERATOR = bytes(range(32))
GENESIS = Genesis(b"the-test-cluster", 0, OPERATOR, default_limits())
GENESIS_HASH = bytes(32)
SESSION = (1).to_bytes(8, "little")


def group_of(write: Callable[[CommandFrames], None], first_sequence: int, stamp_ns: int) -> bytes:
    """Return a group of the operator's session with the commands that `write` writes."""
    out = CommandFrames(first_sequence)
    write(out)
    count, frames, parts, offset = out.count, out.take(), [], 0
    while offset < len(frames):
        length = int.from_bytes(frames[offset : offset + 4], "little")
        parts.append(SESSION + frames[offset : offset + length])
        offset += length
    return build_group(parts, count, stamp_ns)


def opening() -> bytes:
    """Return the group that opens the operator's session."""
    return build_group([encode_session_open(OPERATOR, 64, bytes(32), bytes(64))], 1, 1)


def furnish(out: CommandFrames) -> None:
    """Make an event with two open markets and two rich accounts; rest three orders."""
    out.event_create(True, "race")
    for name in ("one", "two"):
        out.market_create(1, 1, 0, 0, name)
    for market in (1, 2):
        out.lifecycle(commands.MARKET_OPEN, market, 0)
    for number in (1, 2):
        identity = bytes([number]) * 32
        out.account_open(terms.NET, identity[:20], identity)
        out.deposit(number, 1_000_000_000, number)
    for number, market in ((1, 1), (2, 2), (3, 1)):
        out.place(1, market, number, 4_000, terms.BUY_YES, terms.GTC, 100)


@pytest.fixture
def venue() -> Venue:
    """A venue that `furnish` has furnished."""
    made = Venue(GENESIS)
    made.apply(1, opening())
    made.apply(2, group_of(furnish, 1, 2))
    assert sum(made.rejections) == 0
    return made


def machine_of(venue: Venue, store: SnapshotStore) -> tuple[Machine, list[SnapshotMeta], list[int]]:
    """Return a machine over `venue`, the snapshots made durable, and the sizes of replies."""
    durable: list[SnapshotMeta] = []
    published: list[int] = []
    checkpointer = Checkpointer(store, lambda meta, _ns: durable.append(meta), _fail, monotonic_ns)
    machine = Machine(
        venue, EventJournal(0, 1 << 20, applied_index=2), checkpointer, StageClock(monotonic_ns)
    )
    machine.publish = lambda replies, _events: published.append(len(replies))
    machine.describe = _describe
    return machine, durable, published


def _fail(error: BaseException) -> None:
    raise error


def _describe(checkpoint: Checkpoint) -> SnapshotMeta:
    return SnapshotMeta(
        checkpoint.log_index,
        1,
        1,
        checkpoint.chain_digest,
        checkpoint.state_digest,
        checkpoint.ledger_digest,
        checkpoint.page_count,
        checkpoint.stamp_ns,
        GENESIS_HASH,
    )


def test_a_checkpoint_becomes_durable_while_groups_go_on(venue: Venue, tmp_path: Path) -> None:
    """The store then holds the state at the checkpoint's index, not later, and restores it."""
    store = SnapshotStore(tmp_path, genesis_hash=GENESIS_HASH)

    async def run() -> list[SnapshotMeta]:
        machine, durable, published = machine_of(venue, store)
        machine.apply(3, 1, group_of(lambda out: out.checkpoint(), 13, 3))
        machine.apply(4, 1, group_of(lambda out: out.cancel_all(1, 0, 0, 0), 14, 4))
        await machine._checkpointer.finish()
        assert published == [48, 48]
        return durable

    durable = asyncio.run(run())
    pages = list(store.pages())
    restored = restore(GENESIS, pages)
    store.close()

    assert [meta.index for meta in durable] == [3]
    assert digests(pages) == (durable[0].state_digest, durable[0].ledger_digest)
    assert restored.digest == durable[0].chain_digest != venue.digest
    assert restored.log_index == 3


def test_a_checkpoint_that_is_due_meanwhile_is_owed(venue: Venue, tmp_path: Path) -> None:
    """While one is being written the next ones wait, and become one of the state as it is then."""
    store = SnapshotStore(tmp_path, genesis_hash=GENESIS_HASH)

    async def run() -> list[SnapshotMeta]:
        machine, durable, _ = machine_of(venue, store)
        machine.apply(3, 1, group_of(lambda out: out.checkpoint(), 13, 3))
        machine.apply(4, 1, group_of(lambda out: out.checkpoint(), 14, 4))
        machine.apply(5, 1, group_of(lambda out: out.checkpoint(), 15, 5))
        await machine._checkpointer.finish()
        return durable

    durable = asyncio.run(run())
    found = digests(store.pages())
    store.close()

    assert [meta.index for meta in durable] == [3, 5]
    assert found == (durable[1].state_digest, durable[1].ledger_digest)


def test_what_an_installed_snapshot_replaced_is_not_owed(venue: Venue, tmp_path: Path) -> None:
    """The state that took its place is durable already."""
    store = SnapshotStore(tmp_path, genesis_hash=GENESIS_HASH)

    async def run() -> list[SnapshotMeta]:
        machine, durable, _ = machine_of(venue, store)
        machine.reload = lambda: venue
        machine.apply(3, 1, group_of(lambda out: out.checkpoint(), 13, 3))
        machine.apply(4, 1, group_of(lambda out: out.checkpoint(), 14, 4))
        machine.restore_from(tmp_path)
        await machine._checkpointer.finish()
        return durable

    durable = asyncio.run(run())
    store.close()
    assert durable == []


@pytest.mark.parametrize("where", ["describe", "commit", "on_durable", "owed"])
def test_whatever_ends_a_checkpoint_is_told(venue: Venue, tmp_path: Path, where: str) -> None:
    """No error on the way is left to the loop's own handler, whatever its class."""
    store = SnapshotStore(tmp_path, genesis_hash=GENESIS_HASH)
    told: list[BaseException] = []

    class StrangeError(BaseException):
        """No Exception."""

    def fail(*_: object) -> NoReturn:
        raise StrangeError

    if where == "commit":
        store.commit = fail  # type: ignore[assignment, method-assign]

    async def run() -> None:
        describe: Callable[[Checkpoint], SnapshotMeta] = _describe
        if where == "describe":
            describe = fail
        on_durable = fail if where == "on_durable" else lambda *_: None
        checkpointer = Checkpointer(store, on_durable, told.append, monotonic_ns)
        checkpointer.begin(venue.freeze(), describe)
        if where == "owed":
            checkpointer.owe(fail)
        await checkpointer.finish()
        assert not checkpointer.busy

    asyncio.run(run())
    store.close()
    assert [type(error) for error in told] == [StrangeError]


def test_a_start_tells_what_the_journal_lost() -> None:
    """Bytes that were cut off and a journal behind its snapshot are a line each; else nothing."""
    journal = SimpleNamespace(dropped_bytes=7)
    node = SimpleNamespace(replica=SimpleNamespace(journal=journal, forgetful=True, term=4))
    with capture_logs() as lines:
        Assembly._tell_what_is_missing(node)  # type: ignore[arg-type]
        journal.dropped_bytes = node.replica.forgetful = 0
        Assembly._tell_what_is_missing(node)  # type: ignore[arg-type]

    assert [(line["event"], line.get("size_bytes")) for line in lines] == [
        ("journal_tail_dropped", 7),
        ("journal_behind_snapshot", None),
    ]


def test_digests_are_remembered_by_index(venue: Venue, tmp_path: Path) -> None:
    """Peers can compare what they came to at an index that both have applied."""
    store = SnapshotStore(tmp_path, genesis_hash=GENESIS_HASH)
    machine, _, _ = machine_of(venue, store)
    machine.apply(3, 1, group_of(lambda out: out.cancel_all(1, 0, 0, 0), 13, 3))
    store.close()

    assert machine.digest_at(3) == venue.digest
    assert machine.digest_at(2) is None
    assert machine.digest_at(8_192 + 2) == venue.digest, (
        "what follows the last group changes nothing"
    )


def test_a_group_is_stamped_and_holds_what_waits(venue: Venue, tmp_path: Path) -> None:
    """A group has the leader's stamp and what waits; nothing waits, nothing is proposed."""
    store = SnapshotStore(tmp_path, genesis_hash=GENESIS_HASH)
    proposer = Proposer(machine_of(venue, store)[0], monotonic_ns)
    waiting: list[tuple[list[bytes], int]] = [([b"r" * 56, b"r" * 112], 3)]
    proposer.take = lambda _most: waiting.pop() if waiting else None
    proposer.stamp = lambda: 77
    group = proposer.take_group(1_000)
    store.close()

    assert group is not None
    assert group_stamp_ns(group) == 77
    assert int.from_bytes(group[GROUP_COUNT : GROUP_COUNT + 4], "little") == 3
    assert proposer.take_group(1_000) is None


def test_time_itself_is_proposed_while_sweeps_are_pending(venue: Venue, tmp_path: Path) -> None:
    """A mass effect goes on without orders: one empty group at a time."""
    store = SnapshotStore(tmp_path, genesis_hash=GENESIS_HASH)
    machine, _, _ = machine_of(venue, store)
    proposer = Proposer(machine, monotonic_ns)
    proposer.stamp = lambda: 9
    flying = [0]
    proposer.in_flight = lambda: flying[0]
    before = proposer.take_group(1_000)
    venue.state.add_sweep(1, 1, 0)
    flying[0] = 1
    during = proposer.take_group(1_000)
    flying[0] = 0
    empty = proposer.take_group(1_000)
    store.close()

    assert before is None
    assert during is None
    assert empty is not None
    assert int.from_bytes(empty[GROUP_COUNT : GROUP_COUNT + 4], "little") == 0


def test_the_odd_one_out_stops_and_the_others_do_not() -> None:
    """One peer that differs is an alarm; a majority against us means that we are wrong."""
    stopped: list[str] = []
    now = 0.0

    def stop(event: str, **_facts: object) -> None:
        stopped.append(event)

    alarm = DivergenceAlarm(3, stop, lambda: now)  # type: ignore[arg-type]
    alarm.hear(2, 10, b"a", b"b")
    alarm.hear(2, 12, b"a", b"c")
    now = 60.0
    alarm.hear(3, 15, b"a", b"e")
    calm = list(stopped)
    alarm.hear(2, 17, b"d", b"f")

    assert calm == []
    assert stopped == ["digest_in_minority"]


def find_all(reads: VenueReads, subject: int, number: int, most_bytes: int) -> list[bytes]:
    """Follow the cursor until nothing is left."""
    found: list[bytes] = []
    cursor = 0
    while True:
        answer = reads.find(subject, number, 0, cursor, most_bytes)
        assert isinstance(answer, Found)
        assert len(answer.records) <= most_bytes
        size = answer.record_size
        found += [answer.records[at : at + size] for at in range(0, len(answer.records), size)]
        cursor = answer.cursor
        if not cursor:
            return found


@pytest.mark.parametrize("records_an_answer", [1, 2, 100])
def test_an_answer_in_parts_is_the_answer(venue: Venue, records_an_answer: int) -> None:
    """However little fits into one answer, each record comes once, in the same order."""
    reads = VenueReads(venue)
    sizes = {
        messages.OPEN_ORDERS: (1, records.ORDER_SIZE, 3),
        messages.POSITIONS: (1, records.POSITION_SIZE, 2),
        messages.ACCOUNTS: (0, records.ACCOUNT_SIZE, 2),
        messages.MARKETS: (1, records.MARKET_SIZE, 2),
        messages.EVENTS: (0, records.EVENT_SIZE, 1),
    }
    for subject, (number, size, expected) in sizes.items():
        found = find_all(reads, subject, number, size * records_an_answer)
        assert len(found) == len(set(found)) == expected
        assert found == find_all(reads, subject, number, 65_000)


def test_what_is_not_there_is_none(venue: Venue) -> None:
    """Unknown numbers and other people's orders have no answer."""
    reads = VenueReads(venue)

    assert reads.find(messages.ACCOUNT, 9, 0, 0, 1_000) is None
    assert reads.find(messages.ORDER, 2, 1, 0, 1_000) is None
    assert reads.find(messages.ORDER, 1, 1, 0, 1_000) is not None
    assert reads.find(messages.ORDER_BY_CLIENT_ID, 1, 9, 0, 1_000) is None
    assert reads.find(messages.DEPTH, 9, 0, 0, 1_000) is None
    assert reads.depth(9) is None
    assert reads.stream_sequence(messages.MARKET_DATA, 9) is None
    assert reads.stream_sequence(messages.VENUE, 1) is None
    assert (reads.stream_sequence(messages.EXECUTIONS, 1) or 0) > 0


def test_depth_is_cut_to_the_answer(venue: Venue) -> None:
    """Bids and asks share the room of one answer."""
    answer = VenueReads(venue).find(messages.DEPTH, 1, 0, 0, 1_000)

    assert answer is not None
    assert (answer.record_size, answer.record_count) == (records.LEVEL_SIZE, 1)


def test_a_venue_that_contradicts_itself_ends_the_process(tmp_path: Path) -> None:
    """Fail-stop: nothing is published after an exception in apply, and the exit code says why."""
    program = (
        "from tests.unit.test_runtime import *; from pathlib import Path;"
        f"venue = Venue(GENESIS); store = SnapshotStore(Path({str(tmp_path)!r}));"
        "machine, _, published = machine_of(venue, store); machine.apply(5, 1, opening());"
        "print('applied', published, flush=True); machine.apply(5, 1, opening()); print('went on')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.returncode == 70
    assert "apply_failed" in done.stdout + done.stderr
    assert "applied [48]" in done.stdout
    assert "went on" not in done.stdout


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [("AssertionError('us')", 70, "assertion_failed"), ("OSError('them')", 0, "loop_error")],
)
def test_an_assertion_that_nobody_caught_ends_the_process(
    raised: str, code: int, said: str
) -> None:
    """Wherever on the loop it was raised; a failure of the world is logged, the node goes on."""
    program = (
        "import asyncio; from node.runtime import loop_failed\n"
        f"def fail(): raise {raised}\n"
        "async def run():\n"
        "    asyncio.get_running_loop().set_exception_handler(loop_failed)\n"
        "    asyncio.get_running_loop().call_soon(fail)\n"
        "    await asyncio.sleep(0.01)\n"
        "asyncio.run(run())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.returncode == code
    assert said in done.stdout + done.stderr
