"""Opening and closing times of markets: each is a timer, and a record says when."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.engine.market import Market
from node.engine.market_times import MarketTimes
from node.engine.state import State
from node.engine.timer import CLOSING, OPENING


def set_market_times(state: State, frame: bytes, at: i64) -> Code:
    """Set or clear (0) when a market opens and closes by itself."""
    market = state.market(read_i64_le(frame, at + layout.TIMES_MARKET) & 0xFFFFFFFF)
    opens_at = read_i64_le(frame, at + layout.TIMES_OPENS_AT)
    closes_at = read_i64_le(frame, at + layout.TIMES_CLOSES_AT)
    if market is None:
        return Code.UNKNOWN_MARKET
    if not market.is_alive or (opens_at != 0 and market.state == terms.OPEN):
        return Code.MARKET_STATE_INVALID
    if opens_at != 0 and opens_at <= state.stamp_ns:
        return Code.TIMES_INVALID
    if closes_at != 0 and (closes_at <= state.stamp_ns or closes_at <= opens_at):
        return Code.TIMES_INVALID
    set_times(state, market, opens_at, closes_at)
    return Code.OK


def set_times(state: State, market: Market, opens_at: i64, closes_at: i64) -> None:
    """Have a market open and close at these times instead of those that it had."""
    times = market.times
    if times is None:
        if opens_at == 0 and closes_at == 0:
            return
        times = MarketTimes(market.number)
        times.page = state.life_pages.times.put(market.number, times)
        market.times = times
    if opens_at == times.opens_at and closes_at == times.closes_at:
        return
    state.touch(times.page)
    times.opens_at = opens_at
    times.closes_at = closes_at
    state.set_timer(OPENING, market.number, opens_at)
    state.set_timer(CLOSING, market.number, closes_at)
    if opens_at == 0 and closes_at == 0:
        state.life_pages.times.drop(market.number)
        market.times = None
    state.touch(market.page)
    state.writer.market_times_set(market, opens_at, closes_at)


def opened(state: State, market: Market) -> None:
    """Forget the opening time of a market that has opened, by itself or by command."""
    times = market.times
    if times is not None:
        set_times(state, market, 0, times.closes_at)


def closed(state: State, market: Market) -> None:
    """Forget the times of a market that has closed, by itself or by command."""
    set_times(state, market, 0, 0)
