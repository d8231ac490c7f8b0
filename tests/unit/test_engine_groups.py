"""Groups of orders: bounded work, snapshots on the way, and audits."""

import pytest

from node.audit.canonical import CanonicalState, read_state
from node.audit.conservation import check_conservation
from node.domain.codes import Code
from node.domain.terms import AccountMode, CloseReason, TimeInForce
from node.engine.snapshot import restore
from node.engine.snapshot_error import SnapshotError
from tests import commands as c
from tests import order_commands as o
from tests.venue_driver import Applied, VenueDriver, genesis
from tests.venue_pair import VenuePair, check_conserved

BUDGET = 16
ORDERS = 40


def grouped(price: int, name: int, lots: int = 1) -> c.PlaceWithTerms:
    """Return a bid of account 1 in its group 1."""
    return c.PlaceWithTerms(1, 1, 1, price, lots, name, TimeInForce.GTC, group=1)


@pytest.fixture
def driver() -> VenueDriver:
    """Return a venue in which account 1 has 40 bids in a group of 100 lots."""
    pair = VenuePair(genesis(sweep_items_per_group=BUDGET))
    pair.open_account(AccountMode.NET, 10**12)
    pair.open_account(AccountMode.NET, 10**12)
    pair.must(c.EventCreate())
    pair.open_market(1)
    pair.must(o.OrderGroupSet(1, 1, 100))
    for number in range(1, ORDERS + 1):
        pair.must(grouped(4_000 + number, number))
    pair.check()
    return pair.engine


def closed(applied: Applied) -> int:
    """Return how many orders a log's group closed because theirs is over."""
    reason = CloseReason.ORDER_GROUP
    return sum(fact.what == "closed" and fact.detail == reason for fact in applied.facts)


def swept(driver: VenueDriver, applied: Applied) -> list[int]:
    """Return how many orders went in this group and in each that follows until all is swept."""
    counts = [closed(applied)]
    while driver.venue.work_pending:
        counts.append(closed(driver.apply_records([])))
        check_conserved(driver)
    return counts


def test_a_trigger_takes_so_many_orders_a_group_and_no_more(driver: VenueDriver) -> None:
    """40 orders at 16 a group take three groups."""
    _, applied = driver.say(o.OrderGroupTrigger(1, 1))
    assert swept(driver, applied) == [16, 16, 8]
    assert driver.cash(1) == (10**12, 0)


def test_what_enters_after_a_reset_is_not_touched(driver: VenueDriver) -> None:
    """The sweep goes on under the mark; what it has not reached trades with nobody."""
    driver.must(o.OrderGroupTrigger(1, 1))
    driver.must(o.OrderGroupReset(1, 1))
    driver.must(grouped(4_000, 99))
    ask = c.Place(2, 1, 3, 6_000, 5, 1)
    reply, applied = driver.say(ask)
    assert (reply.code, reply.filled) == (Code.OK, 1)
    assert sum(swept(driver, applied)) <= ORDERS
    assert driver.cash(1) == (10**12 - 4_000, 0)


def test_a_deleted_group_is_there_until_its_orders_are_not(driver: VenueDriver) -> None:
    """Its number may be used again at once; the orders under the mark go all the same."""
    groups = driver.venue.state.registers.order_groups
    _, applied = driver.say(o.OrderGroupSet(1, 1, 0))
    assert groups.get(1, 1) is not None
    driver.must(o.OrderGroupSet(1, 1, 7))
    driver.must(grouped(3_999, 98))
    swept(driver, applied)
    assert [leaves for _, leaves in driver.queue(1)] == [1]
    _, applied = driver.say(o.OrderGroupSet(1, 1, 0))
    assert swept(driver, applied) == [1]
    assert groups.get(1, 1) is None


def test_a_group_that_is_gone_leaves_its_sweep_nothing_to_do(driver: VenueDriver) -> None:
    """Deleted, emptied by cancels and deleted again before the first sweep comes to it."""
    cancels = [c.Cancel(1, 1, 0, number) for number in range(1, ORDERS + 1)]
    commands = [o.OrderGroupTrigger(1, 1), *cancels, o.OrderGroupSet(1, 1, 0)]
    driver.apply_records([driver.record(command) for command in commands])
    assert driver.venue.state.registers.order_groups.get(1, 1) is None
    assert not driver.venue.work_pending


def test_a_snapshot_on_the_way_restores_the_group(driver: VenueDriver) -> None:
    """Its fills count, its doomed orders are swept, and both venues go on alike."""
    driver.must(c.Place(2, 1, 3, 6_000, 5, 1))
    driver.must(o.OrderGroupTrigger(1, 1))
    twin = driver.restored()
    for command in (
        o.OrderGroupReset(1, 1),
        grouped(4_500, 77, 200),
        c.Place(2, 1, 3, 5_500, 150, 2),
    ):
        assert driver.say(command)[1].events == twin.say(command)[1].events
    while driver.venue.work_pending:
        assert driver.apply_records([]).events == twin.apply_records([]).events
    assert driver.checkpoint() == twin.checkpoint()


def test_a_snapshot_without_the_group_of_an_order_is_refused(driver: VenueDriver) -> None:
    """And so is a group of an account that is not there."""
    pages = driver.checkpoint().values
    without = {key: value for key, value in pages.items() if key[:2] != b"\x00\x0d"}
    with pytest.raises(SnapshotError, match="an order's group"):
        restore(driver.genesis, without.items())
    altered = {
        key: value[:4] + bytes(4) + value[8:] if key[:2] == b"\x00\x0d" else value
        for key, value in pages.items()
    }
    with pytest.raises(SnapshotError, match="a group's account"):
        restore(driver.genesis, altered.items())


def audited(driver: VenueDriver) -> CanonicalState:
    """Return the venue's records as an audit reads them."""
    return read_state(driver.checkpoint().values.items())


def test_an_audit_knows_groups(driver: VenueDriver) -> None:
    """One that has filled its limit and is active is a finding, and an order of a group of none."""
    driver.must(c.Place(2, 1, 3, 6_000, 5, 1))
    state = audited(driver)
    assert check_conservation(state).findings == []
    (group,) = state.groups
    assert (group.number, group.account, group.limit) == (1, 1, 100)
    assert group.filled(driver.venue.stamp_ns) == 5
    assert group.filled(driver.venue.stamp_ns + 16 * 10**9) == 0
    (finding,) = check_conservation(state._replace(groups=[group._replace(limit=5)])).findings
    assert "is active with 5 of 5" in finding
    findings = check_conservation(state._replace(groups=[])).findings
    assert len(findings) == ORDERS - 5
