"""The commands that lead markets and events through their lives, each to its handler."""

from mypy_extensions import i64

from node.domain import commands as layout
from node.domain.codes import Code
from node.engine import auction, lifecycle, market_timing, opening, outcomes, pausing, resolving
from node.engine.invariants import require
from node.engine.outcome import Outcome
from node.engine.state import State


def is_of_lives(kind: i64) -> bool:
    """Return whether a command is one of these."""
    if layout.MARKET_OPEN <= kind <= layout.MARKET_VOID or kind == layout.AUCTION_CALL:
        return True
    return layout.MARKET_TIMES <= kind <= layout.LAST_LIFE_COMMAND


def lead_life(state: State, kind: i64, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Execute an operator's command about the life of a market or event."""
    if kind > layout.MARKET_VOID:
        return bind_life(state, kind, frame, at)
    if kind == layout.MARKET_OPEN:
        return opening.open_market(state, frame, at)
    if kind == layout.MARKET_HALT:
        return lifecycle.halt_market(state, frame, at)
    if kind == layout.MARKET_CLOSE:
        return lifecycle.close_market(state, frame, at, outcome)
    if kind == layout.MARKET_RESOLVE:
        return lifecycle.resolve_market(state, frame, at)
    return lifecycle.void_market(state, frame, at)


def bind_life(state: State, kind: i64, frame: bytes, at: i64) -> Code:
    """Execute a command about when, how strictly and to what end markets trade."""
    if kind == layout.AUCTION_CALL:
        return auction.call_auction(state, frame, at)
    if kind == layout.MARKET_TIMES:
        return market_timing.set_market_times(state, frame, at)
    if kind == layout.PAUSE:
        return pausing.set_pause(state, frame, at)
    if kind == layout.EVENT_RESOLVE:
        return outcomes.resolve_event(state, frame, at)
    if kind == layout.PROPOSE:
        return resolving.propose(state, frame, at)
    if kind == layout.DECIDE:
        return resolving.decide(state, frame, at)
    require(kind == layout.OUTCOME_NAME, "a command of lives without a handler")
    return outcomes.name_outcome(state, frame, at)
