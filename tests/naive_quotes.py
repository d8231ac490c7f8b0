"""The naive rule of quotes: try all legs on a copy of the venue, and only then for good."""

from copy import deepcopy

from node.domain.codes import Code
from node.domain.terms import CloseReason, TimeInForce
from tests import commands as c
from tests import order_commands as o
from tests.naive_book import NaiveOrder
from tests.naive_orders import NaiveOrders
from tests.naive_records import NaiveAccount, Outcome, RejectedError, require

MOST_LEGS = 8


class NaiveQuotes(NaiveOrders):
    """Several orders that only rest, all or none."""

    leg = 0
    entered: list[NaiveOrder]

    def _quote(self, command: o.Quote) -> Outcome:
        self._account(command.account)
        require(1 <= command.count <= MOST_LEGS, Code.LEGS_INVALID)
        trial = deepcopy(self)
        try:
            trial._enter_legs(command)
        except RejectedError as rejection:
            return Outcome(rejection.code, trial.leg)
        return Outcome(Code.OK, self._enter_legs(command))

    def _enter_legs(self, command: o.Quote) -> int:
        """Let the old orders go and enter the legs; return the first one's id."""
        account = self.accounts[command.account]
        names = set(account.orders)
        leaving = self._leaving(command, account)
        for old in leaving:
            self._unlock(old)
            self._forget(old)
            reason = CloseReason.REPLACED
            self._fact(old.account, "closed", old.order_id, leaves=old.leaves, detail=reason)
        first, self.entered = self.first_id + self.orders_made + 1, []
        for number, leg in enumerate(command.legs, 1):
            self.leg = number
            self._enter_leg(leg, account, names)
        for old in leaving:
            self._net(account, self.markets[old.market])
        return first

    def _leaving(self, command: o.Quote, account: NaiveAccount) -> list[NaiveOrder]:
        """Return the orders that leave, which must be there, and each named once."""
        names: list[int] = []
        for number, leg in enumerate(command.legs, 1):
            name = leg.old_client_order_id
            if name:
                self.leg = number
                require(name in account.orders and name not in names, Code.UNKNOWN_ORDER)
                self._require_own(account.orders[name])
                names.append(name)
        return [account.orders[name] for name in names]

    def _require_own(self, order: NaiveOrder) -> None:
        """Reject when an order is not the speaker's to take out."""

    def _enter_leg(self, leg: o.Leg, account: NaiveAccount, names: set[int]) -> None:
        """Enter one order where those before it rest already; a name that leaves is not free."""
        place = c.PlaceWithTerms(
            account.number,
            leg.market,
            leg.intent,
            leg.price,
            leg.lots,
            leg.client_order_id,
            TimeInForce.POST_ONLY,
            flags=leg.flags,
        )
        market = self._market(leg.market)
        order = self._order_of(place)
        self._check_terms(order, market)
        self._check_conditions(place)
        self._check_bounds(order, market)
        taken = order.client_order_id >= 1 and order.client_order_id in names
        require(not taken, Code.CLIENT_ORDER_ID_IN_USE)
        self._check_account(order, account, market)
        crossed = [other for other in self.entered if other.market == order.market]
        crossed = [other for other in crossed if other.side != order.side]
        crosses = any(order.crosses(other.yes_price) for other in crossed)
        require(not crosses, Code.WOULD_CROSS)
        self._check_crossing(order, market)
        self._check_means(order, account)
        self.orders_made += 1
        self.entered.append(order)
        self.orders[order.order_id] = order
        account.orders[order.client_order_id] = order
        self._lock(account, order, order.leaves)
        self._match(order, market)
