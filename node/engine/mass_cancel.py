"""Cancelling many: an account's orders in a market, an event or everywhere, on one side or both.

A command closes so many orders at once; the rest is doomed by a watermark a side, trades no more,
and is swept. Every check comes before the first change.
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
from node.engine.removal import close
from node.engine.state import State
from node.engine.sweep import CANCEL_ACCOUNT, CANCEL_POSITION


def cancel_all(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Close the account's orders in a scope; `filled` is how many are closed at once.

    What lies inside a scope does not stop it: a cancel everywhere is stopped by a halt of the venue
    or the account only, one in an event also by a halt of that.
    """
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    scope = read_i64_le(frame, at + layout.CANCEL_ALL_EVENT)
    side = (scope >> 32) & 0xFFFFFFFF
    market = (ids >> 32) & 0xFFFFFFFF
    event = scope & 0xFFFFFFFF
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    if side > terms.ASK:
        return Code.SIDE_INVALID
    if market != 0 and event != 0:
        return Code.SCOPE_INVALID
    if market != 0:
        return cancel_in_market(state, account, market, side, outcome)
    if event != 0:
        return cancel_in_event(state, account, event, side, outcome)
    return cancel_everywhere(state, account, side, outcome)


def cancel_in_market(
    state: State, account: Account, number: i64, side: i64, outcome: Outcome
) -> Code:
    """Close the account's orders in one market."""
    market = state.market(number)
    if market is None:
        return Code.UNKNOWN_MARKET
    code = check_pause(state, account, market, terms.PAUSE_HALTED)
    if code is not Code.OK:
        return code
    position = account.positions.get(number)
    if position is not None:
        cancel_or_doom(state, position, side, outcome)
    return Code.OK


def cancel_in_event(
    state: State, account: Account, number: i64, side: i64, outcome: Outcome
) -> Code:
    """Close the account's orders in every market of an event."""
    event = state.event(number)
    if event is None:
        return Code.UNKNOWN_EVENT
    code = check_halt(state, account, event)
    if code is not Code.OK:
        return code
    for market in event.markets:
        position = account.positions.get(market.number)
        if position is not None:
            cancel_or_doom(state, position, side, outcome)
    return Code.OK


def cancel_or_doom(state: State, position: Position, side: i64, outcome: Outcome) -> None:
    """Close what is left of the command's limit in one position; doom what remains."""
    cancel_side(state, position, side, outcome)
    if oldest_on(position, side) is None:
        return
    watermark = state.next_watermark()
    state.touch(position.page)
    if side != terms.ASK:
        position.bids.watermark = watermark
    if side != terms.BID:
        position.asks.watermark = watermark
    state.add_sweep(CANCEL_POSITION, position.account.number, position.market.number)


def cancel_everywhere(state: State, account: Account, side: i64, outcome: Outcome) -> Code:
    """Close orders in all of the account's markets; doom what remains."""
    code = check_halt(state, account, None)
    if code is not Code.OK:
        return code
    budget: i64 = state.limits[limits.CANCELS_PER_COMMAND]
    for position in account.position_list[:budget]:
        if outcome.filled >= budget or count_on(account, side) == 0:
            break
        cancel_side(state, position, side, outcome)
    if count_on(account, side) == 0:
        return Code.OK
    watermark = state.next_watermark()
    state.touch(account.page)
    if side != terms.ASK:
        account.bid_watermark = watermark
    if side != terms.BID:
        account.ask_watermark = watermark
    sweep_everywhere(state, account)
    return Code.OK


def sweep_everywhere(state: State, account: Account) -> None:
    """Queue a sweep of the account's doomed orders, unless one waits that has not begun.

    However often it is said, an account has two such sweeps at most: others wait behind them.
    """
    sweep = state.sweeps.get(account.cancel_sweep)
    if sweep is None or sweep.number == state.sweep_head:
        sweep = state.add_sweep(CANCEL_ACCOUNT, account.number, 0)
        account.cancel_sweep = sweep.number
    state.touch(sweep.page)
    sweep.cursor = len(account.position_list)


def cancel_side(state: State, position: Position, side: i64, outcome: Outcome) -> None:
    """Close the position's orders on a side, oldest first, within the command's limit."""
    budget: i64 = state.limits[limits.CANCELS_PER_COMMAND]
    while outcome.filled < budget:
        order = oldest_on(position, side)
        if order is None:
            break
        close(state, order, terms.CLOSE_BY_CANCEL_ALL)
        outcome.filled += 1


def count_on(account: Account, side: i64) -> i64:
    """Return how many orders rest on a side, 0 for both."""
    if side == terms.BID:
        return account.bid_count
    if side == terms.ASK:
        return account.order_count - account.bid_count
    return account.order_count


def oldest_on(position: Position, side: i64) -> Order | None:
    """Return the oldest resting order on a side, 0 for both."""
    if side == terms.BID:
        return position.bids.first
    if side == terms.ASK:
        return position.asks.first
    return position.oldest()


def sweep_cancelled(state: State, position: Position, budget: i64) -> i64:
    """Close the position's doomed orders, oldest first; return what is left of the budget."""
    while budget > 0:
        order = oldest_cancelled(position)
        if order is None:
            break
        close(state, order, terms.CLOSE_BY_CANCEL_ALL)
        budget -= 1
    return budget


def oldest_cancelled(position: Position) -> Order | None:
    """Return the oldest order that is under its side's watermark."""
    bid = position.bids.first
    ask = position.asks.first
    if bid is not None and not bid.is_cancelled():
        bid = None
    if ask is None or not ask.is_cancelled():
        return bid
    return ask if bid is None or ask.id < bid.id else bid
