"""Bounding: an operator's limits for an account or a market."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import terms
from node.domain.codes import Code
from node.domain.units import MAX_SUPPLY
from node.engine.bounds import Bounds
from node.engine.dooming import doom_account
from node.engine.fields import i32_at
from node.engine.outcome import Outcome
from node.engine.state import State
from node.engine.timer import SUBJECT_BITS


def set_bounds(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Set every limit of an account or a market at once; 0 takes one away."""
    wanted = read_bounds(frame, at)
    scope = wanted.number >> SUBJECT_BITS
    subject = wanted.number & 0xFFFFFFFF
    if not is_sound(wanted, scope):
        return Code.BOUNDS_INVALID
    if scope == terms.SCOPE_ACCOUNT:
        account = state.account(subject)
        if account is None:
            return Code.UNKNOWN_ACCOUNT
        bounds = account.bounds
        was_free = bounds is None or bounds.reduce_only == 0
        state.put_bounds(wanted)
        if was_free and wanted.reduce_only != 0:
            # Which of its orders would reduce depends on which fill: all go, good ones come again.
            doom_account(state, account, terms.CLOSE_BY_REDUCE_ONLY)
    else:
        if state.market(subject) is None:
            return Code.UNKNOWN_MARKET
        state.put_bounds(wanted)
    state.writer.bounds_changed(wanted)
    outcome.result = subject
    return Code.OK


def read_bounds(frame: bytes, at: i64) -> Bounds:
    """Return the bounds that a frame gives."""
    word = read_i64_le(frame, at + layout.BOUNDS_SET_SCOPE)
    bounds = Bounds(((word & 0x7FFFFFFF) << SUBJECT_BITS) | ((word >> 32) & 0xFFFFFFFF))
    bounds.reduce_only = i32_at(frame, at + layout.BOUNDS_SET_REDUCE_ONLY)
    bounds.open_orders = i32_at(frame, at + layout.BOUNDS_SET_OPEN_ORDERS)
    bounds.positions = i32_at(frame, at + layout.BOUNDS_SET_POSITIONS)
    bounds.order_lots = read_i64_le(frame, at + layout.BOUNDS_SET_ORDER_LOTS)
    bounds.order_value = read_i64_le(frame, at + layout.BOUNDS_SET_ORDER_VALUE)
    bounds.position_lots = read_i64_le(frame, at + layout.BOUNDS_SET_POSITION_LOTS)
    return bounds


def is_sound(bounds: Bounds, scope: i64) -> bool:
    """Return whether the limits are ones that an account, or a market, can have."""
    if bounds.reduce_only < 0 or bounds.reduce_only > 1:
        return False
    if min(bounds.open_orders, bounds.positions) < 0:
        return False
    if min(bounds.order_lots, bounds.order_value, bounds.position_lots) < 0:
        return False
    if max(bounds.order_lots, bounds.order_value, bounds.position_lots) > MAX_SUPPLY:
        return False
    if scope == terms.SCOPE_MARKET:
        return bounds.reduce_only == 0 and bounds.open_orders == 0 and bounds.positions == 0
    return scope == terms.SCOPE_ACCOUNT
