"""Mass effects are worked off so many items a group, and what waits for that is already over."""

import pytest

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import AccountMode, CloseReason, Intent, Side, TimeInForce
from tests import commands as c
from tests.venue_driver import Applied, VenueDriver, address_of, genesis, key_of
from tests.venue_pair import VenuePair, check_conserved

BUDGET = 16
ORDERS = 40


def prepared(cancels_per_command: int = 4) -> VenueDriver:
    """Return a venue with one open market and 40 bids of account 1; account 2 has money, too."""
    pair = VenuePair(genesis(sweep_items_per_group=BUDGET, cancels_per_command=cancels_per_command))
    pair.open_account(AccountMode.NET, 10**12)
    pair.open_account(AccountMode.NET, 10**12)
    pair.must(c.EventCreate())
    pair.open_market(1)
    for number in range(1, ORDERS + 1):
        pair.must(c.buy_yes(1, 1, 4_000 + number, 1, number))
    return pair.engine


def closed(applied: Applied, reason: CloseReason) -> int:
    """Return how many orders a group closed for this reason."""
    return sum(fact.what == "closed" and fact.detail == reason for fact in applied.facts)


def test_a_close_takes_so_many_orders_a_group_and_no_more() -> None:
    """40 orders at 16 a group take three groups, in which nothing else is needed but empty ones."""
    driver = prepared()
    reply, applied = driver.say(c.MarketClose(1))
    assert (reply.code, reply.filled) == (Code.OK, ORDERS)
    counts = [closed(applied, CloseReason.MARKET_CLOSED)]
    while driver.venue.work_pending:
        counts.append(closed(driver.apply_records([]), CloseReason.MARKET_CLOSED))
        check_conserved(driver)
    assert counts == [16, 16, 8]
    assert driver.cash(1) == (10**12, 0)


def test_a_market_is_not_settled_before_its_orders_are_gone() -> None:
    """Resolving waits for the cancel sweep; cancelling what it has not reached does not."""
    driver = prepared()
    driver.must(c.MarketClose(1))
    assert driver.say(c.MarketResolve(1, 10_000))[0].code == Code.MARKET_SWEEPING
    (last_id, _), *_ = driver.queue(1)[::-1]
    reply, applied = driver.say(c.Cancel(1, 1, last_id))
    assert reply.code == Code.OK
    assert closed(applied, CloseReason.USER) == 1
    while driver.venue.work_pending:
        driver.apply_records([])
    assert driver.say(c.MarketResolve(1, 10_000))[0].code == Code.OK


def test_a_resolution_pays_so_many_positions_a_group() -> None:
    """50 positions at 16 a group; who redeems in the meantime is paid once."""
    pair = VenuePair(genesis(sweep_items_per_group=BUDGET))
    pair.must(c.EventCreate())
    market = pair.open_market(1)
    for number in range(1, 51):
        pair.open_account(AccountMode.HOLD, 10**6)
        pair.must(c.Split(number, market, 10))
        pair.must(c.buy_yes(number, market, 1, 1, 1))
    driver = pair.engine
    driver.must(c.MarketClose(market))
    while driver.venue.work_pending:
        driver.apply_records([])
    _, applied = driver.say(c.MarketResolve(market, 2_500))
    paid = [sum(fact.what == "redeemed" for fact in applied.facts)]
    assert driver.must(c.Redeem(50, market)).result == 100_000
    assert driver.say(c.Redeem(50, market))[0].code == Code.NOTHING_TO_REDEEM
    while driver.venue.work_pending:
        applied = driver.apply_records([])
        paid.append(sum(fact.what == "redeemed" for fact in applied.facts))
        check_conserved(driver)
    assert max(paid) <= BUDGET
    assert {driver.cash(number) for number in range(1, 51)} == {(10**6, 0)}


def test_a_doomed_order_does_not_match_while_it_waits() -> None:
    """After a cancel-all nobody trades with what it meant, whenever the sweep reaches it."""
    driver = prepared()
    driver.must(c.CancelAll(1))
    assert len(driver.queue(1)) == ORDERS - 4 - BUDGET
    reply, applied = driver.say(c.buy_no(2, 1, 9_900, 30, 1))
    assert reply.filled == 0
    assert applied.fills == []
    assert driver.depth(1) == {(Side.ASK, 100): 30}


def test_orders_that_come_later_are_not_meant() -> None:
    """A cancel-all is about what rests when it comes; new orders trade at once."""
    driver = prepared()
    driver.must(c.CancelAll(1))
    late = driver.must(c.buy_yes(1, 1, 4_500, 7, 1_000)).result
    reply, applied = driver.say(c.buy_no(2, 1, 5_500, 3, 1))
    assert reply.filled == 3
    assert [fill.maker_order_id for fill in applied.fills] == [late]
    while driver.venue.work_pending:
        driver.apply_records([])
    assert driver.queue(1) == [(late, 4)]


def test_a_cancel_all_that_is_said_again_and_again_waits_but_once() -> None:
    """One sweep that runs and one that waits: the venue's other sweeps are not behind hundreds."""
    driver = prepared()
    driver.must(c.Configure(Limit.CANCELS_PER_COMMAND, 1))
    driver.say_all([c.buy_yes(1, 1, 4_000, 1, 100 + n) for n in range(3 * ORDERS)])
    state = driver.venue.state
    driver.say_all([c.CancelAll(1)] * 20)
    assert state.sweep_tail - state.sweep_head == 2
    twin = driver.restored()
    for one in (driver, twin):
        one.say_all([c.CancelAll(1)] * 20)
        assert one.venue.state.sweep_tail - one.venue.state.sweep_head == 2
    assert twin.venue.digest == driver.venue.digest
    while driver.venue.work_pending:
        driver.apply_records([])
    assert driver.queue(1) == []


@pytest.mark.parametrize("market", [0, 1])
def test_a_sweep_goes_on_where_it_was_after_a_restart(market: int) -> None:
    """A snapshot in the middle of sweeps has their cursors, their queue and their dooms."""
    driver = prepared()
    driver.must(c.CancelAll(1, market))
    assert driver.venue.work_pending
    twin = driver.restored()
    for command in (c.buy_no(2, 1, 9_900, 3, 1), c.MarketClose(1)):
        assert twin.say(command) == driver.say(command)
    while driver.venue.work_pending:
        assert twin.apply_records([]).events == driver.apply_records([]).events
    assert not twin.venue.work_pending
    assert twin.checkpoint() == driver.checkpoint()


def test_a_checkpoint_between_any_two_groups_has_the_sweeps_as_they_stand() -> None:
    """What a sweep changes, its own progress included, is in the next checkpoint."""
    driver = prepared()
    for number in range(3, 34):  # With that of account 1, two groups of positions to the last one.
        driver.must(c.AccountOpen(address_of(number), key_of(number), AccountMode.HOLD))
        driver.must(c.Deposit(number, 10**6, number))
        driver.must(c.Split(number, 1, 10))
    for command in (c.CancelAll(1), c.MarketClose(1), c.MarketResolve(1, 2_500)):
        driver.must(command)
        assert driver.checkpoint() == driver.replayed().checkpoint()
        while driver.venue.work_pending:
            driver.apply_records([])
            assert driver.checkpoint() == driver.replayed().checkpoint()


def expiring() -> VenueDriver:
    """Return a venue whose account 1 has 40 bids that expire together, a second from now."""
    pair = VenuePair(genesis(sweep_items_per_group=BUDGET))
    pair.open_account(AccountMode.NET, 10**12)
    pair.open_account(AccountMode.NET, 10**12)
    pair.must(c.EventCreate())
    pair.open_market(1)
    driver = pair.engine
    expiry_ns = driver.venue.stamp_ns + 2 * driver.step_ns
    terms = [
        c.PlaceWithTerms(1, 1, Intent.BUY_YES, 4_000, 1, number, TimeInForce.GTD, expiry_ns)
        for number in range(1, ORDERS + 1)
    ]
    assert all(reply.code == Code.OK for reply in driver.say_all(terms).replies)
    assert driver.venue.next_due_ns == expiry_ns
    return driver


def test_so_many_orders_expire_a_group_and_time_goes_on_having_work() -> None:
    """40 orders at 16 a group take three groups; until the last the venue says that it is due."""
    driver = expiring()
    counts = []
    while driver.venue.next_due_ns:
        counts.append(closed(driver.apply_records([]), CloseReason.EXPIRED))
        check_conserved(driver)
    assert counts == [16, 16, 8]
    assert driver.cash(1) == (10**12, 0)


def test_an_expired_order_does_not_trade_before_it_is_reached() -> None:
    """An order that finds only expired ones finds nothing: they are closed as it touches them."""
    for command, code in (
        (c.buy_no(2, 1, 6_000, 50, 1, TimeInForce.IOC), Code.OK),
        (c.buy_no(2, 1, 6_000, 50, 1, TimeInForce.FOK), Code.CANNOT_FILL),
        (c.buy_no(2, 1, 6_000, 50, 1, TimeInForce.POST_ONLY), Code.OK),
    ):
        driver = expiring()
        reply, applied = driver.say(command)
        assert (reply.code, reply.filled) == (code, 0)
        assert not applied.fills
        assert closed(applied, CloseReason.EXPIRED) == (16 if code == Code.CANNOT_FILL else 40)


def test_a_snapshot_keeps_deadlines() -> None:
    """What expires after a restart is what would have expired."""
    driver = expiring()
    twin = driver.restored()
    assert twin.venue.next_due_ns == driver.venue.next_due_ns
    for _ in range(4):
        assert twin.apply_records([]) == driver.apply_records([])
    assert twin.ledger_digest() == driver.ledger_digest()
