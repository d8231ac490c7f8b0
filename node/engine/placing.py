"""Placing an order: every check in the order of the codes, then lock, match, and rest or close.

Checks change nothing. Funds and shares are looked at last.
"""

from mypy_extensions import i64

from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.units import MAX_PRICE, MAX_SUPPLY, MIN_PRICE
from node.engine import ledger
from node.engine.account import Account
from node.engine.grouping import check_group, join
from node.engine.guarding import is_outside_band
from node.engine.invariants import require
from node.engine.market import Market
from node.engine.matching import can_fill, match, would_cross
from node.engine.order import Order
from node.engine.outcome import Outcome
from node.engine.pausing import code_of_level, pause_level
from node.engine.placement import KNOWN_FLAGS, Placement
from node.engine.reducing import most_to_reduce
from node.engine.removal import free_and_report
from node.engine.risk import cash_needed, check_risk, open_orders_allowed, positions_allowed
from node.engine.spending import can_spend
from node.engine.state import State


def place(state: State, placement: Placement, outcome: Outcome) -> Code:
    """Enter an order: lock what it may cost, match it, and rest or close what is left."""
    account = state.account(placement.account)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    if account.stop is not None:
        return Code.ACCOUNT_STOPPED
    market = state.market(placement.market)
    if market is None:
        return Code.UNKNOWN_MARKET
    code = check(state, placement, account, market)
    if code is not Code.OK:
        return code
    order = make_order(state, placement, account, market)
    outcome.result = order.id
    state.touch_owner(order.position)
    ledger.lock(order)
    outcome.filled = enter(state, order)
    return Code.OK


def check(state: State, placement: Placement, account: Account, market: Market) -> Code:
    """Return why the order cannot be entered, or OK."""
    code = check_terms(state, placement, account, market)
    if code is not Code.OK:
        return code
    code = check_account(state, placement, account, market)
    if code is not Code.OK:
        return code
    code = check_risk(state, placement, account, market)
    if code is not Code.OK:
        return code
    code = check_book(state, placement, account, market)
    if code is not Code.OK:
        return code
    return check_means(placement, account, market)


def check_admission(state: State, placement: Placement, account: Account, market: Market) -> Code:
    """Check that the market takes orders now, and such an order from the account."""
    if market.state != terms.OPEN:
        code = check_auction(placement, market)
        if code is not Code.OK:
            return code
    level = pause_level(state, account, market.event, market)
    if level == terms.NO_PAUSE:
        return Code.OK
    if level == terms.PAUSE_POST_ONLY and placement.time_in_force == terms.POST_ONLY:
        return Code.OK
    return code_of_level(level)


def check_auction(placement: Placement, market: Market) -> Code:
    """Check that a market which is not open is in a call auction, and the order one that rests."""
    if market.state == terms.UNCROSSING:
        return Code.MARKET_UNCROSSING
    if market.state != terms.AUCTION:
        return Code.MARKET_NOT_OPEN
    return Code.OK if can_rest(placement.time_in_force) else Code.MARKET_IN_AUCTION


def check_terms(state: State, placement: Placement, account: Account, market: Market) -> Code:
    """Check what can be said of an order from its own fields and its market's rules."""
    code = check_admission(state, placement, account, market)
    if code is not Code.OK:
        return code
    if placement.intent < terms.BUY_YES or placement.intent > terms.SELL_NO:
        return Code.INTENT_INVALID
    if placement.time_in_force < terms.GTC or placement.time_in_force > terms.GTD:
        return Code.TIME_IN_FORCE_INVALID
    if placement.price < MIN_PRICE or placement.price > MAX_PRICE:
        return Code.PRICE_OUT_OF_RANGE
    if not market.is_on_grid(placement.price):
        return Code.PRICE_OFF_TICK
    if not has_size(state, placement):
        return Code.SIZE_OUT_OF_RANGE
    code = check_conditions(state, placement)
    if code is not Code.OK:
        return code
    if placement.lots < market.rules.min_lots:
        return Code.SIZE_BELOW_MINIMUM
    if is_outside_band(market, placement.book_price):
        return Code.PRICE_OUTSIDE_BAND
    return Code.OK


def has_size(state: State, placement: Placement) -> bool:
    """Return whether the size is in range; 0 lots for money are as many as an order may have."""
    most: i64 = state.limits[limits.LOTS_PER_ORDER]
    if placement.spend != 0 and placement.lots == 0:
        placement.lots = most
    return 1 <= placement.lots <= most


def check_conditions(state: State, placement: Placement) -> Code:
    """Check flags, times, the amount of money, and what happens when it meets its own."""
    if placement.flags & ~KNOWN_FLAGS != 0:
        return Code.FLAGS_INVALID
    if placement.flags & terms.REDUCE_ONLY != 0 and can_rest(placement.time_in_force):
        return Code.FLAGS_INVALID
    code = check_times(state, placement)
    if code is not Code.OK:
        return code
    if placement.spend != 0:
        code = check_spend(placement)
        if code is not Code.OK:
            return code
    if placement.self_trade < terms.CANCEL_RESTING or placement.self_trade > terms.CANCEL_BOTH:
        return Code.SELF_TRADE_INVALID
    return Code.OK


def check_times(state: State, placement: Placement) -> Code:
    """Check until when the order lives, and until when it may be executed."""
    if placement.expiry_ns != 0:
        if placement.time_in_force != terms.GTD and placement.time_in_force != terms.POST_ONLY:
            return Code.EXPIRY_INVALID
        if placement.expiry_ns <= state.stamp_ns:
            return Code.EXPIRY_INVALID
    elif placement.time_in_force == terms.GTD:
        return Code.EXPIRY_INVALID
    if placement.accept_by_ns != 0 and placement.accept_by_ns < state.stamp_ns:
        return Code.ACCEPT_BY_PASSED
    return Code.OK


def check_spend(placement: Placement) -> Code:
    """Check an amount of money: for a buy that does not rest."""
    if placement.spend < 0 or placement.spend > MAX_SUPPLY:
        return Code.SPEND_INVALID
    if not placement.is_buy or can_rest(placement.time_in_force):
        return Code.SPEND_INVALID
    return Code.OK


def check_account(state: State, placement: Placement, account: Account, market: Market) -> Code:
    """Check the client's id and the account's counts; an order that cannot rest needs no room.

    One that may only reduce is cut down to what it can.
    """
    if placement.client_order_id < 1:
        return Code.CLIENT_ORDER_ID_INVALID
    if placement.client_order_id in account.orders_by_client:
        return Code.CLIENT_ORDER_ID_IN_USE
    if can_rest(placement.time_in_force) and (
        account.order_count >= open_orders_allowed(state, account)
    ):
        return Code.TOO_MANY_OPEN_ORDERS
    most_positions = positions_allowed(state, account)
    if len(account.position_list) >= most_positions and market.number not in account.positions:
        return Code.TOO_MANY_POSITIONS
    if placement.flags & terms.REDUCE_ONLY != 0:
        placement.lots = min(placement.lots, most_to_reduce(placement, account, market))
        if placement.lots == 0:
            return Code.NOTHING_TO_REDUCE
    return Code.OK if placement.group == 0 else check_group(state, placement)


def can_rest(time_in_force: i64) -> bool:
    """Return whether what does not match at once stays in the book."""
    return time_in_force != terms.IOC and time_in_force != terms.FOK


def check_book(state: State, placement: Placement, account: Account, market: Market) -> Code:
    """Check the conditions that depend on what rests.

    A post-only order must not cross, a FOK one must fill, one that crosses must be worth it.
    """
    if placement.time_in_force == terms.POST_ONLY:
        if would_cross(state, market.makers_for(placement.is_bid), placement.book_price):
            return Code.WOULD_CROSS
    elif placement.time_in_force == terms.FOK:
        if placement.spend != 0:
            can = can_spend(state, placement, account, market)
        else:
            can = can_fill(state, market, account, placement)
        if not can:
            return Code.CANNOT_FILL
    if is_worthless(state, placement, market, placement.lots):
        return Code.VALUE_BELOW_MINIMUM
    return Code.OK


def is_worthless(state: State, placement: Placement, market: Market, lots: i64) -> bool:
    """Return whether `lots` at the placement's price are too little for an order that crosses."""
    least = market.rules.min_value
    if least == 0 or placement.value(lots) >= least:
        return False
    return would_cross(state, market.makers_for(placement.is_bid), placement.book_price)


def check_means(placement: Placement, account: Account, market: Market) -> Code:
    """Check that the account can lock what the order may cost."""
    if placement.is_buy:
        needed = cash_needed(placement, market, placement.lots)
        return Code.OK if account.cash_free >= needed else Code.INSUFFICIENT_FUNDS
    position = account.positions.get(market.number)
    free: i64 = 0
    if position is not None:
        free = position.yes_free if placement.intent == terms.SELL_YES else position.no_free
    return Code.OK if free >= placement.lots else Code.INSUFFICIENT_SHARES


def make_order(state: State, placement: Placement, account: Account, market: Market) -> Order:
    """Make the order that a placement asks for; it is in no book yet."""
    order = Order(
        state.next_order_id(),
        placement.client_order_id,
        account,
        state.position(account, market),
        placement.intent,
        placement.time_in_force,
        placement.price,
        placement.lots,
    )
    placer = placement.placer
    assert placer is not None
    order.key = placer.number
    order.placer = placer
    order.flags = placement.flags
    order.due_ns = placement.expiry_ns
    order.self_trade = placement.self_trade
    if placement.spend != 0:
        order.budget = placement.spend
    if placement.group != 0:
        join(state, order, placement.account, placement.group)
    return order


def enter(state: State, order: Order) -> i64:
    """Match, and rest or close an order that has passed every check and locked what it may cost.

    Return the lots that filled.
    """
    before = order.leaves
    reason = trade(state, order)
    filled = before - order.leaves
    if order.leaves == 0:
        return filled
    if reason == 0:
        state.rest(order)
        check_uncrossed(order)
        return filled
    state.touch_all(order.position)
    free_and_report(state, order, order.leaves, reason)
    return filled


def trade(state: State, order: Order) -> i64:
    """Match an order; return why what is left of it cannot rest, or 0."""
    match(state, order)
    order.self_trade = terms.CANCEL_RESTING  # Of this arrival: one that rests has the default.
    over = order.leaves == 0 or order.budget <= MAX_SUPPLY
    require(over or order.time_in_force != terms.FOK, "a fill-or-kill order was left with lots")
    if order.stop != 0:
        return order.stop
    if order.time_in_force == terms.IOC:
        return terms.CLOSE_BY_IMMEDIATE
    if order.budget <= MAX_SUPPLY and order.leaves > 0:
        return terms.CLOSE_BY_SPENDING
    return 0


def check_uncrossed(order: Order) -> None:
    """Stop the replica when an order that has just come to rest crosses another it could meet."""
    market = order.position.market
    require(market.state == terms.AUCTION or not market.book.is_crossed, "the book is crossed")
