"""What happens while a sweep is on its way: orders are over, positions go, budgets end."""

import pytest

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import (
    CLOSE_BY_ACCOUNT_STOP,
    AccountMode,
    CloseReason,
    Intent,
    MarketState,
    OrderFlag,
    PauseLevel,
    PauseScope,
    Scope,
    TimeInForce,
)
from tests import account_commands as a
from tests import commands as c
from tests import life_commands as life
from tests.venue_driver import Applied, VenueDriver, genesis
from tests.venue_pair import VenuePair, check_book, check_conserved, check_keys

BUDGET = 16
MANY = 40
"""Orders: more than two groups can sweep."""
BOT = b"bot".ljust(32, b".")


@pytest.fixture
def driver() -> VenueDriver:
    """Return a venue with three markets, two rich accounts that hold sets, and an agent of 1."""
    pair = VenuePair(genesis(sweep_items_per_group=BUDGET, cancels_per_command=1))
    for _ in range(2 + BUDGET):
        pair.open_account(AccountMode.HOLD, 10**12)
    pair.must(c.EventCreate())
    for _ in range(3):
        pair.open_market(1)
    for number in range(2, 3 + BUDGET):
        pair.must(c.Split(number, 2, 1))
    for market in (1, 2, 3):
        pair.must(c.Split(1, market, 100))
    pair.must(a.AgentSet(1, BOT, spend=10**12, order_value=10**12, exposure=10**12, rate=10**6))
    return pair.engine


def bids(market: int, first: int = 1, flags: int = 0) -> list[c.Command]:
    """Return many bids of account 1, cheapest first."""
    return [
        c.PlaceWithTerms(1, market, Intent.BUY_YES, 1_000 + n, 1, first + n, flags=flags)
        for n in range(MANY)
    ]


def closed(applied: Applied, reason: int) -> int:
    """Return how many orders were closed for a reason."""
    return sum(fact.what == "closed" and fact.detail == reason for fact in applied.facts)


def finish(driver: VenueDriver, reason: int) -> list[int]:
    """Return how many orders each group closed until nothing was left to do."""
    counts = []
    while driver.venue.work_pending:
        counts.append(closed(driver.apply_records([]), reason))
        check_conserved(driver)
        check_keys(driver)
        for market in (1, 2, 3):
            check_book(driver, market)
    assert driver.checkpoint() == driver.replayed().checkpoint()
    return counts


def give_up_a_position(driver: VenueDriver, before: c.Command) -> None:
    """Say something that begins a sweep, while one that ends account 1's position is on its way."""
    driver.must(c.MarketClose(2))
    driver.must(c.MarketResolve(2, 10_000))
    driver.must(before)


def test_a_position_may_go_while_its_accounts_orders_are_cancelled(driver: VenueDriver) -> None:
    """The sweep counts positions down; one that moves into a hole is met there."""
    driver.say_all(bids(3))
    give_up_a_position(driver, c.CancelAll(1))
    finish(driver, CloseReason.CANCEL_ALL)
    assert driver.venue.account(1).order_count == 0  # type: ignore[union-attr]


def test_a_position_may_go_while_its_account_is_stopped(driver: VenueDriver) -> None:
    """As when it cancels all."""
    driver.say_all(bids(3))
    give_up_a_position(driver, a.Stop(0, Scope.ACCOUNT, 1))
    finish(driver, CLOSE_BY_ACCOUNT_STOP)
    assert driver.venue.account(1).order_count == 0  # type: ignore[union-attr]


def test_a_position_may_go_while_its_account_is_paused(driver: VenueDriver) -> None:
    """Of the orders that go with the pause; others stay where they are."""
    driver.say_all(bids(3, flags=OrderFlag.CANCEL_ON_PAUSE))
    driver.must(c.buy_yes(1, 3, 900, 1, 900))
    give_up_a_position(driver, life.Pause(PauseScope.ACCOUNT, 1, PauseLevel.POST_ONLY))
    finish(driver, CloseReason.PAUSED)
    assert driver.depth(3) == {(1, 900): 1}


def test_orders_that_do_not_go_with_a_pause_are_passed_over(driver: VenueDriver) -> None:
    """They stand between those that do, on both sides."""
    for number in range(1, 7):
        flags = OrderFlag.CANCEL_ON_PAUSE * (number % 2)
        terms = (number, TimeInForce.GTC, 0, 0, 0, flags)
        driver.must(c.PlaceWithTerms(1, 1, Intent.BUY_YES, 1_000 + number, 1, *terms))
        terms = (100 + number, TimeInForce.GTC, 0, 0, 0, flags)
        driver.must(c.PlaceWithTerms(1, 1, Intent.BUY_NO, 1_000 + number, 1, *terms))
    _, applied = driver.say(life.Pause(PauseScope.MARKET, 1, PauseLevel.POST_ONLY))
    assert closed(applied, CloseReason.PAUSED) == 6
    assert len(driver.queue(1)) == 6


def test_passing_over_orders_is_paid_from_the_budget(driver: VenueDriver) -> None:
    """Where more are passed over than a group pays for, one market is looked at a group."""
    driver.must(c.Configure(Limit.SWEEP_ITEMS_PER_GROUP, BUDGET))
    for market in (1, 2, 3):
        first = 1_000 * market
        plain = [c.buy_yes(1, market, 1_000, 1, first + n) for n in range(17 * BUDGET)]
        driver.say_all(plain)
        terms = (first + 999, TimeInForce.GTC, 0, 0, 0, OrderFlag.CANCEL_ON_PAUSE)
        driver.must(c.PlaceWithTerms(1, market, Intent.BUY_YES, 1_000, 1, *terms))
    _, applied = driver.say(life.Pause(PauseScope.VENUE, 0, PauseLevel.POST_ONLY))
    counts = [closed(applied, CloseReason.PAUSED), *finish(driver, CloseReason.PAUSED)]
    assert [count for count in counts if count] == [1, 1, 1]


@pytest.mark.parametrize(
    ("scope", "subject"), [(PauseScope.VENUE, 0), (PauseScope.EVENT, 1), (PauseScope.MARKET, 2)]
)
def test_a_pause_sweeps_market_by_market(
    driver: VenueDriver, scope: PauseScope, subject: int
) -> None:
    """So many orders a group; markets in which nothing goes with it are passed over."""
    driver.say_all(bids(2, flags=OrderFlag.CANCEL_ON_PAUSE))
    _, applied = driver.say(life.Pause(scope, subject, PauseLevel.POST_ONLY))
    counts = [closed(applied, CloseReason.PAUSED), *finish(driver, CloseReason.PAUSED)]
    assert sum(counts) == MANY
    assert max(counts) <= BUDGET


def test_a_key_is_stopped_in_so_many_groups(driver: VenueDriver) -> None:
    """Meanwhile nobody trades with its orders, nor is shown a trade."""
    bot = driver.open_session(BOT)
    driver.say_all(bids(1), bot)
    newest = c.PlaceWithTerms(2, 1, Intent.BUY_NO, 10_000 - 1_000, 5, 900)
    key = driver.venue.key_by_public(BOT)
    assert key is not None
    driver.must(a.Stop(0, Scope.KEY, key.number))
    seen = driver.venue.preview(newest.frame(1), 0, 1)
    assert (seen.filled, seen.rested) == (0, 5)
    _, applied = driver.say(newest)
    assert not applied.fills
    finish(driver, CloseReason.KEY_STOPPED)
    assert driver.depth(1) == {(2, 1_000): 5}
    mine = c.PlaceWithTerms(1, 1, Intent.BUY_YES, 500, 1, 901)
    assert driver.venue.preview(mine.frame(1), 0, key.number).code == Code.KEY_STOPPED
    driver.must(a.StopLift(0, Scope.KEY, key.number))
    driver.must(c.buy_yes(1, 1, 900, 1, 902), bot)
    assert driver.must(c.buy_no(2, 1, 9_100, 1, 903)).filled == 1


def test_a_stop_of_the_venue_goes_from_market_to_market(driver: VenueDriver) -> None:
    """It goes on in the next group where it was."""
    driver.say_all([*bids(1), *bids(2, 100), *bids(3, 200)])
    _, applied = driver.say(a.Stop(0, Scope.VENUE, 0))
    counts = [closed(applied, CloseReason.MARKET_STOPPED)]
    counts += finish(driver, CloseReason.MARKET_STOPPED)
    assert sum(counts) == 3 * MANY
    assert max(counts) <= BUDGET
    mine = c.PlaceWithTerms(1, 1, Intent.BUY_YES, 500, 1, 901)
    assert driver.venue.preview(mine.frame(1), 0, 2).code == Code.VENUE_STOPPED


@pytest.mark.parametrize(("side", "left"), [(1, MANY), (2, MANY), (0, 0)])
def test_a_cancel_of_one_side_sweeps_one_side(driver: VenueDriver, side: int, left: int) -> None:
    """More than a command takes at once; the other side's watermark is not touched."""
    driver.say_all(bids(1))
    driver.say_all([c.Place(1, 1, Intent.BUY_NO, 1_000 + n, 1, 500 + n) for n in range(MANY)])
    driver.must(c.CancelAll(1, 1, 0, side))
    finish(driver, CloseReason.CANCEL_ALL)
    assert len(driver.queue(1)) == left


def test_a_fill_or_kill_for_money_looks_at_so_many_orders_and_no_more() -> None:
    """Dead ones count; it is refused when money is left that one more lot would cost."""
    pair = VenuePair(genesis(fills_per_order=2, sweep_items_per_group=BUDGET))
    for _ in range(3):
        pair.open_account(AccountMode.NET, 10**12)
    pair.must(c.EventCreate())
    pair.open_market(1)
    for number in range(3):
        pair.must(c.buy_no(2, 1, 5_000, 1, 1 + number))
    spends = {"lots": 0, "time_in_force": TimeInForce.FOK}
    for spend, code in ((10_000, Code.OK), (15_000, Code.CANNOT_FILL)):
        order = c.PlaceWithTerms(
            1, 1, Intent.BUY_YES, 5_000, client_order_id=9, spend=spend, **spends
        )
        assert pair.say(order).code == code
        pair.must(c.CancelAll(2))
        for number in range(3):
            pair.must(c.buy_no(2, 1, 5_000, 1, 11 + number))
    driver = pair.engine
    driver.say_all([c.buy_no(2, 1, 4_000, 1, 100 + number) for number in range(MANY)])
    driver.must(a.Stop(0, Scope.ACCOUNT, 2))
    order = c.PlaceWithTerms(1, 1, Intent.BUY_YES, 6_000, client_order_id=9, spend=6_000, **spends)
    reply, _ = driver.say(order)
    assert reply.code == Code.CANNOT_FILL
    assert driver.state_of(1) == MarketState.OPEN
