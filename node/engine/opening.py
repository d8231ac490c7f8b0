"""Opening a market, by command or by the clock: at once, or by uncrossing what is called."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.engine import market_timing
from node.engine.auction import can_be_called, end_call
from node.engine.lifecycle import move
from node.engine.market import Market
from node.engine.state import State


def open_market(state: State, frame: bytes, at: i64) -> Code:
    """Let a new or halted market take orders, or end its call phase."""
    market = state.market(read_i64_le(frame, at + layout.LIFECYCLE_MARKET) & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    return open_now(state, market)


def open_on_time(state: State, number: i64) -> None:
    """Open a market whose time has come, if it is still one that can open."""
    market = state.market(number)
    assert market is not None
    open_now(state, market)
    market_timing.opened(state, market)


def open_now(state: State, market: Market) -> Code:
    """Open a market that can open; it has no time for that any more."""
    code = Code.MARKET_STATE_INVALID
    if market.state == terms.AUCTION:
        code = end_call(state, market)
    elif can_be_called(market):
        code = move(state, market, terms.OPEN) if market.is_named else Code.OUTCOME_UNNAMED
    if code is Code.OK:
        market_timing.opened(state, market)
    return code
