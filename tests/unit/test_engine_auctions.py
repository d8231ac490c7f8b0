"""Call auctions: bounded work, what comes between, snapshots on the way, and the price itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.audit.canonical import read_state
from node.audit.conservation import check_conservation
from node.domain.codes import Code
from node.domain.events import EventType
from node.domain.terms import (
    BUY_NO,
    BUY_YES,
    GTC,
    AccountMode,
    CloseReason,
    Liquidity,
    MarketState,
    TimeInForce,
)
from node.engine.account import Account
from node.engine.clearing import clear
from node.engine.fee_schedule import no_fees
from node.engine.market import Event, Market
from node.engine.market_rules import MarketRules
from node.engine.order import Order
from node.engine.position import Position
from tests import account_commands as a
from tests import commands as c
from tests import life_commands as life
from tests import rule_commands as r
from tests.venue_driver import Applied, VenueDriver, address_of, genesis, key_of
from tests.venue_pair import VenuePair, check_book, check_conserved

BUDGET = 16
ORDERS = 30


@pytest.fixture
def driver() -> VenueDriver:
    """Return a called market with 30 bids at 0.60 and 30 asks at 0.40, of three accounts."""
    pair = VenuePair(genesis(sweep_items_per_group=BUDGET))
    for _ in range(3):
        pair.open_account(AccountMode.NET, 10**12)
    pair.must(c.EventCreate())
    pair.must(c.MarketCreate(1, 1, 1_000, 100))
    pair.must(life.AuctionCall(1))
    for number in range(1, ORDERS + 1):
        pair.must(c.buy_yes(1 + number % 2, 1, 6_000, 1, number))
        pair.must(c.buy_no(3, 1, 6_000, 1, number))
    pair.check()
    return pair.engine


def fills_of(applied: Applied) -> int:
    """Return how many fills there are; all are at one price, of two orders that were called."""
    assert {fill.price for fill in applied.fills} <= {5_000}
    filled = [fact for fact in applied.facts if fact.what == "filled"]
    assert all(fact.detail == Liquidity.CALLED for fact in filled)
    return len(applied.fills)


def closed(applied: Applied, reason: CloseReason) -> int:
    """Return how many orders were closed for a reason."""
    return sum(fact.what == "closed" and fact.detail == reason for fact in applied.facts)


def uncrossed(driver: VenueDriver, applied: Applied) -> list[int]:
    """Return how many fills there are in this group and in each until nothing is left to do."""
    counts = [fills_of(applied)]
    while driver.venue.work_pending:
        counts.append(fills_of(driver.apply_records([])))
        check_conserved(driver)
        check_book(driver, 1)
    return counts


def test_uncrossing_takes_so_many_items_a_group_and_no_more(driver: VenueDriver) -> None:
    """One price for all of it, published before the first fill; then the market is open."""
    _, applied = driver.say(c.MarketOpen(1))
    priced = [event for event in applied.events if event.kind == EventType.AUCTION_PRICED]
    assert len(priced) == 1
    counts = uncrossed(driver, applied)
    assert sum(counts) == ORDERS
    assert max(counts) <= BUDGET
    assert len(counts) > 2
    assert driver.state_of(1) == MarketState.OPEN
    assert not driver.depth(1)


def test_orders_that_have_expired_do_not_count_for_the_price() -> None:
    """However many there are, and however few a group can close: they go before it is found."""
    driver = VenueDriver(genesis(sweep_items_per_group=BUDGET))
    for number in (1, 2):
        driver.must(c.AccountOpen(address_of(number), key_of(number)))
        driver.must(c.Deposit(number, 10**12, number))
    driver.must(c.EventCreate())
    driver.must(c.MarketCreate(1, 1))
    driver.must(life.AuctionCall(1))
    ends = driver.venue.stamp_ns + 3_600 * 10**9
    terms = (1, 1, BUY_YES, 9_000, 100)
    for number in range(1, 3 * BUDGET + 1):
        driver.must(c.PlaceWithTerms(*terms, number, TimeInForce.GTD, ends))
    driver.must(c.buy_yes(1, 1, 6_000, 1, 100))
    driver.must(c.buy_no(2, 1, 6_000, 1, 100))
    driver.step_ns = 2 * 3_600 * 10**9
    _, applied = driver.say(c.MarketOpen(1))
    counts = uncrossed(driver, applied)

    assert sum(counts) == 1
    assert counts[0] == 0, "the price was found while orders that had expired were in the book"
    assert driver.state_of(1) == MarketState.OPEN


def test_a_snapshot_in_the_middle_has_the_same_future(driver: VenueDriver) -> None:
    """The price that was found is part of the state."""
    driver.must(c.MarketOpen(1))
    assert driver.state_of(1) == MarketState.UNCROSSING
    twin = driver.restored()
    assert not check_conservation(read_state(driver.checkpoint().values.items())).findings
    while driver.venue.work_pending:
        assert driver.apply_records([]) == twin.apply_records([])
    assert driver.checkpoint() == twin.checkpoint() == driver.replayed().checkpoint()


@pytest.mark.parametrize(("account", "filled"), [(2, 15), (3, 0)])
def test_who_is_stopped_meanwhile_trades_no_more(
    driver: VenueDriver, account: int, filled: int
) -> None:
    """Its orders are closed where they stand, on either side."""
    counts = uncrossed(driver, driver.say_all([c.MarketOpen(1), a.Stop(0, 2, account)]))
    assert sum(counts) == filled
    assert driver.state_of(1) == MarketState.OPEN
    check_conserved(driver)


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        (a.Stop(0, 3, 1), Code.MARKET_STOPPED),
        (a.Stop(0, 4, 0), Code.VENUE_STOPPED),
        (life.Pause(3, 1, 1), Code.PAUSED_POST_ONLY),
        (life.Pause(2, 1, 2), Code.PAUSED_CANCEL_ONLY),
        (life.Pause(1, 0, 3), Code.PAUSED_HALTED),
    ],
)
def test_what_stops_trading_stops_uncrossing(
    driver: VenueDriver, stop: c.Command, code: Code
) -> None:
    """The market goes back to its call, and does not open while that lasts."""
    driver.must(c.MarketOpen(1))
    before = fills_of(driver.apply_records([]))
    _, applied = driver.say(stop)
    assert fills_of(applied) == 0
    assert driver.state_of(1) == MarketState.AUCTION
    while driver.venue.work_pending:
        assert fills_of(driver.apply_records([])) == 0
    reply, _ = driver.say(c.MarketOpen(1))
    assert reply.code == code
    assert before < ORDERS
    check_conserved(driver)


def test_a_market_that_is_closed_meanwhile_is_uncrossed_no_further(driver: VenueDriver) -> None:
    """Its orders are swept away, and it can be settled only after that."""
    driver.must(c.MarketOpen(1))
    _, applied = driver.say(c.MarketClose(1))
    assert fills_of(applied) == 0
    reply, _ = driver.say(c.MarketVoid(1))
    assert reply.code == Code.MARKET_SWEEPING
    while driver.venue.work_pending:
        driver.apply_records([])
    driver.must(c.MarketVoid(1))
    check_conserved(driver)


def test_bands_refer_to_the_price_of_the_call(driver: VenueDriver) -> None:
    """As they do to that of a fill."""
    driver.must(r.GuardsSet(1, 0, 500, 400, 80 * 10**9, 10**9))
    _, applied = driver.say(c.MarketOpen(1))
    uncrossed(driver, applied)
    reply, _ = driver.say(c.buy_yes(1, 1, 5_501, 1, 900))
    assert reply.code == Code.PRICE_OUTSIDE_BAND
    driver.must(c.buy_yes(1, 1, 5_500, 1, 901))


def test_a_market_without_a_name_cannot_be_called() -> None:
    """A placeholder of an augmented event, at once or by the clock."""
    driver = VenueDriver(genesis())
    driver.must(c.EventCreate(exclusive=2))
    driver.must(c.MarketCreate(1))
    driver.must(c.MarketCreate(1, name=b""))
    reply, _ = driver.say(life.AuctionCall(2))
    assert reply.code == Code.OUTCOME_UNNAMED


sides = st.lists(st.tuples(st.integers(4_000, 4_040), st.integers(1, 5)), min_size=1, max_size=12)


@given(bids=sides, asks=sides, tick=st.sampled_from((1, 2, 5, 10)))
def test_the_price_is_the_best_of_all_on_the_ticks_and_in_the_book(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], tick: int
) -> None:
    """Found by trying all of them."""
    account = Account(1, AccountMode.NET, bytes(20))
    market = Market(1, Event(1, 0, bytes(64)), tick, MarketRules(1, no_fees()), bytes(64))
    owner = Position(1, account, market)
    for number, (price, lots) in enumerate(bids):
        market.book.rest(Order(number, number, account, owner, BUY_YES, GTC, price, lots))
    for number, (price, lots) in enumerate(asks, 100):
        market.book.rest(Order(number, number, account, owner, BUY_NO, GTC, 10_000 - price, lots))
    found = clear(market)
    low, high = min(price for price, _ in asks), max(price for price, _ in bids)
    if high < low:
        assert found is None
        return
    assert found is not None
    standing = {price for price, _ in bids + asks}
    tried = [price for price in range(low, high + 1) if price % tick == 0 or price in standing]
    outcomes = {price: outcome(bids, asks, price) for price in tried}
    most = max(lots for lots, _ in outcomes.values())
    least = min(abs(left) for lots, left in outcomes.values() if lots == most)
    good = [one for one in tried if outcomes[one] in ((most, least), (most, -least))]
    assert (found.lots, abs(int(found.surplus))) == (most, least)
    assert (found.lots, found.surplus) == outcomes[found.price]
    if all(outcomes[price][1] > 0 for price in good):
        assert found.price == good[-1]
    elif all(outcomes[price][1] < 0 for price in good):
        assert found.price == good[0]
    else:
        middle = (good[0] + good[-1]) // 2
        assert found.price == max(good[0], middle - middle % tick)


def outcome(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], price: int
) -> tuple[int, int]:
    """Return what would be exchanged at a price, and what bids would want in excess."""
    demand = sum(lots for at, lots in bids if at >= price)
    supply = sum(lots for at, lots in asks if at <= price)
    return min(demand, supply), demand - supply
