"""Conservation: nothing appears or vanishes, and locks are exactly what orders need.

An independent walk over canonical records with unbounded integers. It knows the rules as
`docs/architecture.md` states them, not as the engine computes them.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from node.audit.canonical import (
    AccountRecord,
    CanonicalState,
    OrderRecord,
    ScheduleRecord,
)
from node.audit.shares import check_shares, held_for_shares
from node.domain.terms import (
    AUCTION,
    CREATED,
    FLAT,
    GROUP_ACTIVE,
    HALTED,
    NET,
    OPEN,
    RESOLVED,
    SELL_NO,
    SELL_YES,
    UNCROSSING,
    VOIDED,
)
from node.domain.units import FEE_SCALE, MAX_LOTS, MAX_PRICE, MIN_PRICE, PRICE_SCALE

_MOST_FINDINGS: Final = 100
_CROSSING: Final = frozenset({AUCTION, UNCROSSING})
"""In these states of a market its book may be crossed."""


class Totals(NamedTuple):
    """The sums that conservation compares, in micro-USDC; `sets` and `open_lots` are lots."""

    deposits: int
    withdrawn: int
    pending: int
    cash_free: int
    cash_locked: int
    collateral: int
    fees: int
    sets: int
    open_orders: int
    open_lots: int
    accounts: int
    markets: int


class Conservation(NamedTuple):
    """What the walk summed, and each contradiction it met (at most a hundred): none means exact."""

    totals: Totals
    findings: list[str]


def check_conservation(state: CanonicalState) -> Conservation:
    """Return the totals of `state` and every way in which money, locks or books are wrong."""
    findings = [
        *_check_treasury(state),
        *_check_withdrawals(state),
        *check_shares(state),
        *_check_accounts(state),
        *_check_positions(state),
        *_check_orders(state),
        *_check_groups(state),
        *_check_schedules(state),
        *_check_books(state),
    ]
    return Conservation(_totals(state), findings[:_MOST_FINDINGS])


def largest_fee_left(order: OrderRecord, schedule: ScheduleRecord) -> int:
    """Return the most that a buy order's leaves can add to its fee, in micro-USDC.

    One lot at the owner's price p adds bps x p x (10,000 - p) / 1e8, or with a flat schedule bps x
    p x 10,000 / 1e8; an order filled at its limit or better may meet any price up to it, and the
    first product is largest at one half. What it has paid in all is rounded up, the cap at most.
    """
    price = order.price if schedule.shape == FLAT else min(order.price, PRICE_SCALE // 2)
    base = PRICE_SCALE if schedule.shape == FLAT else PRICE_SCALE - price
    so_far = order.fee_whole * FEE_SCALE + order.fee_rest
    most = so_far + max(schedule.taker_bps, schedule.maker_bps) * price * base * order.leaves
    totals = (-(-so_far // FEE_SCALE), -(-most // FEE_SCALE))  # Both round up.
    before, after = (min(total, schedule.cap) if schedule.cap else total for total in totals)
    return after - before


def _totals(state: CanonicalState) -> Totals:
    live = [market for market in state.markets if market.state not in (RESOLVED, VOIDED)]
    return Totals(
        deposits=state.treasury.deposits,
        withdrawn=state.treasury.withdrawn,
        pending=sum(request.amount for request in state.withdrawals),
        cash_free=sum(account.cash_free for account in state.accounts),
        cash_locked=sum(account.cash_locked for account in state.accounts),
        collateral=held_for_shares(state),
        fees=state.treasury.fees,
        # In sets' worth; exact unless an exclusive event is settled in part.
        sets=(
            sum(market.collateral for market in live)
            + sum(event.collateral for event in state.events if event.settled < event.markets)
        )
        // PRICE_SCALE,
        open_orders=len(state.orders),
        open_lots=sum(order.leaves for order in state.orders),
        accounts=len(state.accounts),
        markets=len(state.markets),
    )


def _check_treasury(state: CanonicalState) -> Iterable[str]:
    totals = _totals(state)
    treasury = state.treasury
    held = totals.cash_free + totals.cash_locked + totals.collateral + totals.fees
    if held + totals.pending != totals.deposits - totals.withdrawn:
        yield (
            f"deposits are {totals.deposits}, withdrawn {totals.withdrawn}, waiting "
            f"{totals.pending}, but cash, collateral and fees are {held} micro-USDC"
        )
    if treasury.collateral != totals.collateral:
        yield (
            f"the treasury counts {treasury.collateral} of collateral, the "
            f"markets and events hold {totals.collateral}"
        )
    for name, counted, listed in (
        ("accounts", treasury.accounts, len(state.accounts)),
        ("events", treasury.events, len(state.events)),
        ("markets", treasury.markets, len(state.markets)),
        ("schedules", treasury.schedules, len(state.schedules)),
        ("markets", treasury.markets, len(state.rules)),
    ):
        if counted != listed:
            yield f"the treasury counts {counted} {name}, there are {listed}"
    kept = sum(account.positions for account in state.accounts)
    if kept != len(state.positions) or kept > treasury.positions:
        yield (
            f"accounts count {kept} positions, there are {len(state.positions)}, of "
            f"{treasury.positions} ever taken"
        )
    if treasury.fee_account and treasury.fees:
        yield f"the treasury keeps {treasury.fees} that are account {treasury.fee_account}'s fees"
    if treasury.fee_account > len(state.accounts):
        yield f"the fee account {treasury.fee_account} does not exist"
    if min(treasury) < 0:
        yield f"the treasury has a negative amount or counter: {treasury}"


def _check_withdrawals(state: CanonicalState) -> Iterable[str]:
    treasury = state.treasury
    asked = sum(request.amount for request in state.withdrawals)
    if treasury.pending != asked:
        yield (
            f"the treasury counts {treasury.pending} to be withdrawn, requests come to "
            f"{asked} micro-USDC"
        )
    accounts = {account.number for account in state.accounts}
    for request in state.withdrawals:
        if request.account not in accounts or request.amount < 1:
            yield f"withdrawal {request.id} is {request.amount} of account {request.account}"
        if not 1 <= request.id <= treasury.withdrawals:
            yield f"withdrawal {request.id} is none of {treasury.withdrawals}"


def _check_accounts(state: CanonicalState) -> Iterable[str]:
    schedules = {schedule.number: schedule for schedule in state.schedules}
    locked: defaultdict[int, int] = defaultdict(int)
    orders: defaultdict[int, int] = defaultdict(int)
    for order in state.orders:
        orders[order.account] += 1
        schedule = schedules.get(order.schedule)
        if schedule is None:
            yield f"order {order.id} agreed to schedule {order.schedule}, which there is not"
        elif order.is_buy:
            fee = largest_fee_left(order, schedule)
            locked[order.account] += order.price * order.leaves + fee
    for account in state.accounts:
        yield from _check_account(account, locked[account.number], orders[account.number])


def _check_account(account: AccountRecord, locked: int, orders: int) -> Iterable[str]:
    if account.cash_free < 0 or account.cash_locked < 0:
        yield (
            f"account {account.number} has {account.cash_free} free and "
            f"{account.cash_locked} locked micro-USDC"
        )
    if account.cash_locked != locked:
        yield (
            f"account {account.number} has locked {account.cash_locked}, its buy "
            f"orders need {locked} micro-USDC"
        )
    if account.orders != orders:
        yield f"account {account.number} counts {account.orders} open orders, there are {orders}"


def _check_positions(state: CanonicalState) -> Iterable[str]:
    locked: defaultdict[tuple[int, int, int], int] = defaultdict(int)
    for order in state.orders:
        if not order.is_buy:
            locked[order.account, order.market, order.intent] += order.leaves
    alive = {CREATED, OPEN, HALTED, *_CROSSING}
    tradable = {market.number for market in state.markets if market.state in alive}
    net = {account.number for account in state.accounts if account.mode == NET}
    owners: set[tuple[int, int]] = set()
    for position in state.positions:
        owner = (position.account, position.market)
        name = f"the position of account {position.account} in market {position.market}"
        if owner in owners:
            yield f"{name} exists twice"
        owners.add(owner)
        if min(position.yes_free, position.yes_locked, position.no_free, position.no_locked) < 0:
            yield f"{name} is negative: {position}"
        needed = (locked.pop((*owner, SELL_YES), 0), locked.pop((*owner, SELL_NO), 0))
        if (position.yes_locked, position.no_locked) != needed:
            yield (
                f"{name} has locked {(position.yes_locked, position.no_locked)} "
                f"lots, its sales need {needed}"
            )
        if (
            position.account in net
            and position.market in tradable
            and min(position.yes_free, position.no_free) > 0
        ):
            yield f"{name} keeps free pairs although the account is NET"
    for account, market, _ in locked:
        yield f"account {account} sells in market {market} without a position"


def _check_orders(state: CanonicalState) -> Iterable[str]:
    client_ids: set[tuple[int, int]] = set()
    for order in state.orders:
        if not (
            0 < order.leaves <= order.lots <= MAX_LOTS and MIN_PRICE <= order.price <= MAX_PRICE
        ):
            yield (
                f"order {order.id} rests with {order.leaves} of {order.lots} "
                f"lots at price {order.price}"
            )
        if (order.account, order.client_order_id) in client_ids:
            yield (
                f"account {order.account} has two open orders with client order "
                f"id {order.client_order_id}"
            )
        client_ids.add((order.account, order.client_order_id))


def _check_groups(state: CanonicalState) -> Iterable[str]:
    groups = {(group.account, group.number): group for group in state.groups}
    now_ns = state.venue.stamp_ns if state.venue is not None else 0
    for group in state.groups:
        filled = group.filled(now_ns)
        if group.state == GROUP_ACTIVE and not 0 <= filled < group.limit:
            yield (
                f"group {group.number} of account {group.account} is active with {filled} of "
                f"{group.limit} lots filled"
            )
    for order in state.orders:
        if order.group and (order.account, order.group) not in groups:
            yield f"order {order.id} is of group {order.group}, which there is not"


def _check_schedules(state: CanonicalState) -> Iterable[str]:
    schedules = {schedule.number: schedule for schedule in state.schedules}
    markets = {market.number: market for market in state.markets}
    for rules in state.rules:
        schedule, market = schedules.get(rules.schedule), markets.get(rules.market)
        if schedule is None or market is None:
            yield f"market {rules.market} has schedule {rules.schedule}: one of them is missing"
        elif (market.taker_fee_bps, market.maker_fee_bps) != schedule[2:4]:
            yield f"market {rules.market} says other rates than its schedule {rules.schedule}"


def _check_books(state: CanonicalState) -> Iterable[str]:
    best_bid: dict[int, int] = {}
    best_ask: dict[int, int] = {}
    count: defaultdict[int, int] = defaultdict(int)
    for order in state.orders:
        price = order.yes_price
        count[order.market] += 1
        if order.is_bid:
            best_bid[order.market] = max(price, best_bid.get(order.market, price))
        else:
            best_ask[order.market] = min(price, best_ask.get(order.market, price))
    for market in state.markets:
        bid, ask = best_bid.get(market.number, 0), best_ask.get(market.number, PRICE_SCALE)
        if bid >= ask and market.state not in _CROSSING:
            yield f"the book of market {market.number} is crossed: bid {bid}, ask {ask}"
        if market.orders != count[market.number]:
            yield (
                f"market {market.number} counts {market.orders} open orders, "
                f"there are {count[market.number]}"
            )
