"""The naive ledger: what an order locks, what a fill moves, what is set free, in integers."""

from collections.abc import Sequence

from node.domain.terms import AccountMode, CloseReason, Liquidity
from tests.naive_book import WHOLE, NaiveOrder, NaiveSchedule
from tests.naive_records import (
    Fact,
    Fill,
    NaiveAccount,
    NaiveEvent,
    NaiveMarket,
    NaivePosition,
)


class NaiveLedger:
    """All accounts, markets and orders of one venue, and every movement of money and shares."""

    def __init__(self, limits: Sequence[int], shard: int = 0) -> None:
        """Start with nothing but limits."""
        self.limits = list(limits)
        self.first_id = shard << 48
        self.accounts: dict[int, NaiveAccount] = {}
        self.events: dict[int, NaiveEvent] = {}
        self.markets: dict[int, NaiveMarket] = {}
        self.orders: dict[int, NaiveOrder] = {}
        self.orders_made = 0
        self.fills_made = 0
        self.deposits = 0
        self.deposit_cursor = 0
        self.withdrawn = 0
        self.withdrawals: dict[int, tuple[int, int]] = {}
        """Account and amount of each request that waits."""
        self.withdrawals_made = 0
        self.last_transfers: dict[int, int] = {}
        self.fees = 0
        self.fee_account = 0
        self.schedules: list[NaiveSchedule] = []
        self.now_ns = 0
        self.facts: list[Fact] = []
        self.fills: list[Fill] = []

    def _settle(
        self, order: NaiveOrder, yes_price: int, lots: int, bps: int, fill_id: int, side: Liquidity
    ) -> int:
        """Move the money and the shares of one half of a fill; return the fee."""
        account, own_price = self.accounts[order.account], order.in_own_terms(yes_price)
        locked, charged = self._collateral(order), order.schedule.due(order.rate_sum)
        order.rate_sum += order.schedule.rate(bps, own_price) * lots
        order.leaves -= lots
        fee, value = order.schedule.due(order.rate_sum) - charged, own_price * lots
        if order.buys:
            order.budget -= value + fee
            released = locked - self._collateral(order)
            account.cash_locked -= released
            account.cash_free += released - value - fee
            account.positions[order.market].give(order, lots)
        else:
            account.positions[order.market].lock(order, -lots)
            account.positions[order.market].give(order, -lots)
            account.cash_free += value - fee
        self._net(account, self.markets[order.market])
        price = order.in_own_terms(yes_price)
        ids = (order.order_id, price, lots, order.leaves, fee, fill_id, side)
        self._fact(account.number, "filled", *ids)
        if not order.leaves:
            self._forget(order)
        return fee

    def _collateral(self, order: NaiveOrder) -> int:
        """Return the cash that an order must have locked.

        Its cost and the largest fee still to come.
        """
        if not order.buys:
            return 0
        due, more = order.schedule.due, order.schedule.worst(order.price) * order.leaves
        fee = due(order.rate_sum + more) - due(order.rate_sum)
        return min(order.price * order.leaves + fee, order.budget if order.leaves else 0)

    def _lock(self, account: NaiveAccount, order: NaiveOrder, lots: int) -> None:
        position = account.positions.setdefault(order.market, NaivePosition())
        if order.buys:
            account.cash_free -= self._collateral(order)
            account.cash_locked += self._collateral(order)
        else:
            position.lock(order, lots)

    def _release(self, order: NaiveOrder, lots: int) -> None:
        """Make an order smaller and give back what was locked for that part."""
        account = self.accounts[order.account]
        locked = self._collateral(order)
        order.leaves -= lots
        released = locked - self._collateral(order)
        account.cash_locked -= released
        account.cash_free += released
        if not order.buys:
            account.positions[order.market].lock(order, -lots)
        self._net(account, self.markets[order.market])

    def _close(self, order: NaiveOrder, reason: CloseReason) -> None:
        leaves = order.leaves
        self._forget(order)
        self._release(order, leaves)
        self._fact(order.account, "closed", order.order_id, leaves=leaves, detail=reason)

    def _forget(self, order: NaiveOrder) -> None:
        del self.orders[order.order_id]
        del self.accounts[order.account].orders[order.client_order_id]
        book = self.markets[order.market].book
        if order in book.levels[order.side].get(order.yes_price, []):
            book.remove(order)

    def _net(self, account: NaiveAccount, market: NaiveMarket) -> None:
        """Turn free pairs of a NET account into cash."""
        position = account.positions[market.number]
        if account.mode == AccountMode.NET:
            self._change_sets(account, market, -min(position.yes_free, position.no_free))

    def _change_sets(self, account: NaiveAccount, market: NaiveMarket, lots: int) -> None:
        position = account.positions.setdefault(market.number, NaivePosition())
        account.cash_free -= WHOLE * lots
        position.yes_free += lots
        position.no_free += lots
        market.sets += lots

    def _pay(self, account: NaiveAccount, market: NaiveMarket) -> int:
        """Pay for the shares of an account in a settled market; return the micro-USDC."""
        position = account.positions.get(market.number, NaivePosition())
        yes, no = position.yes, position.no
        if not yes + no:
            return 0
        amount = market.price * yes + (WHOLE - market.price) * no
        account.cash_free += amount
        account.positions[market.number] = NaivePosition()
        self._fact(account.number, "redeemed", price=market.price, lots=yes, leaves=no, fee=amount)
        return amount

    def _fact(
        self,
        account: int,
        what: str,
        order_id: int = 0,
        price: int = 0,
        lots: int = 0,
        leaves: int = 0,
        fee: int = 0,
        fill_id: int = 0,
        detail: int = 0,
    ) -> None:
        self.facts.append(Fact(account, what, order_id, price, lots, leaves, fee, fill_id, detail))
