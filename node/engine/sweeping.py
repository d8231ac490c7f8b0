"""Working off sweeps: at the end of every group, oldest sweep first, within one budget of items."""

from mypy_extensions import i64

from node.domain.limits import SWEEP_ITEMS_PER_GROUP
from node.domain.terms import CLOSE_BY_GRID, CLOSE_BY_MARKET, CLOSE_BY_MARKET_STOP
from node.engine.auction import sweep_auction
from node.engine.book_side import NO_ASK, NO_BID
from node.engine.complete_sets import pay_out
from node.engine.dooming import sweep_doomed_account, sweep_doomed_key
from node.engine.grouping import sweep_group
from node.engine.invariants import require
from node.engine.market import Event, Market
from node.engine.mass_cancel import sweep_cancelled
from node.engine.pausing import sweep_paused
from node.engine.removal import close
from node.engine.state import State
from node.engine.stopping import note_swept
from node.engine.sweep import (
    CANCEL_ACCOUNT,
    CANCEL_PAUSED,
    CANCEL_POSITION,
    CLOSE_GROUP,
    CLOSE_MARKET,
    DOOM_ACCOUNT,
    DOOM_KEY,
    REDEEM_MARKET,
    REGRID_MARKET,
    STOP_MARKET,
    UNCROSS_MARKET,
    Sweep,
)


def run_sweeps(state: State) -> None:
    """Spend one group's budget on the queue of sweeps."""
    budget: i64 = state.limits[SWEEP_ITEMS_PER_GROUP]
    while budget > 0 and state.sweep_head < state.sweep_tail:
        sweep = state.sweeps[state.sweep_head]
        state.touch(sweep.page)
        budget = advance(state, sweep, budget)
        if budget > 0:
            finish(state, sweep)


def finish(state: State, sweep: Sweep) -> None:
    """Take a finished sweep off the queue."""
    state.sweep_pages.drop(sweep.number)
    del state.sweeps[sweep.number]
    state.sweep_head += 1
    if sweep.kind >= DOOM_ACCOUNT:
        note_swept(state, sweep)
    elif is_of_market(sweep.kind):
        market = state.market(sweep.market)
        assert market is not None
        state.touch(market.page)
        market.sweeps -= 1


def is_of_market(kind: i64) -> bool:
    """Return whether a sweep is one that a market counts, and waits for."""
    if kind == UNCROSS_MARKET:
        return True
    return kind == CLOSE_MARKET or kind == REDEEM_MARKET or kind == REGRID_MARKET


def advance(state: State, sweep: Sweep, budget: i64) -> i64:
    """Do up to `budget` items of the sweep.

    Return what is left of the budget, 0 when there is more to do.
    """
    if sweep.kind == CANCEL_ACCOUNT:
        return sweep_account(state, sweep, budget)
    if sweep.kind >= DOOM_ACCOUNT:
        return sweep_stopped(state, sweep, budget)
    if sweep.kind == CANCEL_PAUSED:
        return sweep_paused(state, sweep, budget)
    if sweep.kind == CLOSE_GROUP:
        return sweep_group(state, sweep, budget)
    market = state.market(sweep.market)
    require(market is not None, "a sweep names no market")
    assert market is not None
    if sweep.kind == CANCEL_POSITION:
        account = state.account(sweep.account)
        assert account is not None
        # Sweeps are worked off in order: the one that drops positions comes later.
        return sweep_cancelled(state, account.positions[sweep.market], budget)
    if sweep.kind == CLOSE_MARKET:
        return sweep_book(state, market, CLOSE_BY_MARKET, budget)
    if sweep.kind == UNCROSS_MARKET:
        return sweep_auction(state, sweep, market, budget)
    if sweep.kind == REGRID_MARKET:
        return sweep_grid(state, sweep, market, budget)
    return sweep_positions(state, market, budget)


def sweep_account(state: State, sweep: Sweep, budget: i64) -> i64:
    """Cancel doomed orders position by position.

    From the last place down: a position that moves meanwhile moves to a place yet to come.
    """
    account = state.account(sweep.account)
    assert account is not None
    while sweep.cursor > 0 and budget > 0:
        place = sweep.cursor - 1
        if place < len(account.position_list):
            position = account.position_list[place]
            budget = sweep_cancelled(state, position, budget)
            if budget == 0:
                return 0
        sweep.cursor = place
        budget -= 1
    return budget


def sweep_stopped(state: State, sweep: Sweep, budget: i64) -> i64:
    """Close what was working where something was stopped, or an account or a key was doomed."""
    if sweep.kind == DOOM_ACCOUNT:
        return sweep_doomed_account(state, sweep, budget)
    if sweep.kind == DOOM_KEY:
        return sweep_doomed_key(state, sweep, budget)
    last: i64 = sweep.market if sweep.kind == STOP_MARKET else len(state.markets) - 1
    if sweep.kind == STOP_MARKET:
        sweep.cursor = last - 1
    while sweep.cursor < last and budget > 0:
        market = state.market(sweep.cursor + 1)
        require(market is not None, "a sweep names no market")
        assert market is not None
        budget = sweep_book(state, market, CLOSE_BY_MARKET_STOP, budget)
        if budget == 0:
            return 0
        sweep.cursor += 1
        budget -= 1
    return budget


def sweep_book(state: State, market: Market, reason: i64, budget: i64) -> i64:
    """Close what rests in a market, from the best prices outwards; return what is left."""
    book = market.book
    while budget > 0 and market.order_count > 0:
        side = book.bids if book.bids.best != NO_BID else book.asks
        level = side.level(side.best)
        require(level is not None and level.head is not None, "an order count without orders")
        assert level is not None
        order = level.head
        assert order is not None
        close(state, order, reason)
        budget -= 1
    return budget


def sweep_grid(state: State, sweep: Sweep, market: Market, budget: i64) -> i64:
    """Cancel what rests off the grid, from the lowest price up; a price kept counts as an item."""
    bids = market.book.bids
    asks = market.book.asks
    while budget > 0:
        lowest_bid = bids.occupied_above(sweep.cursor)
        price = min(lowest_bid, asks.occupied_above(sweep.cursor))
        if price == NO_ASK:
            break
        budget -= 1
        if market.is_on_grid(price):
            sweep.cursor = price
            continue
        level = bids.level(price) if price == lowest_bid else asks.level(price)
        require(level is not None and level.head is not None, "an occupied price without orders")
        assert level is not None
        oldest = level.head
        assert oldest is not None
        close(state, oldest, CLOSE_BY_GRID)
    return budget


def is_paid_out(event: Event) -> bool:
    """Return whether nobody holds anything of an event any more; the last market is the last."""
    place: i64 = len(event.markets)
    if event.settled != place:
        return False
    while place > 0:
        place -= 1
        if len(event.markets[place].positions) > 0:
            return False
    return True


def sweep_positions(state: State, market: Market, budget: i64) -> i64:
    """Pay out the positions of a resolved market and forget them."""
    while budget > 0 and len(market.positions) > 0:
        position = market.positions.pop()
        if position.yes_free > 0 or position.no_free > 0:
            pay_out(state, position)
        state.drop_position(position)
        budget -= 1
    if len(market.positions) == 0:
        require(market.collateral == 0, "a redeemed market kept collateral")
        if is_paid_out(market.event):
            require(market.event.collateral == 0, "a redeemed event kept collateral")
    return budget
