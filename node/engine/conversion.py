"""Exclusive events: NO of some outcomes is cash and YES of all the others.

For y and n the YES and NO held of each outcome, what an exclusive event owes when outcome w wins is
y of w and n of all others. It is the same for every w, and stays so: a complete set adds 1 to both
y and n of one outcome; a conversion of m outcomes takes 1 from n of those, adds 1 to y of the rest,
and so lowers what is owed by m - 1, which is what it pays; YES of all outcomes is worth 1.
"""

from typing import Final

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.identifiers import OUTCOMES_SIZE
from node.domain.units import PRICE_SCALE
from node.engine import ledger
from node.engine.account import Account
from node.engine.book_side import bit
from node.engine.market import Event
from node.engine.outcome import Outcome
from node.engine.pausing import code_of_level, pause_level
from node.engine.risk import check_gain, is_reduce_only, net_of, positions_allowed
from node.engine.session import Key
from node.engine.state import State

BITS: Final = 32
"""Bits of the map that are read at a time; a word's 64th would be its sign."""


def is_outcome_named(frame: bytes, start: i64, ordinal: i64) -> bool:
    """Return whether the map of outcomes at `start` has an ordinal's bit."""
    # Bytes follow each other, and so do bits, lowest first.
    word = read_i64_le(frame, start + (ordinal // BITS // 2) * 8)
    half = (word >> 32) & 0xFFFFFFFF if (ordinal // BITS) % 2 == 1 else word & 0xFFFFFFFF
    return half & bit(ordinal % BITS) != 0


def count_outcomes(event: Event, frame: bytes, start: i64) -> i64:
    """Return how many outcomes of the event the map names; 0 if it names one beyond them."""
    count: i64 = 0
    ordinal: i64 = 0
    while ordinal < 8 * OUTCOMES_SIZE:
        if is_outcome_named(frame, start, ordinal):
            if ordinal >= len(event.markets):
                return 0
            count += 1
        ordinal += 1
    return count


def check_event(state: State, account: Account, event: Event, stopping: i64) -> Code:
    """Check that an exclusive event is one pool, wholly unsettled, and not paused for this.

    With a single outcome YES would be certain and NO worth nothing: nothing is converted there.
    """
    level = pause_level(state, account, event, None)
    for market in event.markets:
        pause = market.pause
        if pause is not None and pause.level > level:
            level = pause.level
    if level >= stopping:
        return code_of_level(level)
    if event.exclusive == 0 or len(event.markets) < 2:
        return Code.EVENT_NOT_EXCLUSIVE
    return Code.OK if event.settled == 0 else Code.EVENT_SETTLED


def convert(state: State, key: Key, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Turn free NO of m outcomes into (m - 1) USDC a share and YES of every other outcome."""
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    lots = read_i64_le(frame, at + layout.CONVERT_LOTS)
    start = at + layout.CONVERT_OUTCOMES
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    if account.stop is not None:
        return Code.ACCOUNT_STOPPED
    event = state.event((ids >> 32) & 0xFFFFFFFF)
    if event is None:
        return Code.UNKNOWN_EVENT
    code = check_event(state, account, event, terms.PAUSE_CANCEL_ONLY)
    if code is not Code.OK:
        return code
    count = count_outcomes(event, frame, start)
    if count == 0:
        return Code.OUTCOMES_INVALID
    most: i64 = state.limits[limits.LOTS_PER_ORDER]
    if lots < 1 or lots > most:
        return Code.SIZE_OUT_OF_RANGE
    # NO that goes makes an account as much longer in its market as YES that comes.
    for market in event.markets:
        code = check_gain(key, account, market, lots)
        if code is not Code.OK:
            return code
    code = check_holdings(state, account, event, frame, start, lots)
    if code is not Code.OK:
        return code
    cash = (count - 1) * PRICE_SCALE * lots
    exchange(state, account, event, frame, start, lots)
    ledger.pay_from_event(account, event, cash, state.treasury)
    state.writer.converted(account, event, lots, cash, frame[start : start + OUTCOMES_SIZE])
    outcome.result = cash
    return Code.OK


def check_holdings(
    state: State, account: Account, event: Event, frame: bytes, start: i64, lots: i64
) -> Code:
    """Check that the account has room for what it gets, and what it gives."""
    places: i64 = len(account.position_list)
    has_shares = True
    for ordinal, market in enumerate(event.markets):
        position = account.positions.get(market.number)
        if not is_outcome_named(frame, start, ordinal):
            if position is None:
                places += 1
        elif position is None or position.no_free < lots:
            has_shares = False
    most = positions_allowed(state, account)
    if places > most and places > len(account.position_list):
        return Code.TOO_MANY_POSITIONS
    return Code.OK if has_shares else Code.INSUFFICIENT_SHARES


def exchange(
    state: State, account: Account, event: Event, frame: bytes, start: i64, lots: i64
) -> None:
    """Take the NO that is named and give the YES that is not."""
    for ordinal, market in enumerate(event.markets):
        position = state.position(account, market)
        state.touch_all(position)
        named = is_outcome_named(frame, start, ordinal)
        ledger.convert(position, lots, named, state.treasury)


def merge_outcomes(state: State, frame: bytes, at: i64) -> Code:
    """Turn free YES of all outcomes into 1 USDC a share.

    A reduce-only account keeps the shares that its open orders are to take off.
    """
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    lots = read_i64_le(frame, at + layout.OUTCOMES_LOTS)
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    event = state.event((ids >> 32) & 0xFFFFFFFF)
    if event is None:
        return Code.UNKNOWN_EVENT
    code = check_event(state, account, event, terms.PAUSE_HALTED)
    if code is not Code.OK:
        return code
    most: i64 = state.limits[limits.LOTS_PER_ORDER]
    if lots < 1 or lots > most:
        return Code.SIZE_OUT_OF_RANGE
    for market in event.markets:
        position = account.positions.get(market.number)
        if position is None or position.yes_free < lots:
            return Code.INSUFFICIENT_SHARES
        if is_reduce_only(account) and net_of(position, False) + lots > 0:
            return Code.REDUCE_ONLY
    for market in event.markets:
        position = state.position(account, market)
        state.touch_all(position)
        ledger.give_up_outcome(position, lots)
    ledger.pay_from_event(account, event, PRICE_SCALE * lots, state.treasury)
    state.writer.outcomes_merged(account, event, lots)
    return Code.OK
