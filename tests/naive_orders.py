"""The naive rules of orders that change: amendments and replacements."""

from dataclasses import replace

from node.domain.codes import Code
from node.domain.terms import CloseReason, TimeInForce
from tests import order_commands as o
from tests.naive_book import NaiveOrder
from tests.naive_records import NaivePosition, Outcome, require
from tests.naive_trading import NaiveTrading


class NaiveOrders(NaiveTrading):
    """What an account does with orders that it already has."""

    def _amend(self, command: o.Amend) -> Outcome:
        order = self._find(command)
        market = self.markets[order.market]
        changed = self._changed(order, command)
        keeps_place = changed.price == order.price and changed.lots <= order.lots
        self._check_terms(changed, market)
        self._check_bounds(changed, market)
        if changed.leaves <= 0:
            self._close(order, CloseReason.AMENDED_TO_ZERO)
            return Outcome(Code.OK, order.order_id)
        if keeps_place:
            self._release(order, order.lots - changed.lots)
            order.lots = changed.lots
            self._tell_amended(order, keeps_place=True)
            return Outcome(Code.OK, order.order_id)
        self._check_change(order, changed)
        market.book.remove(order)
        self._unlock(order)
        self.orders_made += 1  # Its new place is a number like an order's.
        order.price, order.lots, order.leaves = changed.price, changed.lots, changed.leaves
        order.place = self.first_id + self.orders_made
        self._lock(self.accounts[order.account], order, order.leaves)
        self._net(self.accounts[order.account], market)
        self._tell_amended(order, keeps_place=False)
        self._match(order, market)
        return Outcome(Code.OK, order.order_id, sum(fill.lots for fill in self.fills))

    def _replace(self, command: o.Replace) -> Outcome:
        old = self._find(command)
        account, market = self.accounts[old.account], self.markets[old.market]
        new = self._changed(old, command)
        new.client_order_id = command.new_client_order_id
        new.order_id, new.schedule = self.first_id + self.orders_made + 1, market.schedule
        new.place = new.order_id
        new.rate_sum = new.fees_met = 0
        self._check_terms(new, market)
        self._check_bounds(new, market)
        require(new.client_order_id >= 1, Code.CLIENT_ORDER_ID_INVALID)
        require(new.client_order_id not in account.orders, Code.CLIENT_ORDER_ID_IN_USE)
        if new.leaves <= 0:
            self._close(old, CloseReason.REPLACED)
            return Outcome(Code.OK)
        self._check_change(old, new)
        self._unlock(old)
        self._forget(old)
        reason = CloseReason.REPLACED
        self._fact(old.account, "closed", old.order_id, leaves=old.leaves, detail=reason)
        self.orders_made += 1
        self.orders[new.order_id] = new
        account.orders[new.client_order_id] = new
        self._lock(account, new, new.leaves)
        self._net(account, market)
        self._match(new, market)
        return Outcome(Code.OK, new.order_id, sum(fill.lots for fill in self.fills))

    def _changed(self, order: NaiveOrder, command: o.Amend) -> NaiveOrder:
        """Return a copy of the order as the command would have it."""
        lots = command.lots or order.lots
        leaves = lots - (order.lots - order.leaves)
        return replace(order, price=command.price or order.price, lots=lots, leaves=leaves)

    def _check_change(self, old: NaiveOrder, new: NaiveOrder) -> None:
        """Check that `new` may enter the book when `old` has left it."""
        if new.time_in_force == TimeInForce.POST_ONLY:
            require(self.markets[new.market].met_by(new) is None, Code.WOULD_CROSS)
        self._check_value(new, self.markets[new.market])
        account = self.accounts[new.account]
        if new.buys:
            has = account.cash_free + self._collateral(old)
            require(has >= self._collateral(new), Code.INSUFFICIENT_FUNDS)
        else:
            position = account.positions.get(new.market, NaivePosition())
            has = position.free_of(new) + old.leaves
            require(has >= new.leaves, Code.INSUFFICIENT_SHARES)

    def _unlock(self, order: NaiveOrder) -> None:
        account = self.accounts[order.account]
        if order.buys:
            account.cash_free += self._collateral(order)
            account.cash_locked -= self._collateral(order)
        else:
            account.positions[order.market].lock(order, -order.leaves)

    def _tell_amended(self, order: NaiveOrder, *, keeps_place: bool) -> None:
        sizes = (order.lots, order.leaves)
        ids = (order.account, "amended", order.order_id, order.price)
        self._fact(*ids, *sizes, detail=int(keeps_place))
