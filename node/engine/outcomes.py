"""The outcomes of an exclusive event: naming what was left open, and naming the one that won."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.domain.identifiers import NAME_SIZE
from node.domain.units import PRICE_SCALE
from node.engine import market_timing
from node.engine.lifecycle import check_pending, settle_now
from node.engine.market import Event, Market
from node.engine.state import State


def name_outcome(state: State, frame: bytes, at: i64) -> Code:
    """Give a placeholder its name, once and before it trades."""
    market = state.market(read_i64_le(frame, at + layout.OUTCOME_NAME_MARKET) & 0xFFFFFFFF)
    start = at + layout.OUTCOME_NAME_NAME
    name = frame[start : start + NAME_SIZE]
    if market is None:
        return Code.UNKNOWN_MARKET
    if name[0] == 0:
        return Code.NAME_INVALID
    if market.state != terms.CREATED:
        return Code.MARKET_STATE_INVALID
    if market.is_named:
        return Code.OUTCOME_NAMED
    state.touch(market.page)
    market.name = name
    state.writer.outcome_named(market)
    return Code.OK


def resolve_event(state: State, frame: bytes, at: i64) -> Code:
    """Settle every market of an exclusive event that is not: one wins, the others lose.

    Each must be closed, or never have opened.
    """
    word = read_i64_le(frame, at + layout.EVENT_RESOLVE_EVENT)
    event = state.event(word & 0xFFFFFFFF)
    if event is None:
        return Code.UNKNOWN_EVENT
    winner = state.market((word >> 32) & 0xFFFFFFFF)
    code = check_winner(event, winner)
    if code is not Code.OK:
        return code
    for market in event.markets:
        code = check_pending(state, market)
        if code is not Code.OK:
            return code
    assert winner is not None
    settle_event(state, event, winner)
    return Code.OK


def settle_event(state: State, event: Event, winner: Market) -> None:
    """Settle every market of an event that is not: the winner at 10,000, the others at 0."""
    for market in event.markets:
        if not market.is_settled:
            market_timing.closed(state, market)
            settle_now(state, market, PRICE_SCALE if market is winner else 0, terms.RESOLVED)


def check_winner(event: Event, winner: Market | None) -> Code:
    """Check that the event can be settled with this winner."""
    sweeping = False
    for market in event.markets:
        if market.is_alive and market.state != terms.CREATED:
            return Code.MARKET_STATE_INVALID
        if market.sweeps != 0 and market.state == terms.CLOSED:
            sweeping = True
    if event.exclusive != 0 and event.price_sum != 0:
        return Code.RESOLUTION_SUM_INVALID
    if sweeping:
        return Code.MARKET_SWEEPING
    if event.exclusive == 0:
        return Code.EVENT_NOT_EXCLUSIVE
    if winner is None or winner.event is not event or winner.is_settled:
        return Code.WINNER_INVALID
    if not winner.is_named:
        return Code.OUTCOME_UNNAMED
    return Code.RESOLUTION_PENDING if is_contested(event, winner) else Code.OK


def is_contested(event: Event, winner: Market) -> bool:
    """Return whether of another outcome something else is proposed than a loss, or is disputed."""
    for market in event.markets:
        resolution = market.resolution
        if resolution is None or market is winner or resolution.stage == terms.ATTESTING:
            continue
        if resolution.stage == terms.DISPUTED or resolution.price > 0:
            return True
    return False
