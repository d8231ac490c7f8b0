"""What trading is bound to, over restarts: schedules, grids in a sweep, windows and pauses."""

import pytest

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.records import (
    ORDER,
    ORDER_SCHEDULE,
    RULES,
    SCHEDULE,
    TREASURY,
    TREASURY_FEE_ACCOUNT,
    WATCH,
)
from node.domain.terms import AccountMode, CloseReason, Intent, MarketState, SelfTrade
from node.domain.units import LATEST_STAMP, MAX_LOTS, MAX_SPAN, MAX_SUPPLY
from node.engine.snapshot import restore
from node.engine.snapshot_error import SnapshotError
from tests import commands as c
from tests import rule_commands as r
from tests.venue_driver import SECOND_NS, Applied, VenueDriver, genesis
from tests.venue_pair import VenuePair, check_conserved

BUDGET = 16
I32_MAX = 2**31 - 1
I64_MAX = 2**63 - 1


def prepared() -> VenueDriver:
    """Return a venue with one open market, two rich accounts and sweeps of 16 items a group."""
    pair = VenuePair(genesis(sweep_items_per_group=BUDGET))
    pair.open_account(AccountMode.NET, 10**12)
    pair.open_account(AccountMode.NET, 10**12)
    pair.must(c.EventCreate())
    pair.open_market(1)
    return pair.engine


def closed(applied: Applied) -> int:
    """Return how many orders a group has closed for being off the grid."""
    return sum(
        fact.what == "closed" and fact.detail == CloseReason.OFF_GRID for fact in applied.facts
    )


def test_a_new_grid_takes_so_many_orders_a_group() -> None:
    """40 levels, 36 of them off the new grid: a level that stays is an item, too."""
    driver = prepared()
    for number in range(1, 41):
        driver.must(c.buy_yes(1, 1, 4_000 + number, 1, number))
    counts = [closed(driver.say(r.GridSet(1, 10))[1])]
    while driver.venue.work_pending:
        twin = driver.restored()
        applied = driver.apply_records([])
        assert twin.apply_records([]) == applied
        assert twin.checkpoint() == driver.checkpoint()
        counts.append(closed(applied))
        check_conserved(driver)
    assert counts == [15, 14, 7]
    assert sorted(price for _, price in driver.depth(1)) == [4_010, 4_020, 4_030, 4_040]


def test_a_pause_goes_on_over_a_restart() -> None:
    """A restored market pauses where the other does, and opens when it does."""
    driver = prepared()
    driver.must(r.GuardsSet(1, 0, 0, 500, 80 * SECOND_NS, 5 * SECOND_NS))
    for number, price in enumerate((5_000, 5_300, 5_600), start=1):
        driver.must(c.buy_no(2, 1, 10_000 - price, 1, number))
    driver.must(c.buy_yes(1, 1, 5_000, 1, 10))
    twins = [driver.restored()]
    for command in (c.buy_yes(1, 1, 5_300, 1, 11), c.buy_yes(1, 1, 5_600, 1, 12)):
        answers = driver.say(command)
        assert all(twin.say(command) == answers for twin in twins)
        twins.append(driver.restored())
    assert driver.state_of(1) == MarketState.HALTED
    assert driver.venue.next_due_ns == driver.venue.stamp_ns + 5 * SECOND_NS
    while driver.state_of(1) == MarketState.HALTED:
        applied = driver.apply_records([])
        assert all(twin.apply_records([]) == applied for twin in twins)
    assert all(twin.checkpoint() == driver.checkpoint() for twin in twins)


def test_a_fee_account_is_kept_over_a_restart() -> None:
    """Fees go on to the account; an order goes on at what it agreed to."""
    driver = prepared()
    driver.must(r.ScheduleAssign(1, driver.must(r.ScheduleCreate(1_000, 20, 2, 3_333)).result))
    driver.must(r.FeeAccountName(2))
    driver.must(c.buy_yes(1, 1, 5_000, 10, 1))
    driver.must(r.ScheduleAssign(1, driver.must(r.ScheduleCreate()).result))
    twin = driver.restored()
    for command in (c.buy_no(2, 1, 5_000, 3, 2), c.buy_no(2, 1, 5_000, 7, 3)):
        assert twin.say(command) == driver.say(command)
    assert twin.checkpoint() == driver.checkpoint()


@pytest.mark.parametrize("kind", [SCHEDULE, RULES, WATCH])
def test_a_snapshot_without_what_its_records_name_is_refused(kind: int) -> None:
    """Pages that are missing are noticed, whatever they hold."""
    driver = prepared()
    driver.must(r.GuardsSet(1, 5_000, 100))
    driver.must(r.FeeAccountName(1))
    driver.must(c.buy_yes(1, 1, 5_000, 1, 1))
    pages = driver.checkpoint().values
    assert restore(driver.genesis, pages.items()) is not None
    kept = {key: value for key, value in pages.items() if int.from_bytes(key[:2], "big") != kind}
    with pytest.raises(SnapshotError):
        restore(driver.genesis, kept.items())


@pytest.mark.parametrize(
    ("kind", "offset"), [(ORDER, ORDER_SCHEDULE), (TREASURY, TREASURY_FEE_ACCOUNT), (WATCH, 0)]
)
def test_a_snapshot_that_names_what_there_is_not_is_refused(kind: int, offset: int) -> None:
    """An order's schedule, the fee account, the market of a watch: a number that nothing has."""
    driver = prepared()
    driver.must(r.GuardsSet(1, 5_000, 100))
    driver.must(r.FeeAccountName(1))
    driver.must(c.buy_yes(1, 1, 5_000, 1, 1))
    pages = dict(driver.checkpoint().values)
    (key,) = [key for key in pages if int.from_bytes(key[:2], "big") == kind]
    page = pages[key]
    pages[key] = page[:offset] + (99).to_bytes(4, "little") + page[offset + 4 :]
    with pytest.raises(SnapshotError):
        restore(driver.genesis, pages.items())


def test_guards_can_be_set_again_and_taken_away_twice() -> None:
    """What was watched before goes on from the same reference; what was not stays so."""
    driver = prepared()
    driver.must(r.GuardsSet(1))
    driver.must(r.GuardsSet(1, 5_000, 100))
    driver.must(r.GuardsSet(1, 0, 200))
    assert driver.say(c.buy_yes(1, 1, 5_201, 1, 1))[0].code == Code.PRICE_OUTSIDE_BAND
    driver.must(r.GuardsSet(1))
    driver.must(r.GuardsSet(1))
    assert driver.say(c.buy_yes(1, 1, 5_201, 1, 1))[0].code == Code.OK
    assert driver.restored().checkpoint() == driver.checkpoint()


@pytest.mark.parametrize("wild", [I64_MAX, -I64_MAX - 1, 2**32, -1])
def test_wild_minimums_and_spans_are_refused(wild: int) -> None:
    """Fields at the ends of 64 and 32 bits, or that only look small in 32."""
    pair = VenuePair(genesis(lots_per_order=MAX_LOTS))
    pair.must(c.EventCreate())
    pair.open_market(1)
    if not 0 <= wild <= MAX_LOTS:
        assert pair.say(r.GridSet(1, 1, 0, 0, wild)).code == Code.MINIMUM_OUT_OF_RANGE
    if not 0 <= wild <= MAX_SUPPLY:
        assert pair.say(r.GridSet(1, 1, 0, 0, 0, wild)).code == Code.MINIMUM_OUT_OF_RANGE
    if not 1 <= wild <= MAX_SPAN:
        for spans in ((wild, 1), (8, wild)):
            assert pair.say(r.GuardsSet(1, 0, 0, 1, *spans)).code == Code.PAUSE_INVALID
    for edge in (I32_MAX, -I32_MAX - 1, -1):
        assert pair.say(r.GridSet(1, edge)).code == Code.TICK_INVALID
        assert pair.say(r.GridSet(1, 100, edge, 1)).code == Code.EDGE_INVALID
        assert pair.say(r.GuardsSet(1, edge)).code == Code.REFERENCE_OUT_OF_RANGE
        assert pair.say(r.GuardsSet(1, 0, edge)).code == Code.BAND_OUT_OF_RANGE
    assert pair.say(r.GridSet(1, 100, 4_900, 50, MAX_LOTS, MAX_SUPPLY)).code == Code.OK


def test_a_pause_at_the_end_of_time_stays_within_64_bits() -> None:
    """A stamp near the largest does not wrap the time at which a market opens again."""
    driver = prepared()
    driver.must(r.GuardsSet(1, 0, 0, 1, MAX_SPAN, MAX_SPAN))
    driver.must(c.buy_no(2, 1, 5_000, 1, 1))
    driver.must(c.buy_no(2, 1, 4_000, 1, 2))
    command = driver.record(c.buy_yes(1, 1, 6_000, 2, 3))
    driver.apply_group(c.group([command], I64_MAX))
    assert driver.state_of(1) == MarketState.HALTED
    assert driver.venue.next_due_ns == LATEST_STAMP + MAX_SPAN


def test_so_many_schedules_and_no_more() -> None:
    """The bound is the limit's, and one that is known is found beyond it."""
    driver = prepared()
    driver.must(c.Configure(Limit.SCHEDULES, 2))
    assert driver.must(r.ScheduleCreate(5)).result == 2
    assert driver.say(r.ScheduleCreate(6))[0].code == Code.TOO_MANY_SCHEDULES
    assert driver.must(r.ScheduleCreate(5)).result == 2


def looked_at(driver: VenueDriver, self_trade: int) -> tuple[int, int, int]:
    """Preview an order of account 1 for 10 YES at up to 0.60: code, lots filled, lots that rest."""
    order = c.PlaceWithTerms(1, 1, Intent.BUY_YES, 6_000, 10, 99, self_trade=self_trade)
    before = driver.checkpoint()
    seen = driver.venue.preview(order.frame(1), 0, 1)
    assert driver.checkpoint() == before
    return seen.code, seen.filled, seen.rested


def test_a_preview_meets_its_own_account_as_the_order_would() -> None:
    """Behind 3 lots of another's lies an own order, and behind that 4 more: on, or no further."""
    driver = prepared()
    for account, price, lots, number in ((2, 5_000, 3, 1), (1, 4_900, 5, 2), (2, 4_800, 4, 3)):
        driver.must(c.buy_no(account, 1, price, lots, number))
    assert looked_at(driver, SelfTrade.CANCEL_RESTING) == (Code.OK, 7, 3)
    assert looked_at(driver, SelfTrade.CANCEL_TAKER) == (Code.OK, 3, 0)
    assert looked_at(driver, SelfTrade.CANCEL_BOTH) == (Code.OK, 3, 0)


def test_a_preview_stops_where_the_market_would_pause() -> None:
    """What lies behind the pause is not filled, and nothing rests."""
    driver = prepared()
    driver.must(r.GuardsSet(1, 0, 0, 500, 80 * SECOND_NS, 5 * SECOND_NS))
    for number, price in enumerate((5_000, 4_800, 4_400), start=1):
        driver.must(c.buy_no(2, 1, price, 2, number))
    assert looked_at(driver, SelfTrade.CANCEL_RESTING) == (Code.OK, 4, 0)
    assert driver.must(c.buy_yes(1, 1, 6_000, 10, 99)).filled == 4
    assert driver.state_of(1) == MarketState.HALTED


def test_so_many_markets_open_a_group() -> None:
    """20 markets that are to open at one time take two groups of 16 at most."""
    driver = prepared()
    for market in range(2, 21):
        driver.must(c.MarketCreate(1))
        driver.must(c.MarketOpen(market))
    for market in range(1, 21):
        driver.must(r.GuardsSet(market, 0, 0, 1, 80 * SECOND_NS, 60 * SECOND_NS))
        driver.must(c.buy_no(2, market, 5_000, 1, 10 * market))
        driver.must(c.buy_no(2, market, 4_000, 1, 10 * market + 1))
    orders = [c.buy_yes(1, market, 6_000, 2, market) for market in range(1, 21)]
    assert {reply.filled for reply in driver.say_all(orders).replies} == {1}
    driver.step_ns = 61 * SECOND_NS
    opened = []
    while driver.venue.next_due_ns:
        driver.apply_records([])
        opened.append(sum(driver.state_of(n) == MarketState.OPEN for n in range(1, 21)))
    assert opened == [16, 20]


@pytest.mark.parametrize(
    "command",
    [
        r.ScheduleCreate(77),
        r.ScheduleAssign(1, 1),
        r.FeeAccountName(2),
        r.GridSet(1, 10),
        r.GuardsSet(1, 5_000, 100),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_checkpoint_behind_a_rule_alone_has_all_that_it_changed(command: c.Command) -> None:
    """Also the sequence of the feed that told of it, when nothing else has changed meanwhile."""
    driver = prepared()
    driver.checkpoint()
    driver.must(command)
    assert driver.checkpoint() == driver.replayed().checkpoint()
