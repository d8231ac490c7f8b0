"""Risk: what an order may not do although its owner could pay for it.

These checks run when the order's own terms are known to be sound, so that nothing here overflows.
"""

from typing import Final

from mypy_extensions import i64

from node.domain import limits
from node.domain.codes import Code
from node.domain.commands import EVENT_ENTRY
from node.engine import ledger
from node.engine.account import Account
from node.engine.agent import ENTRIES, Agent
from node.engine.bounds import Bounds
from node.engine.market import Market
from node.engine.order import Order
from node.engine.placement import Placement
from node.engine.position import Position
from node.engine.session import Key
from node.engine.state import State

NO_LIMIT: Final = 0


def check_risk(state: State, placement: Placement, account: Account, market: Market) -> Code:
    """Return why the order may not be entered: its market, its account's bounds, its agent."""
    if market.stop is not None:
        return Code.MARKET_STOPPED
    if account.bounds is None and market.bounds is None:
        placer = placement.placer
        if placer is None or placer.agent is None:
            return Code.OK
    return check_in_stead(state, placement, account, market, placement.lots, 0, 0)


def check_change(state: State, placement: Placement, old: Order, lots: i64) -> Code:
    """Return why `lots` may not stand in the stead of a resting order, or OK."""
    market = old.position.market
    if market.stop is not None:
        return Code.MARKET_STOPPED
    placer = placement.placer
    if placer is not None and placer.agent is not None and old.placer is not placer:
        return Code.AGENT_NOT_ITS_ORDER
    return check_in_stead(state, placement, old.account, market, lots, old.leaves, old.cash_locked)


def check_in_stead(
    state: State,
    placement: Placement,
    account: Account,
    market: Market,
    lots: i64,
    freed_lots: i64,
    freed_cash: i64,
) -> Code:
    """Check what enters against bounds and agents; what leaves on its side is free for it.

    What leaves are lots and micro-USDC; less than 0 is what enters before it in the same step.
    """
    if account.bounds is not None or market.bounds is not None:
        held = net_position(placement, account, market) - freed_lots
        code = check_bounds(placement, account.bounds, market.bounds, held, lots)
        if code is not Code.OK:
            return code
    placer = placement.placer
    if placer is None or placer.agent is None:
        return Code.OK
    exposure = placer.exposure - freed_cash
    return check_agent(state, placement, placer.agent, exposure, market, lots)


def check_gain(key: Key, account: Account, market: Market, lots: i64) -> Code:
    """Return why the account may not be `lots` longer in a market without an order, or OK."""
    if market.stop is not None:
        return Code.MARKET_STOPPED
    if key.agent is not None and not allows_market(key.agent, market):
        return Code.AGENT_MARKET_NOT_ALLOWED
    own = account.bounds
    if own is None and market.bounds is None:
        return Code.OK
    reached = lots + net_of(account.positions.get(market.number), True)
    if is_reduce_only(account) and reached > 0:
        return Code.REDUCE_ONLY
    if is_too_much(own, reached) or is_too_much(market.bounds, reached):
        return Code.POSITION_LIMIT_EXCEEDED
    return Code.OK


def is_reduce_only(account: Account) -> bool:
    """Return whether an operator lets the account only make its positions smaller."""
    bounds = account.bounds
    return bounds is not None and bounds.reduce_only != 0


def cash_needed(placement: Placement, market: Market, lots: i64) -> i64:
    """Return the most that a buy of `lots` on a placement's terms can cost, in micro-USDC."""
    needed = ledger.collateral_to_lock(placement.price, lots, market.rules.schedule)
    return needed if placement.spend == 0 else min(needed, placement.spend)


def open_orders_allowed(state: State, account: Account) -> i64:
    """Return how many orders the account may have in the books."""
    most: i64 = state.limits[limits.OPEN_ORDERS_PER_ACCOUNT]
    bounds = account.bounds
    if bounds is not None and bounds.open_orders != NO_LIMIT:
        return min(most, bounds.open_orders)
    return most


def positions_allowed(state: State, account: Account) -> i64:
    """Return in how many markets the account may have a position."""
    most: i64 = state.limits[limits.POSITIONS_PER_ACCOUNT]
    bounds = account.bounds
    if bounds is not None and bounds.positions != NO_LIMIT:
        return min(most, bounds.positions)
    return most


def check_bounds(
    placement: Placement, own: Bounds | None, theirs: Bounds | None, held: i64, lots: i64
) -> Code:
    """Check an order against the bounds of its account and of its market."""
    reached = held + lots
    if own is not None and own.reduce_only != 0 and reached > 0:
        return Code.REDUCE_ONLY
    if is_too_large(own, placement) or is_too_large(theirs, placement):
        return Code.ORDER_TOO_LARGE
    if is_too_much(own, reached) or is_too_much(theirs, reached):
        return Code.POSITION_LIMIT_EXCEEDED
    return Code.OK


def net_position(placement: Placement, account: Account, market: Market) -> i64:
    """Return the lots that the account would be long on the order's side if its open orders fill.

    YES less NO for a bid, NO less YES for an ask: below 0 is what the side can still reduce.
    """
    return net_of(account.positions.get(market.number), placement.is_bid)


def net_of(position: Position | None, is_bid: bool) -> i64:
    """Return the lots that a position is long on one side if its open orders there fill."""
    if position is None:
        return 0
    net = position.yes_free + position.yes_locked - position.no_free - position.no_locked
    if is_bid:
        return net + position.open_bids
    return position.open_asks - net


def is_too_large(bounds: Bounds | None, placement: Placement) -> bool:
    """Return whether an order is larger than bounds let any be."""
    if bounds is None:
        return False
    if bounds.order_lots != NO_LIMIT and placement.lots > bounds.order_lots:
        return True
    return bounds.order_value != NO_LIMIT and placement.value(placement.lots) > bounds.order_value


def is_too_much(bounds: Bounds | None, reached: i64) -> bool:
    """Return whether a position is larger than bounds let any be."""
    return (
        bounds is not None and bounds.position_lots != NO_LIMIT and reached > bounds.position_lots
    )


def check_agent(
    state: State, placement: Placement, agent: Agent, exposure: i64, market: Market, lots: i64
) -> Code:
    """Check an order against the budget of the key that sends it."""
    if not allows_market(agent, market):
        return Code.AGENT_MARKET_NOT_ALLOWED
    if (agent.times_in_force >> placement.time_in_force) & 1 == 0:
        return Code.AGENT_TIME_IN_FORCE_NOT_ALLOWED
    if placement.stake() > agent.order_value:
        return Code.AGENT_ORDER_TOO_LARGE
    if not placement.is_buy:
        return Code.OK
    needed = cash_needed(placement, market, lots)
    # What is locked may all be spent, so it counts before it is.
    if agent.spending.total(state.stamp_ns) + exposure + needed > agent.spend:
        return Code.AGENT_SPEND_EXCEEDED
    if exposure + needed > agent.exposure:
        return Code.AGENT_EXPOSURE_EXCEEDED
    return Code.OK


def allows_market(agent: Agent, market: Market) -> bool:
    """Return whether an agent's list has the market, or its event, or nothing."""
    listed = False
    entry: i64 = 0
    while entry < ENTRIES:
        what = agent.allowed[entry]
        if what == market.number or what == market.event.number | EVENT_ENTRY:
            return True
        listed = listed or what != 0
        entry += 1
    return not listed
