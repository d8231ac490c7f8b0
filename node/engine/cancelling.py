"""Taking orders out: one, all of an account's, and a part of one.

Each handler makes every check before the first change and returns a `Code`.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.engine.account import Account
from node.engine.order import Order
from node.engine.outcome import Outcome
from node.engine.pausing import check_halt, check_pause
from node.engine.position import Position
from node.engine.removal import close, publish, take_off
from node.engine.state import State
from node.engine.sweep import CANCEL_ACCOUNT, CANCEL_POSITION


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


def cancel_all(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Close the account's orders, in one market or all.

    Beyond the limit per command, doom and sweep them. In all markets is what it says: only a halt
    of the venue or the account stops it, those of markets and events do not.
    """
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    number = (ids >> 32) & 0xFFFFFFFF
    budget: i64 = state.limits[limits.CANCELS_PER_COMMAND]
    watermark = state.id_base + state.treasury.orders + 1
    if number == 0:
        code = check_halt(state, account)
        if code is not Code.OK:
            return code
        return cancel_account(state, account, budget, watermark, outcome)
    market = state.market(number)
    if market is None:
        return Code.UNKNOWN_MARKET
    code = check_pause(state, account, market, terms.PAUSE_HALTED)
    if code is not Code.OK:
        return code
    position = account.positions.get(number)
    if position is None:
        return Code.OK
    outcome.filled = cancel_position(state, position, budget, watermark)
    if position.first_order is not None:
        state.touch(position.page)
        position.watermark = watermark
        state.add_sweep(CANCEL_POSITION, account.number, number)
    return Code.OK


def cancel_account(
    state: State, account: Account, budget: i64, watermark: i64, outcome: Outcome
) -> Code:
    """Close orders in all of the account's markets."""
    closed: i64 = 0
    for position in account.position_list[:budget]:
        if closed >= budget or account.order_count == 0:
            break
        closed += cancel_position(state, position, budget - closed, watermark)
    outcome.filled = closed
    if account.order_count > 0:
        state.touch(account.page)
        account.watermark = watermark
        sweep = state.add_sweep(CANCEL_ACCOUNT, account.number, 0)
        sweep.cursor = len(account.position_list)
    return Code.OK


def cancel_position(state: State, position: Position, budget: i64, watermark: i64) -> i64:
    """Close up to `budget` of the position's orders with ids under `watermark`; return how many."""
    closed: i64 = 0
    while closed < budget:
        order = position.first_order
        if order is None or order.id >= watermark:
            break
        close(state, order, terms.CLOSE_BY_CANCEL_ALL)
        closed += 1
    return closed
