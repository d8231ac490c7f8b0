"""Snapshots that are not what was saved: refused, or seen by their digest; never anything else."""

import struct
from collections.abc import Iterator
from typing import Any

import pytest

from node.domain import records
from node.domain.codes import Code
from node.domain.terms import Role
from node.engine.checkpoint import Root, StateTree
from node.engine.reading import record_bytes
from node.engine.snapshot import digests, restore
from node.engine.snapshot_error import SnapshotError
from node.engine.venue import Venue
from tests import account_commands as a
from tests import commands as c
from tests import life_commands as life
from tests import order_commands as o
from tests import rule_commands as r
from tests.dense_flows import dense_steps
from tests.life_flows import RESOLVERS
from tests.page_watch import touched_before_changed
from tests.venue_driver import Pages, VenueDriver, address_of, genesis, key_of
from tests.venue_flows import Setting

SETTING = Setting(
    exclusive=False,
    tick=1,
    fees=((100, 20), (30, 0), (0, 0)),
    cash=10**9,
    fills_per_order=1_000,
    cancels_per_command=1,
    open_orders=100_000,
    positions=100,
    shard=1,
    schedule=r.ScheduleCreate(taker_bps=100, maker_bps=20, rebate_bps=2_000),
    fee_account=4,
    challenge_seconds=3,
    group_lots=12,
    called=0,
    guards=r.GuardsSet(1, band=9_000, move=9_000, window_ns=10**9, pause_ns=10**9),
)


def busy_venue() -> VenueDriver:
    """Return a venue with orders, positions, sessions, and a sweep that is not done."""
    flow = SETTING.start()
    for _ in flow.run(dense_steps(7, 200)):
        pass
    driver = flow.pair.engine
    wide = [c.buy_yes(1, 1, 100 + number, 1, 10_000 + number) for number in range(80)]
    driver.say_all(wide)
    later_ns = driver.venue.stamp_ns + 10**15
    standing = [
        a.SubaccountOpen(1, 1),
        a.WithdrawRequest(1, 1_000),
        a.DeadlineSet(2, later_ns),
        a.BoundsSet(2, 2, open_orders=90_000),
        a.BoundsSet(3, 1, position_lots=10**9),
        a.Stop(0, 2, 3),
        life.MarketTimes(3, 0, later_ns),
        life.Pause(2, 1, 1),
        life.Pause(3, 2, 1),
        life.Pause(4, 4, 1),
        c.MarketClose(2),
    ]
    for one in standing:
        driver.must(one)
    driver.must(life.Propose(2, 5_000))
    driver.must(c.Configure(0, 16))
    driver.say(c.CancelAll(1, 0))
    assert driver.venue.work_pending
    return driver


def altered(pages: Pages) -> Iterator[dict[bytes, bytes]]:
    """Yield the pages with one of them gone, cut short, or with one field that says another."""
    for key, value in pages.values.items():
        others = {name: page for name, page in pages.values.items() if name != key}
        yield others
        yield dict(sorted({**others, key: value[:-8]}.items()))
        size = min(len(value), 400)
        for at in range(0, size - 3, 4):
            for word in (0, 0x7FFFFFFF):
                field = struct.pack("<i", word)
                yield dict(sorted({**others, key: value[:at] + field + value[at + 4 :]}.items()))


def test_an_altered_snapshot_is_refused_or_has_another_digest() -> None:
    """Whatever a field says, and whichever page is missing: no other error, and no silence."""
    driver = busy_venue()
    pages = driver.checkpoint()
    same = digests(pages.values.items())
    refused = 0
    for other in altered(pages):
        if other == pages.values:
            continue
        try:
            venue = restore(driver.genesis, other.items())
        except SnapshotError:
            refused += 1
            continue
        assert venue.tree.digests() != same
    assert refused > 100


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"short", b"12345678"),
        (records.MARKET.to_bytes(2, "big") + bytes(8), b""),
        (records.MARKET.to_bytes(2, "big") + bytes(8), bytes(7)),
        ((99).to_bytes(2, "big") + bytes(8), bytes(8)),
        (records.WINDOW.to_bytes(2, "big") + (999 << 10).to_bytes(8, "big"), bytes(32)),
    ],
)
def test_a_page_that_no_venue_writes_is_refused(key: bytes, value: bytes) -> None:
    """A key of another length, an empty or uneven page, an unknown kind, a window of nobody."""
    with pytest.raises(SnapshotError):
        restore(genesis(), [(key, value)])


@pytest.mark.parametrize(
    ("place", "size", "why"), [(1_023, None, "outside"), (None, 32, "does not fit")]
)
def test_a_window_s_page_is_its_session_s(place: int | None, size: int | None, why: str) -> None:
    """It lies within the window that the session has, and is as long as that says."""
    driver = busy_venue()
    pages = dict(driver.checkpoint().values)
    key = next(key for key in pages if key.startswith(records.WINDOW.to_bytes(2, "big")))
    value = pages.pop(key)
    number = int.from_bytes(key[2:], "big")
    if place is not None:
        number = number >> records.WINDOW_PAGE_SHIFT << records.WINDOW_PAGE_SHIFT | place
    pages[key[:2] + number.to_bytes(8, "big")] = value[:size]
    with pytest.raises(SnapshotError, match=why):
        restore(driver.genesis, sorted(pages.items()))


def test_attestations_are_restored() -> None:
    """Who has spoken, what, and with which evidence; the next resolver's word decides alike."""
    driver = VenueDriver(genesis(resolver_quorum=2))
    for name in RESOLVERS[:2]:
        driver.must(c.KeyGrant(name, Role.RESOLVER))
    driver.must(c.EventCreate())
    driver.must(c.MarketCreate(1))
    driver.must(c.MarketOpen(1))
    driver.must(c.MarketClose(1))
    driver.must(life.Attest(1, 10_000, RESOLVERS[0], 0, b"photo".ljust(32, b".")))
    twin = driver.restored()
    last = life.Attest(1, 10_000, RESOLVERS[1], 0, b"photo".ljust(32, b"."))
    assert driver.say(last) == twin.say(last)
    assert driver.checkpoint() == twin.checkpoint()


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [
        (records.RESOLUTION_COUNT, -1, "room"),
        (records.RESOLUTION_COUNT, records.MOST_ATTESTATIONS + 1, "room"),
        (records.RESOLUTION_ATTESTATIONS, 0, "key"),
        (records.RESOLUTION_ATTESTATIONS, 99, "key"),
    ],
)
def test_a_resolution_that_no_venue_writes_is_refused(at: int, value: int, why: str) -> None:
    """More words than there is room for, or the word of nobody."""
    driver = VenueDriver(genesis(resolver_quorum=2))
    driver.must(c.KeyGrant(RESOLVERS[0], Role.RESOLVER))
    driver.must(c.EventCreate())
    driver.must(c.MarketCreate(1))
    driver.must(c.MarketOpen(1))
    driver.must(c.MarketClose(1))
    driver.must(life.Attest(1, 10_000, RESOLVERS[0]))
    pages = dict(driver.checkpoint().values)
    (key,) = [key for key in pages if key.startswith(records.RESOLUTION.to_bytes(2, "big"))]
    field = struct.pack("<q" if why == "room" else "<i", value)
    pages[key] = pages[key][:at] + field + pages[key][at + len(field) :]
    with pytest.raises(SnapshotError, match=why):
        restore(driver.genesis, pages.items())


def test_a_root_over_many_shelves_takes_many_steps() -> None:
    """And comes to the digest that one large step comes to."""
    driver = VenueDriver(genesis())
    for number in range(1, 200):
        driver.must(c.AccountOpen(address_of(number), key_of(number)))
        driver.must(o.OrderGroupSet(number, 1, 1))
    twin = driver.restored()
    frozen, other = driver.venue.freeze(), twin.venue.freeze()
    while not frozen.step(1):
        pass
    while not other.step(10**6):
        pass
    assert frozen.state_digest == other.state_digest


def test_a_snapshot_of_another_shard_is_refused() -> None:
    """The genesis says which shard this is, and so does the snapshot."""
    pages = VenueDriver(genesis(2)).checkpoint()
    with pytest.raises(SnapshotError, match="another shard"):
        restore(genesis(3), pages.values.items())


def test_a_venue_answers_where_it_stands() -> None:
    """Index, time, things by number, None for what is not there."""
    driver = busy_venue()
    venue: Venue = driver.venue
    assert (venue.log_index, venue.stamp_ns) == (venue.state.log_index, venue.state.stamp_ns)
    session = venue.session(driver.operator)
    assert session is not None
    assert session.key_number == 1
    assert venue.event(1) is not None
    for number in (0, -1, 999):
        assert venue.event(number) is None
        assert venue.market(number) is None
        assert venue.account(number) is None


def test_a_checkpoint_that_is_complete_has_nothing_more_to_do() -> None:
    """Asking again changes nothing; many small steps come to what one large one comes to."""
    driver = busy_venue()
    frozen = driver.venue.freeze()
    while not frozen.step(1):
        pass
    said = (frozen.state_digest, frozen.ledger_digest, frozen.page_count)
    assert frozen.step(1)
    assert (frozen.state_digest, frozen.ledger_digest, frozen.page_count) == said


@pytest.mark.parametrize("touch_first", [True, False])
def test_a_page_that_changes_before_it_is_touched_is_noticed(touch_first: bool) -> None:
    """The driver of all tests of the rules watches for it at every group; a late touch is none."""
    state: Any = busy_venue().venue.state
    account = state.account(1)

    def change() -> None:
        with touched_before_changed(state):
            if touch_first:
                state.touch(account.page)
            account.stream_sequence += 1
            state.touch(account.page)

    if touch_first:
        change()
    else:
        with pytest.raises(AssertionError, match="before they were touched"):
            change()


def test_digests_are_taken_shelf_by_shelf() -> None:
    """In steps of one or all at once: the same two digests."""
    tree = StateTree()
    for kind in range(1, 6):
        tree.set(kind, 7, bytes([kind]))
    tree.rehash_all()
    root = Root(tree)
    steps = 1
    while not root.step(1):
        steps += 1
    assert steps == 5
    assert (root.state_digest, root.ledger_digest) == tree.digests()


def test_a_record_is_read_as_its_page_has_it() -> None:
    """What a query answers is what a snapshot holds."""
    driver = busy_venue()
    account = driver.venue.account(1)
    assert account is not None
    key = records.ACCOUNT.to_bytes(2, "big") + bytes(8)
    assert driver.checkpoint().values[key].startswith(record_bytes(account))


def test_so_many_bytes_of_log_call_for_a_checkpoint() -> None:
    """Every replica takes it at the same index."""
    driver = VenueDriver(genesis(checkpoint_bytes=65_536))
    begun = driver.venue.state.checkpoint_bytes
    groups = 0
    while not driver.venue.checkpoint_due:
        driver.apply_records([driver.record(c.EventCreate()) for _ in range(64)])
        groups += 1
    record_bytes_ = 8 + 88
    assert groups == -((begun - 65_536) // (24 + 64 * record_bytes_))  # Rounds up.
    assert driver.venue.state.checkpoint_bytes == 0


def test_a_leader_s_record_of_other_rules_is_not_executed() -> None:
    """A session is opened under the rules that the group names, or not at all."""
    driver = VenueDriver()
    frame = c.SessionOpen(bytes(32), 16, bytes(32)).frame(0)
    stamp_ns = driver.venue.stamp_ns + 1
    applied = driver.apply_group(c.group([c.record(0, frame)], stamp_ns, rules_version=9))
    assert applied.replies[0].code == Code.RULES_VERSION_MISMATCH
    assert not applied.events
