"""A call auction: orders rest and may cross, until the market opens and they meet at one price.

A market is called before it opens for the first time, or when it is halted. In the call phase no
order trades. When it opens it is uncrossed first: a sweep finds the price, and lets the best and
oldest orders of both sides trade at it until a side has none left that may. What then still
crosses, because orders were cancelled meanwhile or would have met their own, is uncrossed again.
"""

from typing import Final

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.engine.clearing import Clearing, clear
from node.engine.grouping import end, most_to_fill, reaches_limit
from node.engine.invariants import require
from node.engine.lifecycle import begin_sweep, move
from node.engine.market import Market
from node.engine.matching import execute
from node.engine.order import Order
from node.engine.pausing import code_of_level, level_of_market
from node.engine.removal import close, close_expired, publish_level
from node.engine.state import State
from node.engine.sweep import UNCROSS_MARKET, Sweep
from node.engine.timer import CALLING

NO_PRICE: Final = 0
"""A sweep's cursor before it has found the price."""


def call_auction(state: State, frame: bytes, at: i64) -> Code:
    """Begin the call phase of a new or halted market at a time of the log: 0 is now, -1 never."""
    market = state.market(read_i64_le(frame, at + layout.AUCTION_CALL_MARKET) & 0xFFFFFFFF)
    begins_at = read_i64_le(frame, at + layout.AUCTION_CALL_BEGINS_AT)
    if market is None:
        return Code.UNKNOWN_MARKET
    if not can_be_called(market):
        return Code.MARKET_STATE_INVALID
    if not market.is_named:
        return Code.OUTCOME_UNNAMED
    if begins_at == 0:
        return move(state, market, terms.AUCTION)
    if begins_at < 0:
        begins_at = 0
    elif begins_at <= state.stamp_ns:
        return Code.TIMES_INVALID
    state.set_timer(CALLING, market.number, begins_at)
    state.touch(market.page)
    state.writer.auction_scheduled(market, begins_at)
    return Code.OK


def call_on_time(state: State, number: i64) -> None:
    """Begin the call phase of a market whose time has come; one that has moved has no such time."""
    market = state.market(number)
    assert market is not None
    require(can_be_called(market), "a market is called that has moved")
    move(state, market, terms.AUCTION)


def can_be_called(market: Market) -> bool:
    """Return whether an auction may open the market."""
    return market.state == terms.CREATED or market.state == terms.HALTED


def end_call(state: State, market: Market) -> Code:
    """End the call phase of a market, unless nothing may trade: uncross it, and open it."""
    code = check_trading(state, market)
    if code is Code.OK:
        begin_sweep(state, market, UNCROSS_MARKET)
        move(state, market, terms.UNCROSSING)
    return code


def check_trading(state: State, market: Market) -> Code:
    """Return what keeps all orders of a market from trading, OK if nothing does."""
    if state.venue_stop is not None:
        return Code.VENUE_STOPPED
    if market.stop is not None:
        return Code.MARKET_STOPPED
    level = level_of_market(state, market)
    return Code.OK if level == terms.NO_PAUSE else code_of_level(level)


def sweep_auction(state: State, sweep: Sweep, market: Market, budget: i64) -> i64:
    """Uncross a market and open it; return what is left of the budget, 0 when there is more to do.

    The sweep's cursor is the price, or less the price once nothing crosses there any more. A pause
    or stop sends the market back to its call phase.
    """
    while budget > 0 and market.state == terms.UNCROSSING:
        if check_trading(state, market) is not Code.OK:
            move(state, market, terms.AUCTION)
        elif sweep.cursor > NO_PRICE:
            budget = uncross(state, market, sweep.cursor, budget)
            if budget > 0:
                sweep.cursor = -sweep.cursor
        else:
            budget = close_expired(state, budget)
            if budget == 0:
                break
            found = clear(market)
            if found is None:
                move(state, market, terms.OPEN)
                if sweep.cursor != NO_PRICE:
                    note_price(state, market, -sweep.cursor)
            else:
                begin_at(state, market, found)
                sweep.cursor = found.price
                budget = max(0, budget - found.steps)
    return budget


def begin_at(state: State, market: Market, found: Clearing) -> None:
    """Publish the price at which a market will be uncrossed."""
    state.touch(market.page)
    state.writer.auction_priced(market, found.price, found.lots, found.surplus)


def note_price(state: State, market: Market, price: i64) -> None:
    """Have bands and guards of a market that opens refer to the price of its call."""
    watch = market.watch
    if watch is not None:
        state.touch(watch.page)
        watch.note(price, state.stamp_ns)


def uncross(state: State, market: Market, price: i64, budget: i64) -> i64:
    """Let the first of both sides trade at one price; return what is left of the budget."""
    bids = market.book.bids
    asks = market.book.asks
    while budget > 0 and bids.best >= price >= asks.best:
        level = bids.level(bids.best)
        assert level is not None
        bid = level.head
        level = asks.level(asks.best)
        assert level is not None
        ask = level.head
        assert bid is not None
        assert ask is not None
        budget -= 1
        if bid.is_dead(state.stamp_ns):
            close(state, bid, bid.reason_of_death(state.stamp_ns))
        elif ask.is_dead(state.stamp_ns):
            close(state, ask, ask.reason_of_death(state.stamp_ns))
        elif bid.priority < ask.priority:
            meet(state, market, price, bid, ask)
        else:
            meet(state, market, price, ask, bid)
    return budget


def meet(state: State, market: Market, price: i64, older: Order, newer: Order) -> None:
    """Let two orders trade within the limits of their groups; of one's own, the older is closed."""
    if older.account is newer.account:
        close(state, older, terms.CLOSE_BY_SELF_TRADE)
        return
    lots = most_to_fill(state, older, newer)
    one = market.book.side(older.is_bid).level(older.book_price)
    other = market.book.side(newer.is_bid).level(newer.book_price)
    assert one is not None
    assert other is not None
    one.lots -= lots
    other.lots -= lots
    execute(state, market, price, older, newer, lots, called=True)
    publish_level(state, market, one, older.is_bid)
    publish_level(state, market, other, newer.is_bid)
    count_in_group(state, older, lots)
    count_in_group(state, newer, lots)


def count_in_group(state: State, order: Order, lots: i64) -> None:
    """Count what an order has filled in its group; one that this triggers is over."""
    member = order.membership
    if member is not None and reaches_limit(state, member.group, lots):
        end(state, member.group, terms.GROUP_TRIGGERED)
