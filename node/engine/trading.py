"""The order commands, and what an account does with complete sets.

Each handler reads its fields from the frame at `at`, makes every check before the first change, and
returns a `Code`. Checks run in the order of the codes, except that funds and shares are looked at
last.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.units import MAX_PRICE, MIN_PRICE, PRICE_SCALE
from node.engine import ledger
from node.engine.account import Account
from node.engine.invariants import require
from node.engine.market import Market
from node.engine.matching import can_fill, match, would_cross
from node.engine.order import Order
from node.engine.outcome import Outcome
from node.engine.position import Position
from node.engine.removal import close, free_and_report
from node.engine.state import State
from node.engine.sweep import CANCEL_ACCOUNT, CANCEL_POSITION


def place(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Enter an order: lock what it may cost, match it, and rest or close what is left."""
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    client_order_id = read_i64_le(frame, at + layout.PLACE_CLIENT_ORDER_ID)
    word = read_i64_le(frame, at + layout.PLACE_PRICE)
    lots = read_i64_le(frame, at + layout.PLACE_LOTS)
    price = word & 0xFFFFFFFF
    intent = (word >> 32) & 0xFFFF
    time_in_force = (word >> 48) & 0xFFFF
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    market = state.market((ids >> 32) & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    code = check_terms(state, market, intent, time_in_force, price, lots)
    if code is not Code.OK:
        return code
    code = check_account(state, account, market, client_order_id, time_in_force)
    if code is not Code.OK:
        return code
    position = account.positions.get(market.number)
    code = check_book(state, account, market, intent, time_in_force, price, lots)
    if code is not Code.OK:
        return code
    code = check_means(market, account, position, intent, price, lots)
    if code is not Code.OK:
        return code
    if position is None:
        position = state.position(account, market)
    order = Order(
        state.next_order_id(),
        client_order_id,
        account,
        position,
        intent,
        time_in_force,
        price,
        lots,
    )
    outcome.result = order.id
    outcome.filled = enter(state, order)
    return Code.OK


def check_terms(
    state: State, market: Market, intent: i64, time_in_force: i64, price: i64, lots: i64
) -> Code:
    """Check what can be said of an order from its own fields and its market's rules."""
    if market.state != terms.OPEN:
        return Code.MARKET_NOT_OPEN
    if intent < terms.BUY_YES or intent > terms.SELL_NO:
        return Code.INTENT_INVALID
    if time_in_force < terms.GTC or time_in_force > terms.POST_ONLY:
        return Code.TIME_IN_FORCE_INVALID
    if price < MIN_PRICE or price > MAX_PRICE:
        return Code.PRICE_OUT_OF_RANGE
    if price % market.tick != 0:
        return Code.PRICE_OFF_TICK
    most: i64 = state.limits[limits.LOTS_PER_ORDER]
    if lots < 1 or lots > most:
        return Code.SIZE_OUT_OF_RANGE
    return Code.OK


def check_account(
    state: State, account: Account, market: Market, client_order_id: i64, time_in_force: i64
) -> Code:
    """Check the client's id and the account's counts; an order that cannot rest needs no room."""
    if client_order_id < 1:
        return Code.CLIENT_ORDER_ID_INVALID
    if client_order_id in account.orders_by_client:
        return Code.CLIENT_ORDER_ID_IN_USE
    if time_in_force == terms.GTC or time_in_force == terms.POST_ONLY:
        most_orders: i64 = state.limits[limits.OPEN_ORDERS_PER_ACCOUNT]
        if account.order_count >= most_orders:
            return Code.TOO_MANY_OPEN_ORDERS
    most_positions: i64 = state.limits[limits.POSITIONS_PER_ACCOUNT]
    if len(account.position_list) >= most_positions and market.number not in account.positions:
        return Code.TOO_MANY_POSITIONS
    return Code.OK


def check_book(
    state: State,
    account: Account,
    market: Market,
    intent: i64,
    time_in_force: i64,
    price: i64,
    lots: i64,
) -> Code:
    """Check the conditions that depend on what rests.

    A post-only order must not cross, a FOK one must fill.
    """
    if time_in_force == terms.GTC or time_in_force == terms.IOC:
        return Code.OK
    is_bid = intent == terms.BUY_YES or intent == terms.SELL_NO
    book_price = price if intent <= terms.SELL_YES else PRICE_SCALE - price
    if time_in_force == terms.POST_ONLY:
        if would_cross(state, market.book, is_bid, book_price):
            return Code.WOULD_CROSS
    elif not can_fill(state, market.book, account, is_bid, book_price, lots):
        return Code.CANNOT_FILL
    return Code.OK


def check_means(
    market: Market, account: Account, position: Position | None, intent: i64, price: i64, lots: i64
) -> Code:
    """Check that the account can lock what the order may cost."""
    if intent == terms.BUY_YES or intent == terms.BUY_NO:
        if account.cash_free < ledger.collateral_to_lock(price, lots, market.fee_bps_max):
            return Code.INSUFFICIENT_FUNDS
        return Code.OK
    free: i64 = 0
    if position is not None:
        free = position.yes_free if intent == terms.SELL_YES else position.no_free
    return Code.OK if free >= lots else Code.INSUFFICIENT_SHARES


def enter(state: State, order: Order) -> i64:
    """Lock, match, and rest or close an order that has passed every check.

    Return the lots that filled.
    """
    position = order.position
    market = position.market
    state.touch_owner(position)
    ledger.lock(order)
    stopped = match(state, order)
    filled = order.lots - order.leaves
    if order.leaves == 0:
        return filled
    if stopped:
        reason = terms.CLOSE_BY_FILL_LIMIT
    elif order.time_in_force == terms.IOC:
        reason = terms.CLOSE_BY_IMMEDIATE
    else:
        require(order.time_in_force != terms.FOK, "a fill-or-kill order was left with lots")
        state.rest(order)
        require(market.book.best_bid < market.book.best_ask, "the book is crossed")
        return filled
    state.touch_owner(position)
    state.touch(market.page)
    free_and_report(state, order, order.leaves, reason)
    return filled


def find_order(state: State, frame: bytes, at: i64) -> Order | None:
    """Return the account's resting order that a frame names, by order id or client order id."""
    account = state.account(read_i64_le(frame, at + layout.ACCOUNT) & 0xFFFFFFFF)
    if account is None:
        return None
    order_id = read_i64_le(frame, at + layout.TARGET_ORDER_ID)
    if order_id == 0:
        return account.orders_by_client.get(read_i64_le(frame, at + layout.TARGET_CLIENT_ORDER_ID))
    order = state.orders.get(order_id)
    if order is None or order.account is not account:
        return None
    return order


def cancel(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Close one resting order."""
    order = find_order(state, frame, at)
    if order is None:
        return Code.UNKNOWN_ORDER
    outcome.result = order.id
    close(state, order, terms.CLOSE_BY_USER)
    return Code.OK


def reduce(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Take lots off a resting order, which keeps its place; close it when nothing is left."""
    lots = read_i64_le(frame, at + layout.REDUCE_LOTS)
    order = find_order(state, frame, at)
    if order is None:
        return Code.UNKNOWN_ORDER
    if lots < 1:
        return Code.SIZE_OUT_OF_RANGE
    outcome.result = order.id
    if lots >= order.leaves:
        close(state, order, terms.CLOSE_BY_REDUCE)
        return Code.OK
    position = order.position
    market = position.market
    touch_all(state, position)
    state.orders.touch(order)
    level = market.book.level(order.book_price)
    require(level is not None, "a resting order has no level")
    assert level is not None
    level.lots -= lots
    ledger.release(order, lots)
    ledger.pair_off(position, state.treasury)
    state.writer.order_reduced(order, lots)
    state.writer.depth(market, level.price, terms.BID if order.is_bid else terms.ASK, level.lots)
    return Code.OK


def cancel_all(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Close the account's orders, in one market or all.

    Beyond the limit per command, doom and sweep them.
    """
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    number = (ids >> 32) & 0xFFFFFFFF
    budget: i64 = state.limits[limits.CANCELS_PER_COMMAND]
    watermark = state.id_base + state.treasury.orders + 1
    if number == 0:
        return cancel_account(state, account, budget, watermark, outcome)
    if state.market(number) is None:
        return Code.UNKNOWN_MARKET
    position = account.positions.get(number)
    if position is None:
        return Code.OK
    outcome.filled = cancel_position(state, position, budget, watermark)
    if position.first_order is not None:
        state.touch(position.page)
        position.watermark = watermark
        state.add_sweep(CANCEL_POSITION, account.number, number)
    return Code.OK


def cancel_account(
    state: State, account: Account, budget: i64, watermark: i64, outcome: Outcome
) -> Code:
    """Close orders in all of the account's markets."""
    closed: i64 = 0
    for position in account.position_list[:budget]:
        if closed >= budget or account.order_count == 0:
            break
        closed += cancel_position(state, position, budget - closed, watermark)
    outcome.filled = closed
    if account.order_count > 0:
        state.touch(account.page)
        account.watermark = watermark
        sweep = state.add_sweep(CANCEL_ACCOUNT, account.number, 0)
        sweep.cursor = len(account.position_list)
    return Code.OK


def cancel_position(state: State, position: Position, budget: i64, watermark: i64) -> i64:
    """Close up to `budget` of the position's orders with ids under `watermark`; return how many."""
    closed: i64 = 0
    while closed < budget:
        order = position.first_order
        if order is None or order.id >= watermark:
            break
        close(state, order, terms.CLOSE_BY_CANCEL_ALL)
        closed += 1
    return closed


def split(state: State, frame: bytes, at: i64) -> Code:
    """Turn free cash into complete sets."""
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    lots = read_i64_le(frame, at + layout.SETS_LOTS)
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    if account.is_net:
        return Code.SPLIT_IN_NET_MODE
    market = state.market((ids >> 32) & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if market.state != terms.OPEN:
        return Code.MARKET_NOT_OPEN
    most: i64 = state.limits[limits.LOTS_PER_ORDER]
    if lots < 1 or lots > most:
        return Code.SIZE_OUT_OF_RANGE
    most_positions: i64 = state.limits[limits.POSITIONS_PER_ACCOUNT]
    if len(account.position_list) >= most_positions and market.number not in account.positions:
        return Code.TOO_MANY_POSITIONS
    if account.cash_free < PRICE_SCALE * lots:
        return Code.INSUFFICIENT_FUNDS
    position = state.position(account, market)
    touch_all(state, position)
    ledger.split(position, lots, state.treasury)
    state.writer.sets_changed(account, market, lots)
    return Code.OK


def merge(state: State, frame: bytes, at: i64) -> Code:
    """Turn free complete sets into cash, for as long as the market has no price."""
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    lots = read_i64_le(frame, at + layout.SETS_LOTS)
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    market = state.market((ids >> 32) & 0xFFFFFFFF)
    if market is None:
        return Code.UNKNOWN_MARKET
    if market.state >= terms.RESOLVED:
        return Code.MARKET_STATE_INVALID
    most: i64 = state.limits[limits.LOTS_PER_ORDER]
    if lots < 1 or lots > most:
        return Code.SIZE_OUT_OF_RANGE
    position = account.positions.get(market.number)
    if position is None or min(position.yes_free, position.no_free) < lots:
        return Code.INSUFFICIENT_SHARES
    touch_all(state, position)
    ledger.merge(position, lots, state.treasury)
    state.writer.sets_changed(account, market, -lots)
    return Code.OK


def touch_all(state: State, position: Position) -> None:
    """Note that a position, its account, its market and the treasury are about to change."""
    state.touch_owner(position)
    state.touch(position.market.page)
    state.touch(state.treasury_page)


def redeem(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Pay out a position in a resolved market, ahead of the sweep that pays everybody."""
    ids = read_i64_le(frame, at + layout.ACCOUNT)
    account = state.account(ids & 0xFFFFFFFF)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    number = (ids >> 32) & 0xFFFFFFFF
    market = state.market(number)
    if market is None:
        return Code.UNKNOWN_MARKET
    if market.state < terms.RESOLVED:
        return Code.MARKET_NOT_RESOLVED
    position = account.positions.get(number)
    if position is None or (position.yes_free == 0 and position.no_free == 0):
        return Code.NOTHING_TO_REDEEM
    outcome.result = pay_out(state, position)
    return Code.OK


def pay_out(state: State, position: Position) -> i64:
    """Redeem a position that holds something and say so; return the micro-USDC paid."""
    market = position.market
    touch_all(state, position)
    yes = position.yes_free
    no = position.no_free
    paid = ledger.redeem(position, state.treasury)
    state.writer.redeemed(position.account, market, yes, no, paid)
    return paid
