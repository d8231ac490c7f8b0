"""Matching: strict price-time priority, at the maker's price, in one YES book.

A bid is a BUY_YES or a SELL_NO, an ask a SELL_YES or a BUY_NO. Two buyers fund a new complete set
(mint), two sellers return one (merge), a buyer and a seller of the same side transfer shares. The
taker has the better price.
"""

from mypy_extensions import i64

from node.domain.limits import FILLS_PER_ORDER
from node.domain.terms import (
    ASK,
    BID,
    BUY_NO,
    BUY_YES,
    CALLED,
    CANCEL_RESTING,
    CANCEL_TAKER,
    CLOSE_BY_FILL_LIMIT,
    CLOSE_BY_HALT,
    CLOSE_BY_SELF_TRADE,
    CLOSE_BY_SPENDING,
    MAKER,
    MERGE,
    MINT,
    TAKER,
    TRANSFER,
)
from node.domain.units import MAX_SUPPLY, PRICE_SCALE
from node.engine.account import Account
from node.engine.book_side import BookSide
from node.engine.fee_revenue import share_out
from node.engine.group_rooms import GroupRooms
from node.engine.grouping import count_fill, living, most_to_fill
from node.engine.guarding import pause
from node.engine.ledger import change_collateral, pair_off, settle
from node.engine.market import Market
from node.engine.order import Order
from node.engine.placement import Placement
from node.engine.price_level import PriceLevel
from node.engine.purse import affordable
from node.engine.removal import close_quietly, forget
from node.engine.state import State


def best_crossing(makers: BookSide, price: i64) -> PriceLevel | None:
    """Return the best level of `makers` that an order at this YES price trades with, or None."""
    best = makers.best
    if best < price if makers.is_bid else best > price:
        return None
    return makers.level(best)


def match(state: State, taker: Order) -> None:
    """Fill `taker`, best price and oldest order first, until `taker.stop` says why no more.

    Every maker that is touched counts against the fill limit, whether it fills, is the taker's own,
    or is already doomed.
    """
    market = taker.position.market
    makers = market.makers_for(taker.is_bid)
    touches: i64 = state.limits[FILLS_PER_ORDER]
    while taker.leaves > 0 and taker.stop == 0:
        level = best_crossing(makers, taker.book_price)
        if level is None:
            break
        if touches == 0:
            taker.stop = CLOSE_BY_FILL_LIMIT
            break
        touches = take(state, market, level, taker, touches)


def take(state: State, market: Market, level: PriceLevel, taker: Order, touches: i64) -> i64:
    """Fill `taker` from one level, oldest maker first; return the touches that remain.

    A level that keeps its lots has nothing to publish: a taker that meets its own first, say, or
    that can pay for none.
    """
    before = level.lots
    while taker.leaves > 0 and touches > 0 and taker.stop == 0:
        maker = level.head
        if maker is None:
            break
        touches -= 1
        if maker.is_dead(state.stamp_ns):
            close_quietly(state, maker, maker.reason_of_death(state.stamp_ns))
        elif maker.account is taker.account:
            meet_own(state, maker, taker)
        else:
            trade_with(state, market, level, maker, taker)
    if level.lots != before:
        state.writer.depth(market, level.price, ASK if taker.is_bid else BID, level.lots)
    return touches


def meet_own(state: State, maker: Order, taker: Order) -> None:
    """Prevent a trade of an account with itself, in the way that the taker asks for."""
    if taker.self_trade != CANCEL_TAKER:
        close_quietly(state, maker, CLOSE_BY_SELF_TRADE)
    if taker.self_trade != CANCEL_RESTING:
        taker.stop = CLOSE_BY_SELF_TRADE


def trade_with(state: State, market: Market, level: PriceLevel, maker: Order, taker: Order) -> None:
    """Let two orders trade what the taker can pay, unless that would move the price too far."""
    most = min(maker.leaves, taker.leaves)
    grouped = maker.membership is not None or taker.membership is not None
    if grouped:
        most = most_to_fill(state, maker, taker)
    lots = size_of_fill(maker, taker, most)
    if lots == 0:
        return
    watch = market.watch
    if watch is None:
        fill(state, market, level, maker, taker, lots)
    elif watch.span(state.stamp_ns).admits(level.price):
        fill(state, market, level, maker, taker, lots)
        state.touch(watch.page)
        watch.note(level.price, state.stamp_ns)
    else:
        pause(state, market, level.price)
        taker.stop = CLOSE_BY_HALT
        return
    if grouped:
        count_fill(state, maker, taker, lots)


def size_of_fill(maker: Order, taker: Order, most: i64) -> i64:
    """Return how many of `most` lots the two exchange; a taker that can pay no more is stopped."""
    if taker.budget > MAX_SUPPLY:
        return most
    paid = affordable(taker, maker.book_price, most)
    if paid < most:
        taker.stop = CLOSE_BY_SPENDING
    return paid


def fill(
    state: State, market: Market, level: PriceLevel, maker: Order, taker: Order, lots: i64
) -> None:
    """Execute one fill at the maker's price."""
    level.lots -= lots
    execute(state, market, level.price, maker, taker, lots, called=False)


def execute(
    state: State,
    market: Market,
    price: i64,
    maker: Order,
    taker: Order,
    lots: i64,
    *,
    called: bool,
) -> None:
    """Settle both sides of one fill; those that a call auction has brought together both rest.

    They pay what makers pay, and neither has a share in what the other does. The lots of levels are
    for the caller to count.
    """
    writer = state.writer
    treasury = state.treasury
    state.touch_owner(maker.position)
    state.touch_owner(taker.position)
    state.touch(market.page)
    state.touch_collateral(market)
    state.orders.touch(maker)
    if called:
        state.orders.touch(taker)
    kind = match_kind(maker.intent, taker.intent)
    if kind == MINT:
        change_collateral(market, PRICE_SCALE * lots, treasury)
    elif kind == MERGE:
        change_collateral(market, -PRICE_SCALE * lots, treasury)
    fill_id = state.next_fill_id()
    maker_fee = settle(maker, price, lots, maker.schedule.maker_bps)
    schedule = taker.schedule
    taker_fee = settle(taker, price, lots, schedule.maker_bps if called else schedule.taker_bps)
    charge_agent(state, maker, price, lots, maker_fee)
    charge_agent(state, taker, price, lots, taker_fee)
    market.volume = min(market.volume + lots, MAX_SUPPLY)  # A statistic: it saturates.
    writer.fill(fill_id, price, kind, lots, maker, taker, BID if taker.is_bid else ASK)
    writer.order_filled(maker, price, lots, fill_id, maker_fee, CALLED if called else MAKER)
    writer.order_filled(taker, price, lots, fill_id, taker_fee, CALLED if called else TAKER)
    if called:
        maker_fee += taker_fee
        taker_fee = 0
    if maker_fee + taker_fee > 0:
        share_out(state, maker, maker_fee, taker_fee, fill_id)
    if maker.leaves == 0:
        forget(state, maker)
    if called and taker.leaves == 0:
        forget(state, taker)
    pair_off(maker.position, treasury)
    pair_off(taker.position, treasury)


def charge_agent(state: State, order: Order, price: i64, lots: i64, fee: i64) -> None:
    """Count what a fill has cost towards the budget of the agent that placed the order."""
    placer = order.placer
    if placer is None or not order.is_buy:
        return
    agent = placer.agent
    if agent is not None:
        state.touch(agent.page)
        agent.spending.add(state.stamp_ns, order.own_price(price) * lots + fee)


def match_kind(maker_intent: i64, taker_intent: i64) -> i64:
    """Return TRANSFER, MINT or MERGE for two orders on opposite sides of the book."""
    maker_buys = maker_intent == BUY_YES or maker_intent == BUY_NO
    taker_buys = taker_intent == BUY_YES or taker_intent == BUY_NO
    if maker_buys != taker_buys:
        return TRANSFER
    return MINT if maker_buys else MERGE


def would_cross(
    state: State, makers: BookSide, price: i64, leaving: list[Order] | None = None
) -> bool:
    """Return whether a post-only order would trade, or would touch too many that are doomed.

    Orders that are `leaving` are as good as gone.
    """
    touches: i64 = state.limits[FILLS_PER_ORDER]
    level = best_crossing(makers, price)
    while level is not None:
        maker = level.head
        while maker is not None:
            if leaving is None or maker not in leaving:
                if touches == 0 or not maker.is_dead(state.stamp_ns):
                    return True
                touches -= 1
            maker = maker.behind
        level = next_crossing(makers, price, level.price)
    return False


def can_fill(
    state: State,
    market: Market,
    account: Account,
    placement: Placement,
) -> bool:
    """Return whether others' living orders can fill all of it at once.

    Within the fill limit and those of groups, and before the price has moved so far that the market
    pauses.
    """
    touches: i64 = state.limits[FILLS_PER_ORDER]
    needed = placement.lots
    price = placement.book_price
    makers = market.makers_for(placement.is_bid)
    watch = market.watch
    span = None if watch is None else watch.span(state.stamp_ns)
    rooms = GroupRooms(state.stamp_ns)
    if rooms.of_group(living(state, account.number, placement.group)) < needed:
        return False
    level = best_crossing(makers, price)
    while level is not None:
        maker = level.head
        while maker is not None:
            if touches == 0:
                return False
            touches -= 1
            if not maker.is_dead(state.stamp_ns):
                if maker.account is not account:
                    lots = min(maker.leaves, rooms.of_order(maker))
                    if lots > 0 and span is not None and not span.admits(level.price):
                        return False
                    rooms.take(maker, lots)
                    needed -= lots
                    if needed <= 0:
                        return True
                elif placement.self_trade != CANCEL_RESTING:
                    return False
            maker = maker.behind
        level = next_crossing(makers, price, level.price)
    return False


def next_crossing(makers: BookSide, price: i64, behind: i64) -> PriceLevel | None:
    """Return the level that an order would trade with after the one at `behind`, or None."""
    following = makers.worse(behind)
    if following < price if makers.is_bid else following > price:
        return None
    return makers.level(following)
