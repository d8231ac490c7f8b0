"""The naive rules of risk: bounds, stops, pace, and presence."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import (
    AccountMode,
    CloseReason,
    PauseLevel,
    Role,
    Scope,
    Side,
    StopReason,
)
from node.domain.units import MAX_SUPPLY
from tests import account_commands as a
from tests import commands as c
from tests import life_commands as life
from tests import order_commands as o
from tests.naive_agents import NaiveAgents
from tests.naive_book import NaiveOrder
from tests.naive_lives import Due
from tests.naive_records import NaiveAccount, NaiveMarket, NaivePosition, Outcome, require
from tests.venue_driver import SECOND_NS

HARMLESS = (c.Cancel, c.Reduce, c.CancelAll, c.Merge, c.Redeem, o.OrderGroupTrigger)
GIVES_AWAY = (a.SubaccountOpen, a.Transfer, a.WithdrawRequest, a.AgentSet)
SAFER = (a.Stop, a.AgentRevoke)
OWNERS = (a.SubaccountOpen, a.Transfer, a.WithdrawRequest, a.DeadlineSet, a.StopLift, c.Split)
NOTHING = a.BoundsSet(0, 0)


class NaiveRisk(NaiveAgents):
    """What a command may not do although its account could pay for it."""

    def __init__(self, limits: Sequence[int], shard: int, operator_key: bytes) -> None:
        """Start with nothing but limits and the operator's key."""
        super().__init__(limits, shard, operator_key)
        self.splitting = 0
        self.bounds: dict[tuple[int, int], a.BoundsSet] = {}
        self.stops: dict[tuple[int, int], int] = {}
        self.busy: dict[tuple[int, int], int] = {}
        self.deadlines: dict[int, int] = {}
        self.waits = 0

    def apply(
        self, command: c.Command, role: int = Role.OPERATOR, own_account: int = 0, key: int = 1
    ) -> Outcome:
        """Execute one command for a key of this role and number."""
        self.speaker = key
        outcome = super().apply(command, role, own_account)
        return outcome._replace(result=self.waits) if self.waits else outcome

    def _permit(self, command: c.Command, role: int, own_account: int) -> None:
        self.waits = 0
        agent = self.agents.get(self.speaker)
        require(not agent or not agent.revoked, Code.KEY_REVOKED)
        number = getattr(command, "account", 0)
        if agent and command.kind < c.AccountOpen.kind:
            require(number == own_account, Code.NOT_PERMITTED)
            require(agent.terms.expiry_ns > self.now_ns, Code.AGENT_EXPIRED)
            require(type(command) not in OWNERS, Code.AGENT_ACTION_NOT_ALLOWED)
            if self._adds_risk(command):
                cost = SECOND_NS // agent.terms.rate * self._items(command)
                burst = max(cost, SECOND_NS)
                self._take((Scope.KEY, self.speaker), cost, burst, Code.AGENT_RATE_EXCEEDED)
        super()._permit(command, role, own_account)
        if command.kind >= c.AccountOpen.kind:
            return
        refill = self.limits[Limit.RATE_REFILL]
        paced = role != Role.OPERATOR and type(command) not in SAFER
        if refill and paced and number in self.accounts:
            cost = self._cost(command) * SECOND_NS // refill * self._items(command)
            burst = max(self.limits[Limit.RATE_BURST] * SECOND_NS // refill, cost)
            self._take((Scope.ACCOUNT, number), cost, burst, Code.RATE_EXCEEDED)
        stopped = (Scope.ACCOUNT, number) in self.stops
        if self._adds_risk(command) or type(command) in GIVES_AWAY:
            require((Scope.KEY, self.speaker) not in self.stops, Code.KEY_STOPPED)
        if self._adds_risk(command):
            require((Scope.VENUE, 0) not in self.stops, Code.VENUE_STOPPED)
            account = self.accounts.get(number)
            splits = type(command) is c.Split and account and account.mode == AccountMode.HOLD
            if isinstance(command, c.Place | o.Quote | life.Convert) or splits:
                require(not stopped, Code.ACCOUNT_STOPPED)

    def _adds_risk(self, command: c.Command) -> bool:
        orders = command.kind < a.SubaccountOpen.kind and type(command) not in HARMLESS
        return orders or type(command) is life.Convert

    def _items(self, command: c.Command) -> int:
        """Return how many orders a command counts as."""
        return min(max(command.count, 1), 8) if isinstance(command, o.Quote) else 1

    def _require_own(self, order: NaiveOrder) -> None:
        mine = self.speaker not in self.agents or order.key == self.speaker
        require(mine, Code.AGENT_NOT_ITS_ORDER)

    def _take(self, who: tuple[int, int], cost: int, burst: int, code: Code) -> None:
        begins = max(self.busy.get(who, 0), self.now_ns)
        self.waits = max(begins + cost - burst - self.now_ns, 0)
        require(self.waits == 0, code)
        self.busy[who] = begins + cost

    def _cost(self, command: c.Command) -> int:
        if type(command) in (c.Cancel, c.CancelAll, o.OrderGroupTrigger):
            return self.limits[Limit.RATE_COST_CANCEL]
        if type(command) in (c.Reduce, o.Amend, o.OrderGroupSet, o.OrderGroupReset):
            return self.limits[Limit.RATE_COST_AMEND]
        return self.limits[Limit.RATE_COST_PLACE]

    # What an order may do.

    def _order_of(self, command: c.Place) -> NaiveOrder:
        return replace(super()._order_of(command), key=self.speaker)

    def _bounded(self, account: NaiveAccount) -> list[int]:
        """Return the limits that bind this account."""
        bounds = self.bounds.get((Scope.ACCOUNT, account.number), NOTHING)
        limits = list(self.limits)
        for limit, own in (
            (Limit.OPEN_ORDERS_PER_ACCOUNT, bounds.open_orders),
            (Limit.POSITIONS_PER_ACCOUNT, bounds.positions),
        ):
            limits[limit] = min(limits[limit], own or limits[limit])
        return limits

    def _check_account(self, order: NaiveOrder, account: NaiveAccount, market: NaiveMarket) -> None:
        kept, self.limits = self.limits, self._bounded(account)
        try:
            super()._check_account(order, account, market)
        finally:
            self.limits = kept
        self._check_risk(order, None)

    def _check_change(self, old: NaiveOrder, new: NaiveOrder) -> None:
        mine = self.speaker not in self.agents or old.key == self.speaker
        stopped = (Scope.MARKET, new.market) in self.stops
        require(not stopped, Code.MARKET_STOPPED)
        require(mine, Code.AGENT_NOT_ITS_ORDER)
        self._check_risk(new, old)
        if new.order_id != old.order_id:
            new.key = self.speaker
        super()._check_change(old, new)

    def _check_risk(self, order: NaiveOrder, old: NaiveOrder | None) -> None:
        require((Scope.MARKET, order.market) not in self.stops, Code.MARKET_STOPPED)
        both = [
            self.bounds.get((Scope.ACCOUNT, order.account), NOTHING),
            self.bounds.get((Scope.MARKET, order.market), NOTHING),
        ]
        reached = self._net_lots(order, old) + order.leaves
        require(not both[0].reduce_only or reached <= 0, Code.REDUCE_ONLY)
        value = min(order.price * order.lots, order.budget)
        for bounds in both:
            require(not bounds.order_lots or order.lots <= bounds.order_lots, Code.ORDER_TOO_LARGE)
            require(not bounds.order_value or value <= bounds.order_value, Code.ORDER_TOO_LARGE)
        for bounds in both:
            fits = not bounds.position_lots or reached <= bounds.position_lots
            require(fits, Code.POSITION_LIMIT_EXCEEDED)
        if self.speaker in self.agents:
            self._check_agent(self.agents[self.speaker], order, old)

    def _net_lots(self, order: NaiveOrder, old: NaiveOrder | None) -> int:
        """Return how far the account may get on the order's side without it."""
        market = self.markets[order.market]
        return self._net_of(self.accounts[order.account], market, order.side, old)

    def _net_of(
        self,
        account: NaiveAccount,
        market: NaiveMarket,
        side: Side,
        old: NaiveOrder | None = None,
    ) -> int:
        held = account.positions.get(market.number, NaivePosition())
        net = held.yes - held.no
        working = sum(
            other.leaves
            for other in account.orders.values()
            if other is not old and other.market == market.number and other.side == side
        )
        return (net if side is Side.BID else -net) + working

    def _check_gain(self, account: NaiveAccount, market: NaiveMarket, lots: int) -> None:
        require((Scope.MARKET, market.number) not in self.stops, Code.MARKET_STOPPED)
        if self.speaker in self.agents:
            self._require_listed(self.agents[self.speaker].terms, market)
        own = self.bounds.get((Scope.ACCOUNT, account.number), NOTHING)
        reached = self._net_of(account, market, Side.BID) + lots
        require(not own.reduce_only or reached <= 0, Code.REDUCE_ONLY)
        for bounds in (own, self.bounds.get((Scope.MARKET, market.number), NOTHING)):
            fits = not bounds.position_lots or reached <= bounds.position_lots
            require(fits, Code.POSITION_LIMIT_EXCEEDED)

    def _check_loss(self, account: NaiveAccount, market: NaiveMarket, lots: int) -> None:
        own = self.bounds.get((Scope.ACCOUNT, account.number), NOTHING)
        reached = self._net_of(account, market, Side.ASK) + lots
        require(not own.reduce_only or reached <= 0, Code.REDUCE_ONLY)

    def _split(self, command: c.Split) -> Outcome:
        account = self.accounts.get(command.account)
        kept = self.limits
        if account:
            self.limits = self._bounded(account)
        self.splitting = command.market
        try:
            return super()._split(command)
        finally:
            self.limits, self.splitting = kept, 0

    def _require_position(self, account: NaiveAccount, market: NaiveMarket) -> None:
        super()._require_position(account, market)
        if self.splitting:
            require((Scope.MARKET, market.number) not in self.stops, Code.MARKET_STOPPED)
            bounds = self.bounds.get((Scope.ACCOUNT, account.number), NOTHING)
            require(not bounds.reduce_only, Code.REDUCE_ONLY)

    # Commands.

    def _check_stop(self, command: a.Stop) -> None:
        owner = self.speaker != 1
        numbers = {number: key for key, number in self.keys.items()}
        if owner:
            mine = command.scope == Scope.ACCOUNT and command.subject == command.account
            if command.scope == Scope.KEY and command.subject in numbers:
                mine = self._account_of(command.subject) == command.account
            require(mine, Code.NOT_PERMITTED)
        if self.speaker in self.agents:
            itself = (command.scope, command.subject) == (Scope.KEY, self.speaker)
            require(itself, Code.AGENT_ACTION_NOT_ALLOWED)
        require(command.scope in list(Scope), Code.STOP_INVALID)

    def _account_of(self, key: int) -> int:
        if key in self.agents:
            return self.agents[key].terms.account
        opened = [number for number in self.accounts if not self.accounts[number].owner]
        others = {self.keys[key] for key in self.resolvers} | set(self.agents)
        keys = [number for number in range(2, len(self.keys) + 1) if number not in others]
        return dict(zip(keys, opened, strict=True)).get(key, 0)

    def _stop(self, command: a.Stop) -> Outcome:
        self._check_stop(command)
        require(command.reason in list(StopReason), Code.STOP_INVALID)
        what = (command.scope, command.subject)
        takes_over = self.speaker == 1 and self.stops.get(what, 1) != 1
        require(what not in self.stops or takes_over, Code.ALREADY_STOPPED)
        if takes_over:
            self.stops[what] = self.speaker
            return Outcome(Code.OK, len(self.stops))
        known = {
            Scope.KEY: (list(self.keys.values()), Code.UNKNOWN_KEY),
            Scope.ACCOUNT: (list(self.accounts), Code.UNKNOWN_ACCOUNT),
            Scope.MARKET: (list(self.markets), Code.UNKNOWN_MARKET),
            Scope.VENUE: ([0], Code.STOP_INVALID),
        }
        subjects, code = known[Scope(command.scope)]
        require(command.subject in subjects, code)
        self.stops[what] = self.speaker
        for order in list(self.orders.values()):
            named = {
                Scope.KEY: (order.key, CloseReason.KEY_STOPPED),
                Scope.ACCOUNT: (order.account, CloseReason.ACCOUNT_STOPPED),
                Scope.MARKET: (order.market, CloseReason.MARKET_STOPPED),
                Scope.VENUE: (0, CloseReason.MARKET_STOPPED),
            }
            subject, reason = named[Scope(command.scope)]
            if subject == command.subject:
                self._close(order, reason)
        return Outcome(Code.OK, len(self.stops))

    def _require_leaving(self, account: NaiveAccount) -> None:
        by_operator = self.stops.get((Scope.ACCOUNT, account.number)) == 1
        require(not by_operator, Code.ACCOUNT_STOPPED)
        self._require_level(account, None, PauseLevel.CANCEL_ONLY)

    def _stoplift(self, command: a.StopLift) -> Outcome:
        self._check_stop(command)
        by = self.stops.get((command.scope, command.subject))
        require(by != 1 or self.speaker == 1, Code.NOT_PERMITTED)
        require(command.reason in list(StopReason), Code.STOP_INVALID)
        require(by is not None, Code.NOT_STOPPED)
        del self.stops[command.scope, command.subject]
        return Outcome(Code.OK, len(self.stops))

    def _deadlineset(self, command: a.DeadlineSet) -> Outcome:
        least = self.now_ns + self.limits[Limit.DEADLINE_MS] * 10**6
        require(command.deadline_ns in (0, max(command.deadline_ns, least)), Code.DEADLINE_INVALID)
        self._holder(command.account)
        self.deadlines[command.account] = command.deadline_ns
        return Outcome(Code.OK, command.deadline_ns)

    def _due(self) -> list[Due]:
        late = partial(partial, self._be_late)
        return super()._due() + [(at, 20, one, late(one)) for one, at in self.deadlines.items()]

    def _be_late(self, number: int) -> None:
        """End all orders of an account whose client has not said in time that it is there."""
        self.deadlines[number] = 0
        for order in self.accounts[number].orders.values():
            order.is_late = True
        self.begun.append(partial(self._close_late, number))

    def _close_late(self, number: int) -> None:
        for order in [one for one in self.accounts[number].orders.values() if one.is_late]:
            self._close(order, CloseReason.DEADLINE_PASSED)

    def _require_trading(self, market: NaiveMarket) -> None:
        require((Scope.VENUE, 0) not in self.stops, Code.VENUE_STOPPED)
        require((Scope.MARKET, market.number) not in self.stops, Code.MARKET_STOPPED)
        super()._require_trading(market)

    def _ondisconnect(self, command: a.OnDisconnect) -> Outcome:
        if command.scope == Scope.ACCOUNT:
            require(self.speaker != 1, Code.NOT_PERMITTED)
            require(self.speaker not in self.agents, Code.AGENT_ACTION_NOT_ALLOWED)
        else:
            require(command.scope in (0, Scope.KEY), Code.SCOPE_INVALID)
        return Outcome(Code.OK)

    def _boundsset(self, command: a.BoundsSet) -> Outcome:
        counts = (command.open_orders, command.positions)
        sizes = (command.order_lots, command.order_value, command.position_lots)
        sound = command.reduce_only in (0, 1) and all(count >= 0 for count in counts)
        sound &= all(0 <= size <= MAX_SUPPLY for size in sizes)
        own = command.scope == Scope.ACCOUNT
        plain = not any((command.reduce_only, *counts)) and command.scope == Scope.MARKET
        require(sound and (own or plain), Code.BOUNDS_INVALID)
        known = self.accounts if own else self.markets
        require(command.subject in known,
                Code.UNKNOWN_ACCOUNT if own else Code.UNKNOWN_MARKET)  # fmt: skip
        what = (command.scope, command.subject)
        was_free = not self.bounds.get(what, NOTHING).reduce_only
        self.bounds[what] = command
        if was_free and command.reduce_only:
            for order in list(self.accounts[command.subject].orders.values()):
                self._close(order, CloseReason.REDUCE_ONLY)
        return Outcome(Code.OK, command.subject)
