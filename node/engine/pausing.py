"""Pauses: how strict each scope is, what that stops, and the orders that ask to go with it.

A venue, an event, a market and an account can each be paused; the strictest of the four that cover
an order counts. Resting orders stay, except those that carry CANCEL_ON_PAUSE: these are doomed the
moment a pause that covers them begins or becomes stricter, and swept.
"""

from typing import Final

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.engine.account import Account
from node.engine.market import Event, Market
from node.engine.order import Order
from node.engine.pause import Pause, pause_number
from node.engine.position import Position
from node.engine.removal import close
from node.engine.state import State
from node.engine.sweep import CANCEL_PAUSED, Sweep

PLACE_SHIFT: Final = 32
"""A sweep's cursor is the place of the market among those covered, then that of a position."""
PLACE_MASK: Final = (1 << PLACE_SHIFT) - 1
PASSED_FOR_ONE: Final = 16
"""Orders that are passed over for the price of one that is cancelled."""


def pause_level(state: State, account: Account, event: Event, market: Market | None) -> i64:
    """Return the strictest level that covers what an account does in an event or market of it."""
    level = state.venue_pause.level
    pause = event.pause
    if pause is not None and pause.level > level:
        level = pause.level
    pause = account.pause
    if pause is not None and pause.level > level:
        level = pause.level
    if market is not None:
        pause = market.pause
        if pause is not None and pause.level > level:
            level = pause.level
    return level


def level_of_market(state: State, market: Market) -> i64:
    """Return the strictest level that covers everybody in a market."""
    level = state.venue_pause.level
    for pause in (market.event.pause, market.pause):
        if pause is not None and pause.level > level:
            level = pause.level
    return level


def check_pause(state: State, account: Account, market: Market, stopping: i64) -> Code:
    """Return OK unless a level of at least `stopping` covers the account in the market."""
    level = pause_level(state, account, market.event, market)
    return Code.OK if level < stopping else code_of_level(level)


def check_halt(state: State, account: Account, event: Event | None) -> Code:
    """Return OK unless the venue, the account or the event, if there is one, is halted."""
    if is_halted(state.venue_pause) or is_halted(account.pause):
        return Code.PAUSED_HALTED
    if event is not None and is_halted(event.pause):
        return Code.PAUSED_HALTED
    return Code.OK


def is_halted(pause: Pause | None) -> bool:
    """Return whether a pause lets nothing through."""
    return pause is not None and pause.level == terms.PAUSE_HALTED


def code_of_level(level: i64) -> Code:
    """Return the rejection that a pause level gives."""
    if level == terms.PAUSE_POST_ONLY:
        return Code.PAUSED_POST_ONLY
    if level == terms.PAUSE_CANCEL_ONLY:
        return Code.PAUSED_CANCEL_ONLY
    return Code.PAUSED_HALTED


def set_pause(state: State, frame: bytes, at: i64) -> Code:
    """Set the level of one scope; the same level again changes nothing."""
    word = read_i64_le(frame, at + layout.PAUSE_SCOPE)
    scope = word & 0xFFFFFFFF
    subject = (word >> 32) & 0xFFFFFFFF
    level = read_i64_le(frame, at + layout.PAUSE_LEVEL) & 0xFFFFFFFF
    code = check_subject(state, scope, subject)
    if code is not Code.OK:
        return code
    if level > terms.PAUSE_HALTED:
        return Code.PAUSE_SCOPE_INVALID
    pause = pause_of(state, scope, subject)
    if level == pause.level:
        return Code.OK
    state.touch(pause.page)
    stricter = level > pause.level
    pause.level = level
    publish(state, scope, subject, level)
    if stricter:
        doom(state, scope, subject)
    return Code.OK


def check_subject(state: State, scope: i64, subject: i64) -> Code:
    """Check that a scope has such a subject."""
    if scope == terms.PAUSE_ACCOUNT:
        return Code.OK if state.account(subject) is not None else Code.UNKNOWN_ACCOUNT
    if scope == terms.PAUSE_EVENT:
        return Code.OK if state.event(subject) is not None else Code.UNKNOWN_EVENT
    if scope == terms.PAUSE_MARKET:
        return Code.OK if state.market(subject) is not None else Code.UNKNOWN_MARKET
    return Code.OK if scope == terms.PAUSE_VENUE and subject == 0 else Code.PAUSE_SCOPE_INVALID


def pause_of(state: State, scope: i64, subject: i64) -> Pause:
    """Return the pause of a subject that exists, making it when there is none."""
    number = pause_number(scope, subject)
    pause = state.life_pages.pauses_by_number.get(number)
    if pause is not None:
        return pause
    pause = Pause(number)
    if scope == terms.PAUSE_VENUE:
        pause = state.venue_pause
    elif scope == terms.PAUSE_EVENT:
        event = state.event(subject)
        assert event is not None
        event.pause = pause
    elif scope == terms.PAUSE_MARKET:
        market = state.market(subject)
        assert market is not None
        market.pause = pause
    else:
        account = state.account(subject)
        assert account is not None
        account.pause = pause
    state.life_pages.pauses_by_number[number] = pause
    pause.page = state.life_pages.pauses.put(number, pause)
    return pause


def publish(state: State, scope: i64, subject: i64, level: i64) -> None:
    """Say it in the venue's stream, and in those of the markets that are paused by name."""
    state.writer.pause_set(scope, subject, level)
    if scope == terms.PAUSE_EVENT:
        event = state.event(subject)
        assert event is not None
        for market in event.markets:
            state.touch(market.page)
            state.writer.market_pause_set(market, scope, level)
    elif scope == terms.PAUSE_MARKET:
        paused = state.market(subject)
        assert paused is not None
        state.touch(paused.page)
        state.writer.market_pause_set(paused, scope, level)


def doom(state: State, scope: i64, subject: i64) -> None:
    """Doom the orders that go when their scope is paused, and sweep them away."""
    pause = pause_of(state, scope, subject)
    state.touch(pause.page)
    pause.watermark = state.id_base + state.treasury.orders + 1
    sweep = state.add_sweep(CANCEL_PAUSED, scope, subject)
    if scope == terms.PAUSE_ACCOUNT:
        account = state.account(subject)
        assert account is not None
        sweep.cursor = len(account.position_list)


# The sweep: its `account` is the scope, its `market` the subject.


def sweep_paused(state: State, sweep: Sweep, budget: i64) -> i64:
    """Cancel doomed orders; markets where nothing carries the flag are passed over."""
    watermark = state.life_pages.pauses_by_number[
        pause_number(sweep.account, sweep.market)
    ].watermark
    if sweep.account == terms.PAUSE_ACCOUNT:
        return sweep_paused_account(state, sweep, watermark, budget)
    while budget > 0:
        market = covered_market(state, sweep, sweep.cursor >> PLACE_SHIFT)
        if market is None:
            return budget
        place = sweep.cursor & PLACE_MASK
        if market.flagged == 0 or place >= len(market.positions):
            sweep.cursor = ((sweep.cursor >> PLACE_SHIFT) + 1) << PLACE_SHIFT
        else:
            budget = cancel_flagged(state, market.positions[place], watermark, budget)
            if budget == 0:
                return 0
            sweep.cursor += 1
        budget -= 1
    return 0


def covered_market(state: State, sweep: Sweep, place: i64) -> Market | None:
    """Return the market at a place among those that the sweep's scope covers."""
    if sweep.account == terms.PAUSE_VENUE:
        return state.market(place + 1)
    if sweep.account == terms.PAUSE_EVENT:
        event = state.event(sweep.market)
        assert event is not None
        return event.markets[place] if place < len(event.markets) else None
    return state.market(sweep.market) if place == 0 else None


def sweep_paused_account(state: State, sweep: Sweep, watermark: i64, budget: i64) -> i64:
    """Go through an account's positions, from the last place down, as a cancel-all does."""
    account = state.account(sweep.market)
    assert account is not None
    while sweep.cursor > 0 and budget > 0:
        place = sweep.cursor - 1
        if place < len(account.position_list):
            budget = cancel_flagged(state, account.position_list[place], watermark, budget)
            if budget == 0:
                return 0
        sweep.cursor = place
        budget -= 1
    return budget


def cancel_flagged(state: State, position: Position, watermark: i64, budget: i64) -> i64:
    """Cancel a position's doomed orders; return what is left of the budget.

    It is 0 only when there may be more to cancel here.
    """
    budget = cancel_flagged_side(state, position, position.bids.first, watermark, budget)
    if budget == 0:
        return 0
    return cancel_flagged_side(state, position, position.asks.first, watermark, budget)


def cancel_flagged_side(
    state: State, position: Position, first: Order | None, watermark: i64, budget: i64
) -> i64:
    """Cancel the doomed orders of one side, from its first on; return what is left.

    Orders without the flag that stand between are passed over, which costs less and is paid in the
    end: a look that did not come to its end would begin anew.
    """
    passed: i64 = 0
    order = first
    while order is not None and budget > 0 and position.flagged > 0 and order.id < watermark:
        newer = order.newer
        if order.flags & terms.CANCEL_ON_PAUSE != 0:
            close(state, order, terms.CLOSE_BY_PAUSE)
            budget -= 1
        else:
            passed += 1
        order = newer
    return 0 if budget == 0 else max(1, budget - passed // PASSED_FOR_ONE)
