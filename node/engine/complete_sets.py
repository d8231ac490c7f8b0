"""What an account does with complete sets and with the shares of a settled market."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.units import PRICE_SCALE
from node.engine import ledger
from node.engine.account import Account
from node.engine.market import Market
from node.engine.outcome import Outcome
from node.engine.pausing import check_pause
from node.engine.position import Position
from node.engine.risk import is_reduce_only, positions_allowed
from node.engine.state import State


def split(state: State, frame: bytes, at: i64) -> Code:
    """Turn free cash into complete sets."""
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    lots = read_i64_le(frame, at + layout.SETS_LOTS)
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    if account.is_net:
        return Code.SPLIT_IN_NET_MODE
    if account.stop is not None:
        return Code.ACCOUNT_STOPPED
    market = state.market((ids >> 32) & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if market.state != terms.OPEN and market.state != terms.AUCTION:
        return Code.MARKET_NOT_OPEN
    code = check_pause(state, account, market, terms.PAUSE_CANCEL_ONLY)
    if code is Code.OK:
        code = check_split(state, account, market, lots)
    if code is not Code.OK:
        return code
    if account.cash_free < PRICE_SCALE * lots:
        return Code.INSUFFICIENT_FUNDS
    position = state.position(account, market)
    state.touch_all(position)
    ledger.split(position, lots, state.treasury)
    state.writer.sets_changed(account, market, lots)
    return Code.OK


def check_split(state: State, account: Account, market: Market, lots: i64) -> Code:
    """Check a split's size, and that the account may hold sets of the market."""
    most: i64 = state.limits[limits.LOTS_PER_ORDER]
    if lots < 1 or lots > most:
        return Code.SIZE_OUT_OF_RANGE
    most_positions = positions_allowed(state, account)
    if len(account.position_list) >= most_positions and market.number not in account.positions:
        return Code.TOO_MANY_POSITIONS
    if market.stop is not None:
        return Code.MARKET_STOPPED
    if is_reduce_only(account):
        return Code.REDUCE_ONLY
    return Code.OK


def merge(state: State, frame: bytes, at: i64) -> Code:
    """Turn free complete sets into cash, for as long as the market has no price."""
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    lots = read_i64_le(frame, at + layout.SETS_LOTS)
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    market = state.market((ids >> 32) & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if market.is_settled:
        return Code.MARKET_STATE_INVALID
    code = check_pause(state, account, market, terms.PAUSE_HALTED)
    if code is not Code.OK:
        return code
    most: i64 = state.limits[limits.LOTS_PER_ORDER]
    if lots < 1 or lots > most:
        return Code.SIZE_OUT_OF_RANGE
    position = account.positions.get(market.number)
    if position is None or min(position.yes_free, position.no_free) < lots:
        return Code.INSUFFICIENT_SHARES
    state.touch_all(position)
    ledger.merge(position, lots, state.treasury)
    state.writer.sets_changed(account, market, -lots)
    return Code.OK


def redeem(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Pay out a position in a resolved market, ahead of the sweep that pays everybody."""
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    number = (ids >> 32) & 0xFFFFFFFF
    market = state.market(number)
    if market is None:
        return Code.UNKNOWN_MARKET
    if not market.is_settled:
        return Code.MARKET_NOT_RESOLVED
    code = check_pause(state, account, market, terms.PAUSE_HALTED)
    if code is not Code.OK:
        return code
    position = account.positions.get(number)
    if position is None or (position.yes_free == 0 and position.no_free == 0):
        return Code.NOTHING_TO_REDEEM
    outcome.result = pay_out(state, position)
    return Code.OK


def pay_out(state: State, position: Position) -> i64:
    """Redeem a position that holds something and say so; return the micro-USDC paid."""
    market = position.market
    state.touch_all(position)
    yes = position.yes_free
    no = position.no_free
    paid = ledger.redeem(position, state.treasury)
    state.writer.redeemed(position.account, market, yes, no, paid)
    return paid
