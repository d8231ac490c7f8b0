"""Setting what trading is bound to: an operator's commands, each a sequenced event."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.units import BPS_SCALE, MAX_LOTS, MAX_SUPPLY, PRICE_SCALE
from node.engine import ledger
from node.engine.fee_schedule import FeeSchedule
from node.engine.guarding import set_guards
from node.engine.invariants import require
from node.engine.lifecycle import begin_sweep
from node.engine.outcome import Outcome
from node.engine.state import State
from node.engine.sweep import REGRID_MARKET


def set_rules(state: State, kind: i64, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Execute a command of this file."""
    if kind == layout.SCHEDULE_CREATE:
        return create_schedule(state, frame, at, outcome)
    if kind == layout.SCHEDULE_ASSIGN:
        return assign_schedule(state, frame, at, outcome)
    if kind == layout.GRID_SET:
        return set_grid(state, frame, at, outcome)
    if kind == layout.GUARDS_SET:
        return set_guards(state, frame, at, outcome)
    require(kind == layout.FEE_ACCOUNT_NAME, "a rule command without a handler")
    return name_fee_account(state, frame, at, outcome)


def create_schedule(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Make a fee schedule, or find the one that says the same."""
    first = read_i64_le(frame, at + layout.SCHEDULE_CREATE_SHAPE)
    second = read_i64_le(frame, at + layout.SCHEDULE_CREATE_TAKER_BPS)
    cap = read_i64_le(frame, at + layout.SCHEDULE_CREATE_CAP)
    shape = first & 0xFFFFFFFF
    rebate_bps = (first >> 32) & 0xFFFFFFFF
    taker_bps = second & 0xFFFFFFFF
    maker_bps = (second >> 32) & 0xFFFFFFFF
    most_fee: i64 = state.limits[limits.FEE_BPS]
    if taker_bps > most_fee or maker_bps > most_fee:
        return Code.FEE_OUT_OF_RANGE
    if shape != terms.SHAPED and shape != terms.FLAT:
        return Code.FEE_SHAPE_INVALID
    if rebate_bps > BPS_SCALE:
        return Code.REBATE_OUT_OF_RANGE
    if cap < 0 or cap > MAX_SUPPLY:
        return Code.FEE_CAP_OUT_OF_RANGE
    schedule = FeeSchedule(shape, taker_bps, maker_bps, rebate_bps, cap)
    return enter_schedule(state, schedule, outcome)


def enter_schedule(state: State, schedule: FeeSchedule, outcome: Outcome) -> Code:
    """Give a schedule its number, or find the one that says the same; `result` is the number."""
    known = state.schedules_by_terms.get(schedule.terms())
    if known is not None:
        outcome.result = known.number
        return Code.OK
    most: i64 = state.limits[limits.SCHEDULES]
    if state.treasury.schedules >= most:
        return Code.TOO_MANY_SCHEDULES
    state.touch(state.treasury_page)
    state.treasury.schedules += 1
    schedule.number = state.treasury.schedules
    state.add_schedule(schedule)
    outcome.result = schedule.number
    return Code.OK


def assign_schedule(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Give a market another fee schedule, for the orders that come from now on."""
    word = read_i64_le(frame, at + layout.SCHEDULE_ASSIGN_MARKET)
    market = state.market(word & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if not market.is_alive:
        return Code.MARKET_STATE_INVALID
    schedule = state.schedule((word >> 32) & 0xFFFFFFFF)
    if schedule is None:
        return Code.UNKNOWN_SCHEDULE
    state.touch(market.page)
    state.touch(market.rules.page)
    market.rules.schedule = schedule
    state.writer.schedule_changed(market)
    outcome.result = schedule.number
    return Code.OK


def set_grid(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Give a market another grid of prices, and least sizes; orders off the grid are swept away.

    An order that rests off the new grid was agreed to on the old one: it may trade until then.
    """
    first = read_i64_le(frame, at + layout.GRID_SET_MARKET)
    second = read_i64_le(frame, at + layout.GRID_SET_EDGE)
    min_lots = read_i64_le(frame, at + layout.GRID_SET_MIN_LOTS)
    min_value = read_i64_le(frame, at + layout.GRID_SET_MIN_VALUE)
    tick = (first >> 32) & 0xFFFFFFFF
    edge = second & 0xFFFFFFFF
    edge_tick = (second >> 32) & 0xFFFFFFFF
    market = state.market(first & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if not is_tick(tick):
        return Code.TICK_INVALID
    if not market.is_alive:
        return Code.MARKET_STATE_INVALID
    if not is_edge(tick, edge, edge_tick):
        return Code.EDGE_INVALID
    if min_lots < 0 or min_lots > MAX_LOTS or min_value < 0 or min_value > MAX_SUPPLY:
        return Code.MINIMUM_OUT_OF_RANGE
    state.touch(market.page)
    state.touch(market.rules.page)
    market.tick = tick
    rules = market.rules
    rules.edge = edge
    rules.edge_tick = edge_tick
    rules.min_lots = min_lots
    rules.min_value = min_value
    begin_sweep(state, market, REGRID_MARKET)
    state.writer.grid_changed(market)
    outcome.result = tick
    return Code.OK


def is_tick(tick: i64) -> bool:
    """Return whether a tick divides one half: then the grid is the same seen from YES and NO."""
    return 1 <= tick <= PRICE_SCALE // 2 and PRICE_SCALE // 2 % tick == 0


def is_edge(tick: i64, edge: i64, edge_tick: i64) -> bool:
    """Return whether the edges are none, or under one half with a finer tick that divides ours."""
    if edge == 0:
        return edge_tick == 0
    if edge >= PRICE_SCALE // 2 or edge % tick != 0:
        return False
    return 1 <= edge_tick < tick and tick % edge_tick == 0


def name_fee_account(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Have fees go to an account from now on, with all that the treasury has kept of them."""
    number = read_i64_le(frame, at + layout.FEE_ACCOUNT_NAME_ACCOUNT) & 0xFFFFFFFF
    account = state.account(number)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    state.touch(state.treasury_page)
    state.touch(account.page)
    kept = ledger.name_fee_account(account, state.treasury)
    if kept > 0:
        state.writer.fees_received(account, 0, 0, kept)
    outcome.result = number
    return Code.OK
