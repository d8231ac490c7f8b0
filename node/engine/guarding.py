"""Guarding a market: pausing it when its price moves too far, and opening it again by the clock."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.domain.records import WATCH_SLICES
from node.domain.units import MAX_PRICE, MAX_SPAN
from node.engine import pausing
from node.engine.market import Market
from node.engine.outcome import Outcome
from node.engine.price_watch import PriceWatch
from node.engine.state import State
from node.engine.timer import CALLING, REOPEN


def set_guards(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Set a market's band and pauses, all in one; what the window has seen is forgotten."""
    first = read_i64_le(frame, at + layout.GUARDS_SET_MARKET)
    second = read_i64_le(frame, at + layout.GUARDS_SET_BAND)
    window_ns = read_i64_le(frame, at + layout.GUARDS_SET_WINDOW)
    pause_ns = read_i64_le(frame, at + layout.GUARDS_SET_PAUSE)
    reference = (first >> 32) & 0xFFFFFFFF
    band = second & 0xFFFFFFFF
    move = (second >> 32) & 0xFFFFFFFF
    market = state.market(first & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if not market.is_alive:
        return Code.MARKET_STATE_INVALID
    if reference > MAX_PRICE:
        return Code.REFERENCE_OUT_OF_RANGE
    if band > MAX_PRICE:
        return Code.BAND_OUT_OF_RANGE
    if not is_pause(move, window_ns, pause_ns):
        return Code.PAUSE_INVALID
    rules = market.rules
    state.touch(market.page)
    state.touch(rules.page)
    rules.band = band
    rules.move = move
    rules.window_ns = window_ns
    rules.pause_ns = pause_ns
    watch(state, market, reference)
    state.writer.guards_changed(market)
    outcome.result = market.number
    return Code.OK


def is_pause(move: i64, window_ns: i64, pause_ns: i64) -> bool:
    """Return whether a pause is none at all, or a move within a window that can be cut in eight."""
    if move == 0:
        return window_ns == 0 and pause_ns == 0
    if move > MAX_PRICE or pause_ns < 1 or pause_ns > MAX_SPAN:
        return False
    return WATCH_SLICES <= window_ns <= MAX_SPAN


def watch(state: State, market: Market, reference: i64) -> None:
    """Watch the market's prices from now on, or no more when it has no guards."""
    watched = market.watch
    if not market.rules.has_guards():
        if watched is not None:
            state.watch_pages.drop(market.number)
            market.watch = None
        return
    if watched is None:
        watched = PriceWatch(market.rules)
        state.add_watch(market, watched)
    state.touch(watched.page)
    watched.empty()
    if reference != 0:
        watched.reference = reference


def is_outside_band(market: Market, price: i64) -> bool:
    """Return whether a YES price is too far from the market's reference."""
    watched = market.watch
    if watched is None or watched.reference == 0 or market.rules.band == 0:
        return False
    distance = price - watched.reference
    return max(distance, -distance) > market.rules.band


def pause(state: State, market: Market, price: i64) -> None:
    """Halt a market before a fill at `price` that moves too far, for its set time."""
    until_ns = state.stamp_ns + market.rules.pause_ns
    state.set_timer(REOPEN, market.number, until_ns)
    state.touch(market.page)
    market.state = terms.HALTED
    pausing.doom(state, terms.PAUSE_MARKET, market.number)
    state.writer.market_paused(market, price, until_ns)
    state.writer.market_state(market)


def is_paused(state: State, market: Market) -> bool:
    """Return whether the market will open by itself."""
    return state.timer(REOPEN, market.number) is not None


def begin_anew(state: State, market: Market) -> None:
    """Let a market that moves have its window empty, and nothing that opens or calls it again."""
    state.set_timer(REOPEN, market.number, 0)
    state.set_timer(CALLING, market.number, 0)
    watched = market.watch
    if watched is not None:
        state.touch(watched.page)
        watched.empty()
