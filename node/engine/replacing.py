"""Replacing a resting order by another under a new client order id, in one step or not at all.

A size is the whole size of both: what the old order has filled counts against the new one. When the
old order is gone, nothing is entered. So however late the command is, the two together never fill
more than it says.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.engine import ledger
from node.engine.amending import check_entry, find_living
from node.engine.order import Order
from node.engine.outcome import Outcome
from node.engine.placement import Placement
from node.engine.placing import check_terms, enter, make_order
from node.engine.removal import close, forget
from node.engine.risk import check_change
from node.engine.state import State


def replace(state: State, placement: Placement, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Take an order out and enter what is left of the given size as a new one.

    The new order has the old one's intent, time in force, expiry, flags and group. A size that has
    already filled enters nothing: the result is 0.
    """
    old = find_living(state, frame, at)
    if old is None:
        return Code.UNKNOWN_ORDER
    price = read_i64_le(frame, at + layout.REPLACE_PRICE) & 0xFFFFFFFF
    placement.follow(old)
    placement.change(price, read_i64_le(frame, at + layout.REPLACE_LOTS))
    placement.client_order_id = read_i64_le(frame, at + layout.REPLACE_NEW_CLIENT_ORDER_ID)
    leaves = placement.lots - (old.lots - old.leaves)
    code = check_replacement(state, placement, old, leaves)
    if code is not Code.OK:
        return code
    if leaves <= 0:
        close(state, old, terms.CLOSE_BY_REPLACE)
        return Code.OK
    take_out(state, old)
    order = make_order(state, placement, old.account, old.position.market)
    order.leaves = leaves
    ledger.lock(order)
    ledger.pair_off(order.position, state.treasury)
    outcome.result = order.id
    outcome.filled = enter(state, order)
    return Code.OK


def check_replacement(state: State, placement: Placement, old: Order, leaves: i64) -> Code:
    """Check the new order's terms, name, place in the book, and means beside those of the old."""
    market = old.position.market
    code = check_terms(state, placement, old.account, market)
    if code is not Code.OK:
        return code
    if placement.client_order_id < 1:
        return Code.CLIENT_ORDER_ID_INVALID
    if placement.client_order_id in old.account.orders_by_client:
        return Code.CLIENT_ORDER_ID_IN_USE
    if leaves <= 0:
        return Code.OK
    code = check_change(state, placement, old, leaves)
    if code is not Code.OK:
        return code
    cost = ledger.collateral_to_lock(placement.price, leaves, market.rules.schedule)
    return check_entry(state, placement, old, leaves, cost)


def take_out(state: State, old: Order) -> None:
    """Close an order whose place another takes; its shares are not paired off before that."""
    position = old.position
    state.touch_all(position)
    level = forget(state, old)
    leaves = old.leaves
    ledger.release(old, leaves)
    state.writer.order_closed(old, leaves, terms.CLOSE_BY_REPLACE)
    side = terms.BID if old.is_bid else terms.ASK
    state.writer.depth(position.market, level.price, side, level.lots)
