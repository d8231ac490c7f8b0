"""Amending a resting order: another price, another size, the same order.

A size is the whole size of the order, so what fills before the command is executed counts: an
amendment that comes late cannot buy more than it says. Every check comes before the first change.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.engine import ledger
from node.engine.cancelling import find_order
from node.engine.fees import largest_fee
from node.engine.matching import would_cross
from node.engine.order import Order
from node.engine.outcome import Outcome
from node.engine.placement import Placement
from node.engine.placing import check_terms, check_uncrossed, is_worthless, trade
from node.engine.removal import close, free_and_report, publish, take_off, unlist
from node.engine.risk import check_change
from node.engine.state import State


def amend(state: State, placement: Placement, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Change a resting order's price and total size.

    It keeps its place when its price stays and it does not grow; else it enters as the newest, and
    may fill on arrival. A size that has already filled closes it.
    """
    order = find_living(state, frame, at)
    if order is None:
        return Code.UNKNOWN_ORDER
    price = read_i64_le(frame, at + layout.AMEND_PRICE) & 0xFFFFFFFF
    placement.follow(order)
    placement.change(price, read_i64_le(frame, at + layout.AMEND_LOTS))
    leaves = placement.lots - (order.lots - order.leaves)
    keeps_place = placement.price == order.price and placement.lots <= order.lots
    code = check_terms(state, placement, order.account, order.position.market)
    if code is not Code.OK:
        return code
    if leaves > 0 and not keeps_place:
        code = check_change(state, placement, order, leaves)
        if code is not Code.OK:
            return code
        fee = largest_fee(order.schedule, placement.price, leaves, order.fee_whole, order.fee_rest)
        code = check_entry(state, placement, order, leaves, placement.price * leaves + fee)
        if code is not Code.OK:
            return code
    outcome.result = order.id
    if leaves <= 0:
        close(state, order, terms.CLOSE_BY_AMEND)
    elif keeps_place:
        lots = order.leaves - leaves
        level = take_off(state, order, lots)
        state.writer.order_amended(order, True)
        if lots > 0:
            publish(state, order, level)
    else:
        outcome.filled = enter_again(state, order, placement, leaves)
    return Code.OK


def find_living(state: State, frame: bytes, at: i64) -> Order | None:
    """Return the resting order that a frame names, unless it has expired or is doomed."""
    order = find_order(state, frame, at)
    if order is None or order.is_dead(state.stamp_ns):
        return None
    return order


def check_entry(state: State, placement: Placement, order: Order, leaves: i64, cost: i64) -> Code:
    """Check that `leaves` lots may enter at the placement's price in the order's stead.

    What it has locked is theirs; `cost` is what they need if they buy.
    """
    makers = order.position.market.makers_for(placement.is_bid)
    if placement.time_in_force == terms.POST_ONLY and would_cross(
        state, makers, placement.book_price
    ):
        return Code.WOULD_CROSS
    if is_worthless(state, placement, order.position.market, leaves):
        return Code.VALUE_BELOW_MINIMUM
    if order.is_buy:
        has = order.account.cash_free + order.cash_locked
        return Code.OK if has >= cost else Code.INSUFFICIENT_FUNDS
    position = order.position
    free = position.yes_free if order.is_yes else position.no_free
    return Code.OK if free + order.leaves >= leaves else Code.INSUFFICIENT_SHARES


def enter_again(state: State, order: Order, placement: Placement, leaves: i64) -> i64:
    """Take an order out of its book and enter it as the newest; return the lots that filled."""
    position = order.position
    market = position.market
    state.touch_all(position)
    state.orders.touch(order)
    level = market.book.remove(order)
    order.priority = state.next_order_id()
    ledger.release(order, order.leaves)
    order.reprice(placement.price)
    order.lots = placement.lots
    order.leaves = leaves
    ledger.lock(order)
    ledger.pair_off(position, state.treasury)
    state.writer.order_amended(order, False)
    publish(state, order, level)
    reason = trade(state, order)
    filled = leaves - order.leaves
    if order.leaves == 0:
        unlist(state, order)
    elif reason == 0:
        state.stand(order)
        check_uncrossed(order)
    else:
        unlist(state, order)
        free_and_report(state, order, order.leaves, reason)
    return filled
