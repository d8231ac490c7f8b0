"""The life of a market.

CREATED, OPEN and HALTED as often as needed, CLOSED, then RESOLVED or VOIDED. An AUCTION may come
before OPEN.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.domain.limits import CHALLENGE_SECONDS
from node.domain.units import PRICE_SCALE
from node.engine import market_timing, pausing, tallying
from node.engine.guarding import begin_anew, is_paused
from node.engine.market import Market
from node.engine.outcome import Outcome
from node.engine.state import State
from node.engine.sweep import CLOSE_MARKET, REDEEM_MARKET


def halt_market(state: State, frame: bytes, at: i64) -> Code:
    """Refuse new orders; resting ones stay and can be cancelled or reduced.

    It stops what a pause of the market at CANCEL_ONLY stops, and takes the same orders along.
    """
    market = state.market(read_i64_le(frame, at + layout.LIFECYCLE_MARKET) & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    # One that has paused by itself stays halted when told to.
    if market.state != terms.OPEN and not is_paused(state, market):
        return Code.MARKET_STATE_INVALID
    pausing.doom(state, terms.PAUSE_MARKET, market.number)
    return move(state, market, terms.HALTED)


def close_market(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """End trading for good and sweep the resting orders away."""
    market = state.market(read_i64_le(frame, at + layout.LIFECYCLE_MARKET) & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if not market.is_alive:
        return Code.MARKET_STATE_INVALID
    outcome.filled = market.order_count
    close_now(state, market)
    return Code.OK


def reopen(state: State, number: i64) -> None:
    """Open a market that has paused by itself; one that was told something since is not asked."""
    market = state.market(number)
    assert market is not None
    move(state, market, terms.OPEN)


def close_on_time(state: State, number: i64) -> None:
    """Close a market whose time has come; one that has closed has no time any more."""
    market = state.market(number)
    assert market is not None
    close_now(state, market)


def close_now(state: State, market: Market) -> None:
    """Sweep the resting orders of a market away, which takes none any more."""
    market_timing.closed(state, market)
    begin_sweep(state, market, CLOSE_MARKET)
    move(state, market, terms.CLOSED)


def resolve_market(state: State, frame: bytes, at: i64) -> Code:
    """Set the price at which positions redeem, 0..10,000, and pay them by a sweep."""
    word = read_i64_le(frame, at + layout.LIFECYCLE_MARKET)
    price = (word >> 32) & 0xFFFFFFFF
    market = state.market(word & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if market.state != terms.CLOSED:
        return Code.MARKET_STATE_INVALID
    if price > PRICE_SCALE:
        return Code.RESOLUTION_PRICE_OUT_OF_RANGE
    code = check_settlement(market, price, terms.RESOLVED)
    if code is Code.OK:
        code = check_pending(state, market)
    if code is Code.OK:
        settle_now(state, market, price, terms.RESOLVED)
    return code


def void_market(state: State, frame: bytes, at: i64) -> Code:
    """Settle a market that has no answer: every outcome of its event is worth the same.

    It decides a dispute, too.
    """
    market = state.market(read_i64_le(frame, at + layout.LIFECYCLE_MARKET) & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if market.state != terms.CLOSED:
        return Code.MARKET_STATE_INVALID
    price = void_price(market)
    code = check_settlement(market, price, terms.VOIDED)
    resolution = market.resolution
    if code is Code.OK and (resolution is None or resolution.stage != terms.DISPUTED):
        code = check_pending(state, market)
    if code is Code.OK:
        settle_now(state, market, price, terms.VOIDED)
    return code


def void_price(market: Market) -> i64:
    """Return the equal share of a void.

    One half, or 10,000 // n with the remainder's units to the lowest outcomes.
    """
    event = market.event
    if event.exclusive == 0:
        return PRICE_SCALE // 2
    count: i64 = len(event.markets)
    ordinal: i64 = event.markets.index(market)
    return PRICE_SCALE // count + (1 if ordinal < PRICE_SCALE % count else 0)


def check_settlement(market: Market, price: i64, final_state: i64) -> Code:
    """Check that a closed market can be settled at `price`.

    An exclusive event's prices still come to 10,000 in all.
    """
    event = market.event
    if event.exclusive != 0:
        total = event.price_sum + price
        is_last = event.settled + 1 == len(event.markets)
        if total > PRICE_SCALE or (is_last and total != PRICE_SCALE):
            return Code.RESOLUTION_SUM_INVALID
    if market.sweeps != 0:
        return Code.MARKET_SWEEPING
    if price > 0 and final_state == terms.RESOLVED and not market.is_named:
        return Code.OUTCOME_UNNAMED
    return Code.OK


def check_pending(state: State, market: Market) -> Code:
    """Check that an operator may settle a market at once: nothing is proposed, nor has to be."""
    resolution = market.resolution
    waits = resolution is not None and resolution.stage != terms.ATTESTING
    if waits or state.limits[CHALLENGE_SECONDS] > 0:
        return Code.RESOLUTION_PENDING
    return Code.OK


def settle_now(state: State, market: Market, price: i64, final_state: i64) -> None:
    """Make `price` final and have a sweep pay the positions."""
    event = market.event
    tallying.forget(state, market)
    state.touch(event.page)
    event.settled += 1
    event.price_sum += price
    state.touch(market.page)
    market.price = price
    market.positions.reverse()  # The sweep takes them from the end, oldest first.
    begin_sweep(state, market, REDEEM_MARKET)
    move(state, market, final_state)


def begin_sweep(state: State, market: Market, kind: i64) -> None:
    """Queue a sweep of the market."""
    state.touch(market.page)
    market.sweeps += 1
    state.add_sweep(kind, 0, market.number)


def move(state: State, market: Market, to: i64) -> Code:
    """Change the market's state and publish it."""
    # Once one of its markets has moved, an event has started.
    if market.event.started == 0:
        state.touch(market.event.page)
        market.event.started = 1
    begin_anew(state, market)
    state.touch(market.page)
    market.state = to
    state.writer.market_state(market)
    return Code.OK
