"""Taking an order out, or a part of one.

Each handler makes every check before the first change and returns a `Code`.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.engine.order import Order
from node.engine.outcome import Outcome
from node.engine.pausing import check_pause
from node.engine.removal import close, publish, take_off
from node.engine.state import State


def find_order(state: State, frame: bytes, at: i64) -> Order | None:
    """Return the account's resting order that a frame names, by order id or client order id."""
    account = state.account(read_i64_le(frame, at + layout.ACCOUNT) & 0xFFFFFFFF)
    if account is None:
        return None
    order_id = read_i64_le(frame, at + layout.TARGET_ORDER_ID)
    if order_id == 0:
        return account.orders_by_client.get(read_i64_le(frame, at + layout.TARGET_CLIENT_ORDER_ID))
    order = state.orders.get(order_id)
    if order is None or order.account is not account:
        return None
    return order


def cancel(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Close one resting order."""
    order = find_order(state, frame, at)
    if order is None:
        return Code.UNKNOWN_ORDER
    code = check_pause(state, order.account, order.position.market, terms.PAUSE_HALTED)
    if code is not Code.OK:
        return code
    outcome.result = order.id
    close(state, order, terms.CLOSE_BY_USER)
    return Code.OK


def reduce(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Take lots off a resting order, which keeps its place; close it when nothing is left."""
    lots = read_i64_le(frame, at + layout.REDUCE_LOTS)
    order = find_order(state, frame, at)
    if order is None:
        return Code.UNKNOWN_ORDER
    code = check_pause(state, order.account, order.position.market, terms.PAUSE_HALTED)
    if code is not Code.OK:
        return code
    if lots < 1:
        return Code.SIZE_OUT_OF_RANGE
    outcome.result = order.id
    if lots >= order.leaves:
        close(state, order, terms.CLOSE_BY_REDUCE)
        return Code.OK
    level = take_off(state, order, lots)
    state.writer.order_reduced(order, lots)
    publish(state, order, level)
    return Code.OK
