"""Same log, same everything: grouping, replay, snapshots, repeated and lost commands, garbage."""

import contextlib
import struct
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.units import MAX_LOTS
from node.engine.invariants import InvariantError
from node.engine.snapshot import digests, restore
from node.engine.snapshot_error import SnapshotError
from tests import account_commands as a
from tests import commands as c
from tests import life_commands as life
from tests import order_commands as o
from tests import rule_commands as r
from tests.dense_flows import dense_steps
from tests.venue_driver import SECOND_NS, Reply, VenueDriver, replay
from tests.venue_flows import (
    FOREVER_NS,
    PAUSE,
    Setting,
    endings,
    flows,
    settings_of_flows,
)
from tests.venue_flows import Step as FlowStep
from tests.venue_pair import check_book, check_conserved

# What a group's end does must happen before the next command, however commands are grouped.
SWEEPING = (c.MarketClose, c.MarketResolve, c.MarketVoid, r.GridSet, a.Stop, a.BoundsSet)
OF_A_MARKET = (c.MarketClose, c.MarketResolve, c.MarketVoid, r.GridSet)
RESOLVING = (life.Propose, life.Decide, life.Dispute, life.Attest)
GROUPS_OF_ORDERS = (o.OrderGroupSet, o.OrderGroupTrigger)
ENDS_GROUP = (
    *SWEEPING,
    *GROUPS_OF_ORDERS,
    *RESOLVING,
    c.CancelAll,
    c.MarketOpen,
    c.MarketHalt,
    life.Pause,
    life.EventResolve,
)

Ending = tuple[type[c.Lifecycle], int]

# A flow is played several times in each of these tests, so half as many must do.
FEWER = max(1, settings().max_examples // 2)

busy_flows = st.builds(dense_steps, st.integers(0, 2**32), st.integers(20, 120))
any_flows = st.one_of(busy_flows, flows)


def without_deadlines(step: FlowStep) -> FlowStep:
    """Return the step with nothing in it that expires, comes too late or too often.

    How commands are grouped decides what time it is.
    """
    command = step.command
    if isinstance(command, c.Configure) and command.limit == Limit.RATE_REFILL:
        return step._replace(command=PAUSE)
    if isinstance(command, r.GuardsSet):
        return step._replace(command=replace(command, move=0, window_ns=0, pause_ns=0))
    if isinstance(command, a.AgentSet):
        window_ns = 300 * 86_400 * SECOND_NS
        changed = replace(command, expiry_ns=FOREVER_NS, rate=10**6, window_ns=window_ns)
        return step._replace(command=changed)
    if isinstance(command, a.DeadlineSet):
        return step._replace(command=replace(command, deadline_ns=0))
    if isinstance(command, o.OrderGroupSet) and command.lots > 0:
        return step._replace(command=replace(command, lots=MAX_LOTS))
    if isinstance(command, life.AuctionCall) and command.begins_at_ns > 0:
        return step._replace(command=replace(command, begins_at_ns=0))
    if isinstance(command, (life.MarketTimes, *RESOLVING)):
        return step._replace(command=PAUSE)
    if not isinstance(command, c.PlaceWithTerms):
        return step
    expiry_ns = FOREVER_NS if command.expiry_ns else 0
    return step._replace(command=replace(command, expiry_ns=expiry_ns, accept_by_ns=0))


class Recorded:
    """The records of a flow that ran one command a group, to be said again in other ways."""

    def __init__(self, setting: Setting, steps: list[FlowStep], *, timeless: bool = False) -> None:
        """Run the flow once and keep what was logged; a timeless one has no deadlines in it."""
        if timeless:
            steps = [without_deadlines(step) for step in steps]
            group_lots = MAX_LOTS if setting.group_lots else 0
            setting = replace(setting, guards=None, challenge_seconds=0, group_lots=group_lots)
        flow = setting.start()
        self.engine = flow.pair.engine
        self.setup = list(self.engine.log)
        self.records: list[bytes] = []
        self.ends_group: list[bool] = []
        before = dict(self.engine.next_sequence)
        for command, sender in flow.run(steps):
            sequence = self.engine.next_sequence[sender.session] - 1
            self.records.append(c.record(sender.session, command.frame(sequence)))
            self.ends_group.append(isinstance(command, ENDS_GROUP))
        self.first_sequences = before

    def fresh(self) -> VenueDriver:
        """Return a new driver that has applied the setup and nothing else."""
        driver = VenueDriver(self.engine.genesis)
        for _, group in self.setup[len(driver.log) :]:
            driver.apply_group(group)
        driver.next_sequence = dict(self.first_sequences)
        return driver

    def say_again(self, driver: VenueDriver, records: Iterable[bytes]) -> list[Reply]:
        """Apply records one a group; return the replies."""
        return [driver.apply_records([record]).replies[0] for record in records]


@settings(max_examples=FEWER)
@given(setting=settings_of_flows, steps=any_flows, ending=endings, data=st.data())
def test_the_ledger_does_not_depend_on_how_commands_are_grouped(
    setting: Setting, steps: list[FlowStep], ending: list[FlowStep], data: st.DataObject
) -> None:
    """One command a group or many: the same balances, positions, orders and settled markets."""
    recorded = Recorded(setting, steps + ending, timeless=True)
    driver = recorded.fresh()
    waiting: list[bytes] = []
    most = data.draw(st.integers(1, 30))
    for record, ends_group in zip(recorded.records, recorded.ends_group, strict=True):
        waiting.append(record)
        if ends_group or len(waiting) >= most:
            driver.apply_records(waiting)
            waiting = []
    driver.apply_records(waiting)
    assert driver.ledger_digest() == recorded.engine.ledger_digest()


@settings(max_examples=FEWER)
@given(setting=settings_of_flows, steps=any_flows, ending=endings)
def test_two_replays_of_one_log_agree_at_every_index(
    setting: Setting, steps: list[FlowStep], ending: list[FlowStep]
) -> None:
    """The chain digest after every entry, and the state digest at the end, are the same."""
    recorded = Recorded(setting, steps + ending)
    log = recorded.engine.log
    first = list(replay(recorded.engine.genesis, log))
    second = list(replay(recorded.engine.genesis, log))
    assert first == second
    assert first[-1] == recorded.engine.venue.digest


@settings(max_examples=FEWER)
@given(setting=settings_of_flows, steps=any_flows, ending=endings, data=st.data())
def test_a_restored_snapshot_is_the_venue_and_has_the_same_future(
    setting: Setting, steps: list[FlowStep], ending: list[FlowStep], data: st.DataObject
) -> None:
    """Snapshots at any indexes, each the changes since the last.

    Equal digests, replies and events.
    """
    recorded = Recorded(setting, steps + ending)
    driver = recorded.fresh()
    count = len(recorded.records)
    cuts = data.draw(st.sets(st.integers(0, count), min_size=1, max_size=4))
    twins: list[VenueDriver] = []
    for number in range(count + 1):
        if number in cuts:
            twins.append(driver.restored())
        if number < count:
            group = c.group(
                [recorded.records[number]],
                driver.venue.stamp_ns + 7,
                shard=driver.venue.genesis.shard,
            )
            driver.apply_group(group)
            for twin in twins:
                twin.apply_group(group)
                assert twin.venue.replies == driver.venue.replies
                assert twin.venue.events == driver.venue.events
                assert twin.venue.digest == driver.venue.digest
    expected = driver.checkpoint()
    for twin in twins:
        assert twin.checkpoint() == expected
    assert digests(expected.values.items()) == (expected.state_digest, expected.ledger_digest)


@given(
    setting=settings_of_flows, steps=any_flows, at=st.integers(0, 100), slice_size=st.integers(1, 9)
)
def test_a_checkpoint_holds_its_own_index_while_the_venue_goes_on(
    setting: Setting, steps: list[FlowStep], at: int, slice_size: int
) -> None:
    """Commands between the slices of a checkpoint do not show in it."""
    recorded = Recorded(setting, steps)
    at = min(at, len(recorded.records))
    driver, still = recorded.fresh(), recorded.fresh()
    recorded.say_again(driver, recorded.records[:at])
    recorded.say_again(still, recorded.records[:at])
    frozen = driver.venue.freeze()
    done = False
    for record in recorded.records[at:]:
        driver.apply_records([record])
        done = done or frozen.step(slice_size)
    while not done:
        done = frozen.step(slice_size)
    expected = still.checkpoint()
    pages = dict(frozen.changes)
    assert {key: value for key, value in pages.items() if value} == expected.values
    assert frozen.state_digest == expected.state_digest
    assert frozen.ledger_digest == expected.ledger_digest


@settings(max_examples=FEWER)
@given(setting=settings_of_flows, steps=any_flows, ending=endings)
def test_a_checkpoint_after_every_command_saves_what_one_at_the_end_saves(
    setting: Setting, steps: list[FlowStep], ending: list[FlowStep]
) -> None:
    """Each checkpoint has all that has changed since the last: no change goes unnoticed."""
    recorded = Recorded(setting, steps + ending)
    often = recorded.fresh()
    for record in recorded.records:
        often.checkpoint()
        often.apply_records([record])
    once = recorded.fresh()
    recorded.say_again(once, recorded.records)
    assert often.checkpoint() == once.checkpoint()


@settings(max_examples=FEWER)
@given(setting=settings_of_flows, steps=any_flows, data=st.data())
def test_a_repeated_command_gets_its_first_reply_and_changes_nothing(
    setting: Setting, steps: list[FlowStep], data: st.DataObject
) -> None:
    """Any earlier record, said again at any time, even in a burst, is answered from the window."""
    recorded = Recorded(setting, steps, timeless=True)
    driver = recorded.fresh()
    replies = recorded.say_again(driver, recorded.records)
    before = driver.ledger_digest()
    picks = (
        data.draw(st.lists(st.integers(0, len(recorded.records) - 1), max_size=20))
        if replies
        else []
    )
    again = driver.apply_records([recorded.records[pick] for pick in picks])
    assert again.replies == [replies[pick] for pick in picks]
    assert again.events == []
    assert driver.ledger_digest() == before
    driver = driver.restored()
    assert driver.apply_records([recorded.records[pick] for pick in picks]).replies == again.replies


@settings(max_examples=FEWER)
@given(setting=settings_of_flows, steps=any_flows, data=st.data())
def test_a_lost_command_stops_its_session_until_it_is_said_again(
    setting: Setting, steps: list[FlowStep], data: st.DataObject
) -> None:
    """After a gap nothing of that session executes; said from the gap on again, all does, once."""
    recorded = Recorded(setting, steps, timeless=True)
    if not recorded.records:
        return
    driver = recorded.fresh()
    lost = data.draw(st.integers(0, len(recorded.records) - 1))
    session = session_of(recorded.records[lost])
    recorded.say_again(driver, recorded.records[:lost])
    before = driver.ledger_digest()
    rest = [record for record in recorded.records[lost:] if session_of(record) == session]
    replies = recorded.say_again(driver, rest[1:])
    assert {reply.code for reply in replies} <= {Code.SEQUENCE_GAP}
    assert driver.ledger_digest() == before
    recorded.say_again(driver, recorded.records[lost:])
    assert driver.ledger_digest() == recorded.engine.ledger_digest()


def session_of(record: bytes) -> int:
    """Return the number of the session that said a record."""
    (number,) = struct.unpack_from("<i", record)
    return int(number)


@settings(max_examples=max(200, settings().max_examples))
@given(
    setting=settings_of_flows,
    steps=busy_flows,
    kinds=st.lists(st.tuples(st.sampled_from(OF_A_MARKET), st.integers(1, 3)), max_size=12),
    sizes=st.lists(st.integers(1, 40), min_size=1),
)
def test_bounded_sweeps_in_any_grouping_keep_every_invariant(
    setting: Setting, steps: list[FlowStep], kinds: list[Ending], sizes: list[int]
) -> None:
    """With the smallest budgets, mass effects take several groups.

    Money, books and streams hold at each.
    """
    recorded = Recorded(setting, steps)
    driver = recorded.fresh()
    driver.must(c.Configure(0, 16))
    driver.must(c.Configure(1, 1))
    queue = [record for record in recorded.records if session_of(record) != driver.operator]
    gap = max(1, len(queue) // (len(kinds) + 1))
    for number, (kind, market) in enumerate(kinds):
        queue.insert(gap * (number + 1), driver.record(kind(market, 0)))
    while queue:
        size = sizes[len(driver.log) % len(sizes)]
        group, queue = queue[:size], queue[size:]
        driver.apply_records(group)
        check_conserved(driver)
        for market in (1, 2, 3):
            check_book(driver, market)
            assert driver.feed.levels(market) == driver.depth(market)
    groups = 0
    while driver.venue.work_pending:
        driver.apply_records([])
        check_conserved(driver)
        groups += 1
        assert groups < 100
    assert driver.restored().checkpoint() == driver.checkpoint()


numbers = st.one_of(
    st.integers(0, 5),
    st.sampled_from([2**n + d for n in (15, 16, 31, 32, 63) for d in (-1, 0)]),
    st.integers(-(2**63), 2**63 - 1),
)


@st.composite
def shaped_frames(draw: st.DrawFn) -> bytes:
    """Return a record of a right type and length with wild fields."""
    kind, size = draw(st.sampled_from(sorted(SIZES.items())))
    body = b"".join(
        (draw(numbers) & (2**64 - 1)).to_bytes(8, "little") for _ in range(size // 8 - 2)
    )
    sequence = draw(st.integers(0, 3))
    header = struct.pack("<ihhq", size, kind, draw(st.sampled_from((0, 0, 1, -1))), sequence)
    return c.record(draw(st.sampled_from((0, 1, 1, 1, 2, -1))), header + body)


SIZES = {
    **dict.fromkeys((36, 37, 38, 39, 40), 24),
    **dict(zip((1, 2, 3, 4, 5, 6, 7), (48, 40, 48, 24, 32, 32, 24), strict=True)),
    **dict(zip((32, 33, 34, 35), (80, 40, 88, 96), strict=True)),
    **dict(zip((41, 42, 43, 44, 64), (56, 56, 32, 16, 152), strict=True)),
    **dict(zip((9, 10), (56, 64), strict=True)),
    **dict(zip((0, 8, 45, 63, 65, -1), (16, 24, 16, 16, 16, 16), strict=True)),
}


@settings(max_examples=max(300, settings().max_examples))
@given(
    groups=st.lists(
        st.one_of(
            st.binary(max_size=120),
            st.lists(st.one_of(shaped_frames(), st.binary(max_size=60)), max_size=6).map(
                lambda records: c.group(records, 1)
            ),
            st.tuples(st.lists(shaped_frames(), max_size=3), st.integers(-5, 500), numbers).map(
                lambda parts: damaged(*parts)
            ),
        ),
        max_size=8,
    )
)
def test_no_bytes_in_the_log_can_raise(groups: list[bytes]) -> None:
    """Whatever a group holds, `apply` ends, answers well-formed frames, and money is conserved."""
    driver = VenueDriver()
    for group in groups:
        driver.apply_group(group)
        check_conserved(driver)
    assert driver.restored().checkpoint() == driver.checkpoint()


def damaged(records: list[bytes], length: int, stamp: int) -> bytes:
    """Return a group whose length and stamp say something else than its bytes."""
    whole = bytearray(c.group(records, 1))
    struct.pack_into("<i", whole, 0, length)
    struct.pack_into("<Q", whole, 8, stamp & (2**64 - 1))
    return bytes(whole)


def test_an_entry_out_of_order_stops_the_replica() -> None:
    """The log's order is the consensus layer's promise: breaking it is our bug, not a rejection."""
    driver = VenueDriver()
    with pytest.raises(InvariantError):
        driver.venue.apply(driver.venue.log_index, c.group([], 1))


@settings(max_examples=FEWER)
@given(setting=settings_of_flows, steps=busy_flows, data=st.data())
def test_a_snapshot_without_one_of_its_pages_is_not_taken(
    setting: Setting, steps: list[FlowStep], data: st.DataObject
) -> None:
    """A lost page is an error, or at least another digest than the snapshot says."""
    pages = Recorded(setting, steps).engine.checkpoint()
    missing = data.draw(st.sampled_from(sorted(pages.values)))
    kept = [(key, value) for key, value in pages.values.items() if key != missing]
    assert digests(kept)[0] != pages.state_digest
    with contextlib.suppress(SnapshotError):
        restore(setting.genesis(), kept)
