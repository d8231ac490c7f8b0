"""The ledger: every movement of cash, shares and complete sets, and nothing else moves them.

Callers check first and touch pages through `State`; here a movement always succeeds.
"""

from mypy_extensions import i64

from node.domain.units import PRICE_SCALE
from node.engine.account import Account
from node.engine.fee_schedule import FeeSchedule
from node.engine.fees import charge, largest_fee, largest_fee_left
from node.engine.market import Event, Market
from node.engine.order import Order
from node.engine.position import Position
from node.engine.treasury import Treasury


def collateral_of(order: Order) -> i64:
    """Return the cash that a buy order's leaves need.

    The limit price and the largest fee, but no more than its budget, in micro-USDC.
    """
    if not order.is_buy or order.leaves == 0:
        return 0
    most = order.price * order.leaves + largest_fee_left(order)
    return min(order.budget, most)


def collateral_to_lock(limit: i64, lots: i64, schedule: FeeSchedule) -> i64:
    """Return the most that a new buy order can cost.

    Its limit price and the largest fee, in micro-USDC.
    """
    return limit * lots + largest_fee(schedule, limit, lots, 0, 0)


def lock(order: Order) -> None:
    """Move what the order may cost from free to locked: cash for a buy, shares for a sale."""
    change_open(order, order.leaves)
    if order.is_buy:
        order.cash_locked = collateral_of(order)
        order.account.cash_free -= order.cash_locked
        order.account.cash_locked += order.cash_locked
        change_exposure(order, order.cash_locked)
    elif order.is_yes:
        order.position.yes_free -= order.leaves
        order.position.yes_locked += order.leaves
    else:
        order.position.no_free -= order.leaves
        order.position.no_locked += order.leaves


def change_open(order: Order, lots: i64) -> None:
    """Count lots into what the position's orders may still trade, or (below 0) out of it."""
    if order.is_bid:
        order.position.open_bids += lots
    else:
        order.position.open_asks += lots


def change_exposure(order: Order, amount: i64) -> None:
    """Count cash into what the orders of the key that placed this one have locked, or out of it."""
    placer = order.placer
    if placer is not None:
        placer.exposure += amount


def release(order: Order, lots: i64) -> None:
    """Take `lots` off the order's leaves and free what they had locked."""
    order.leaves -= lots
    change_open(order, -lots)
    if order.is_buy:
        needed = collateral_of(order)
        freed = order.cash_locked - needed
        order.cash_locked = needed
        order.account.cash_locked -= freed
        order.account.cash_free += freed
        change_exposure(order, -freed)
    elif order.is_yes:
        order.position.yes_locked -= lots
        order.position.yes_free += lots
    else:
        order.position.no_locked -= lots
        order.position.no_free += lots


def settle(order: Order, price: i64, lots: i64, bps: i64) -> i64:
    """Give the order its side of a fill at YES `price`; return the fee that it has paid.

    A buyer pays the fill's price, not its limit: the difference, and fees that can no longer arise,
    become free. The fee, in micro-USDC, is still to be given to whom it is due.
    """
    own_price = order.own_price(price)
    fee = charge(order, bps, own_price, lots)
    order.leaves -= lots
    change_open(order, -lots)
    account = order.account
    position = order.position
    if order.is_buy:
        order.budget -= own_price * lots + fee
        needed = collateral_of(order)
        freed = order.cash_locked - needed
        order.cash_locked = needed
        account.cash_locked -= freed
        account.cash_free += freed - own_price * lots - fee
        change_exposure(order, -freed)
        if order.is_yes:
            position.yes_free += lots
        else:
            position.no_free += lots
    else:
        if order.is_yes:
            position.yes_locked -= lots
        else:
            position.no_locked -= lots
        account.cash_free += own_price * lots - fee
    return fee


def keep_fees(amount: i64, treasury: Treasury) -> None:
    """Give fees that were paid to the fee account, whose page is touched, or the treasury."""
    account = treasury.fee_account
    if account is None:
        treasury.fees += amount
    else:
        account.cash_free += amount


def name_fee_account(account: Account, treasury: Treasury) -> i64:
    """Give an account the fees from now on, and what the treasury has kept; return how much."""
    kept = treasury.fees
    treasury.fees = 0
    treasury.fee_account = account
    account.cash_free += kept
    return kept


def give_rebate(account: Account, amount: i64) -> None:
    """Give a maker its share of a fee that its taker has paid."""
    account.cash_free += amount


def change_collateral(market: Market, amount: i64, treasury: Treasury) -> None:
    """Move micro-USDC into (or, below 0, out of) what stands behind a market's shares.

    10,000 a complete set; an exclusive event holds it for all its markets.
    """
    if market.event.exclusive != 0:
        market.event.collateral += amount
    else:
        market.collateral += amount
    treasury.collateral += amount


def pair_off(position: Position, treasury: Treasury) -> None:
    """In a NET account, merge free YES/NO pairs into free cash."""
    pairs = min(position.yes_free, position.no_free)
    if pairs > 0 and position.account.is_net:
        merge(position, pairs, treasury)


def split(position: Position, lots: i64, treasury: Treasury) -> None:
    """Turn free cash into `lots` complete sets."""
    position.account.cash_free -= PRICE_SCALE * lots
    position.yes_free += lots
    position.no_free += lots
    change_collateral(position.market, PRICE_SCALE * lots, treasury)


def merge(position: Position, lots: i64, treasury: Treasury) -> None:
    """Turn `lots` free complete sets into free cash."""
    position.yes_free -= lots
    position.no_free -= lots
    position.account.cash_free += PRICE_SCALE * lots
    change_collateral(position.market, -PRICE_SCALE * lots, treasury)


def convert(position: Position, lots: i64, named: bool, treasury: Treasury) -> None:
    """Do one market's part of a conversion: NO goes if it is named, else YES comes."""
    if named:
        position.no_free -= lots
    else:
        position.yes_free += lots
        pair_off(position, treasury)


def give_up_outcome(position: Position, lots: i64) -> None:
    """Do one market's part of a merge of outcomes: free YES goes."""
    position.yes_free -= lots


def pay_from_event(account: Account, event: Event, amount: i64, treasury: Treasury) -> None:
    """Move micro-USDC from what an exclusive event holds to an account's free cash."""
    event.collateral -= amount
    treasury.collateral -= amount
    account.cash_free += amount


def redeem(position: Position, treasury: Treasury) -> i64:
    """Pay out a position of a resolved market, YES the market's price and NO the rest.

    Return the micro-USDC paid.
    """
    price = position.market.price
    paid = price * position.yes_free + (PRICE_SCALE - price) * position.no_free
    position.account.cash_free += paid
    position.yes_free = 0
    position.no_free = 0
    change_collateral(position.market, -paid, treasury)
    return paid


def credit(account: Account, amount: i64, treasury: Treasury) -> None:
    """Add a deposit to an account's free cash."""
    account.cash_free += amount
    treasury.deposits += amount


def transfer(giver: Account, taker: Account, amount: i64) -> None:
    """Move free cash from one account to another."""
    giver.cash_free -= amount
    taker.cash_free += amount


def set_aside(account: Account, amount: i64, treasury: Treasury) -> None:
    """Lock free cash that is to be withdrawn."""
    account.cash_free -= amount
    treasury.pending += amount


def take_back(account: Account, amount: i64, treasury: Treasury) -> None:
    """Free cash that was to be withdrawn."""
    treasury.pending -= amount
    account.cash_free += amount


def pay_away(amount: i64, treasury: Treasury) -> None:
    """Let cash that was set aside leave the venue."""
    treasury.pending -= amount
    treasury.withdrawn += amount
