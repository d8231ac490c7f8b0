"""The naive venue: the rules of the exchange once more, with nothing but lists and dicts.

It is what the engine must agree with, command by command. It has no sessions, pages, events or
bounded sweeps: what the engine sweeps, it does at once when a group ends. A rule is stated here in
the fewest words that are right.
"""

from collections.abc import Iterable

from node.domain.codes import Code
from node.domain.limits import LIMIT_RANGES, Limit
from node.domain.terms import (
    AccountMode,
    CloseReason,
    Intent,
    Liquidity,
    MarketState,
    MatchKind,
    Role,
    TimeInForce,
)
from node.domain.units import MAX_SUPPLY
from tests import commands as c
from tests.naive_book import WHOLE, NaiveOrder, NaiveSchedule
from tests.naive_fees import NaiveFees
from tests.naive_records import (
    SETTLED,
    Fact,
    Fill,
    NaiveAccount,
    NaiveEvent,
    NaiveMarket,
    NaivePosition,
    Outcome,
    RejectedError,
    require,
)


class NaiveVenue(NaiveFees):
    """The rules: commands, checks and matching over the naive ledger."""

    # ----------------------------------------------------------------------------------------------

    def apply(self, command: c.Command, role: int = Role.OPERATOR, own_account: int = 0) -> Outcome:
        """Execute one command for a key of this role.

        Facts and fills of it replace the previous ones.
        """
        self.facts, self.fills = [], []
        try:
            self._permit(command, role, own_account)
            outcome: Outcome = getattr(self, "_" + type(command).__name__.lower())(command)
        except RejectedError as rejection:
            return Outcome(rejection.code)
        return outcome

    def begin_group(self, now_ns: int) -> list[Fact]:
        """Let time pass; return the facts of what expires, earliest and oldest first."""
        self.now_ns = now_ns
        self.facts, self.fills = [], []
        expired = [order for order in self.orders.values() if 0 < order.expiry_ns <= now_ns]
        for order in sorted(expired, key=lambda order: (order.expiry_ns, order.order_id)):
            self._close(order, CloseReason.EXPIRED)
        return self.facts

    def end_group(self) -> None:
        """Do what the engine sweeps.

        Cancel the orders of closed markets, pay the positions of resolved ones.
        """
        self.facts, self.fills = [], []
        for market in self.markets.values():
            if market.state == MarketState.CLOSED:
                for order in [
                    order for order in self.orders.values() if order.market == market.number
                ]:
                    self._close(order, CloseReason.MARKET_CLOSED)
            elif market.sweeping:
                for account in self.accounts.values():
                    self._pay(account, market)
            market.sweeping = False

    def _permit(self, command: c.Command, role: int, own_account: int) -> None:
        if role == Role.OPERATOR:
            return
        require(command.kind < c.AccountOpen.kind, Code.NOT_PERMITTED)
        if role == Role.TRADER:
            require(getattr(command, "account", 0) == own_account, Code.NOT_PERMITTED)

    def _accountopen(self, command: c.AccountOpen) -> Outcome:
        addresses = [account.address for account in self.accounts.values()]
        require(command.address not in addresses, Code.ACCOUNT_EXISTS)
        require(len(self.accounts) < self.limits[Limit.ACCOUNTS], Code.TOO_MANY_ACCOUNTS)
        require(command.mode in (AccountMode.NET, AccountMode.HOLD), Code.MODE_INVALID)
        number = len(self.accounts) + 1
        self.accounts[number] = NaiveAccount(number, command.mode, command.address)
        return Outcome(Code.OK, number)

    def _deposit(self, command: c.Deposit) -> Outcome:
        account = self._account(command.account)
        in_range = 1 <= command.amount <= self.limits[Limit.DEPOSIT_AMOUNT]
        require(in_range, Code.AMOUNT_OUT_OF_RANGE)
        require(command.cursor > self.deposit_cursor, Code.DEPOSIT_ALREADY_CREDITED)
        require(command.cursor == self.deposit_cursor + 1, Code.DEPOSIT_GAP)
        require(self.deposits + command.amount <= MAX_SUPPLY, Code.SUPPLY_EXCEEDED)
        self.deposit_cursor += 1
        self.deposits += command.amount
        account.cash_free += command.amount
        self._fact(account.number, "deposited", lots=command.amount, detail=command.cursor)
        return Outcome(Code.OK, command.cursor)

    def _eventcreate(self, command: c.EventCreate) -> Outcome:
        require(len(self.events) < self.limits[Limit.EVENTS], Code.TOO_MANY_EVENTS)
        require(command.name[:1] not in (b"", b"\0"), Code.NAME_INVALID)
        number = len(self.events) + 1
        self.events[number] = NaiveEvent(number, bool(command.exclusive))
        return Outcome(Code.OK, number)

    def _marketcreate(self, command: c.MarketCreate) -> Outcome:
        require(command.event in self.events, Code.UNKNOWN_EVENT)
        event = self.events[command.event]
        require(len(self.markets) < self.limits[Limit.MARKETS], Code.TOO_MANY_MARKETS)
        require(len(event.markets) < self.limits[Limit.MARKETS_PER_EVENT], Code.EVENT_FULL)
        started = any(market.state != MarketState.CREATED for market in event.markets)
        require(not (event.exclusive and started), Code.EVENT_STARTED)
        require(command.name[:1] not in (b"", b"\0"), Code.NAME_INVALID)
        require(command.tick in [n for n in range(1, 5_001) if 5_000 % n == 0], Code.TICK_INVALID)
        for bps in (command.taker_fee_bps, command.maker_fee_bps):
            require(0 <= bps <= self.limits[Limit.FEE_BPS], Code.FEE_OUT_OF_RANGE)
        schedule = NaiveSchedule(command.taker_fee_bps, command.maker_fee_bps)
        self._enter(schedule)
        number = len(self.markets) + 1
        self.markets[number] = NaiveMarket(number, event, command.tick, schedule)
        event.markets.append(self.markets[number])
        return Outcome(Code.OK, number)

    def _marketopen(self, command: c.MarketOpen) -> Outcome:
        return self._move(command, (MarketState.CREATED, MarketState.HALTED), MarketState.OPEN)

    def _markethalt(self, command: c.MarketHalt) -> Outcome:
        return self._move(command, (MarketState.OPEN,), MarketState.HALTED)

    def _marketclose(self, command: c.MarketClose) -> Outcome:
        before = (MarketState.CREATED, MarketState.OPEN, MarketState.HALTED)
        self._move(command, before, MarketState.CLOSED)
        self.markets[command.market].sweeping = True
        resting = [order for order in self.orders.values() if order.market == command.market]
        return Outcome(Code.OK, 0, len(resting))

    def _marketresolve(self, command: c.MarketResolve) -> Outcome:
        return self._settle_market(command, MarketState.RESOLVED, command.price)

    def _marketvoid(self, command: c.MarketVoid) -> Outcome:
        market = self._market(command.market)
        price = WHOLE // 2
        if market.event.exclusive:
            price, rest = divmod(WHOLE, len(market.event.markets))
            price += market.event.markets.index(market) < rest
        return self._settle_market(command, MarketState.VOIDED, price)

    def _configure(self, command: c.Configure) -> Outcome:
        require(0 <= command.limit < len(self.limits), Code.UNKNOWN_LIMIT)
        bounds = LIMIT_RANGES[command.limit]
        require(bounds.least <= command.value <= bounds.most, Code.LIMIT_OUT_OF_RANGE)
        self.limits[command.limit] = command.value
        return Outcome(Code.OK, command.limit)

    def _split(self, command: c.Split) -> Outcome:
        account = self._account(command.account)
        require(account.mode == AccountMode.HOLD, Code.SPLIT_IN_NET_MODE)
        market = self._market(command.market)
        require(market.state == MarketState.OPEN, Code.MARKET_NOT_OPEN)
        require(1 <= command.lots <= self.limits[Limit.LOTS_PER_ORDER], Code.SIZE_OUT_OF_RANGE)
        self._require_position(account, market)
        require(account.cash_free >= WHOLE * command.lots, Code.INSUFFICIENT_FUNDS)
        self._change_sets(account, market, command.lots)
        self._fact(account.number, "sets", lots=command.lots, detail=market.number)
        return Outcome(Code.OK)

    def _merge(self, command: c.Merge) -> Outcome:
        account, market = self._account(command.account), self._market(command.market)
        require(market.state not in SETTLED, Code.MARKET_STATE_INVALID)
        require(1 <= command.lots <= self.limits[Limit.LOTS_PER_ORDER], Code.SIZE_OUT_OF_RANGE)
        position = account.positions.get(market.number, NaivePosition())
        pairs = min(position.yes_free, position.no_free)
        require(pairs >= command.lots, Code.INSUFFICIENT_SHARES)
        self._change_sets(account, market, -command.lots)
        self._fact(account.number, "sets", lots=-command.lots, detail=market.number)
        return Outcome(Code.OK)

    def _redeem(self, command: c.Redeem) -> Outcome:
        account, market = self._account(command.account), self._market(command.market)
        require(market.state in SETTLED, Code.MARKET_NOT_RESOLVED)
        position = account.positions.get(market.number, NaivePosition())
        require(position.yes + position.no > 0, Code.NOTHING_TO_REDEEM)
        return Outcome(Code.OK, self._pay(account, market))

    def _place(self, command: c.Place) -> Outcome:
        account, market = self._account(command.account), self._market(command.market)
        taker = self._order_of(command)
        self._check_terms(taker, market)
        if isinstance(command, c.PlaceWithTerms):
            self._check_conditions(command)
        require(taker.time_in_force != TimeInForce.GTD or taker.expiry_ns != 0, Code.EXPIRY_INVALID)
        self._check_account(taker, account, market)
        self._check_crossing(taker, market)
        self._check_means(taker, account)
        self.orders_made += 1
        self.orders[taker.order_id] = taker
        account.orders[taker.client_order_id] = taker
        self._lock(account, taker, taker.leaves)
        self._match(taker, market)
        return Outcome(Code.OK, taker.order_id, sum(fill.lots for fill in self.fills))

    _placewithterms = _place

    def _cancel(self, command: c.Cancel) -> Outcome:
        order = self._find(command)
        self._close(order, CloseReason.USER)
        return Outcome(Code.OK, order.order_id)

    def _reduce(self, command: c.Reduce) -> Outcome:
        order = self._find(command)
        require(command.lots >= 1, Code.SIZE_OUT_OF_RANGE)
        if command.lots >= order.leaves:
            self._close(order, CloseReason.REDUCED_TO_ZERO)
            return Outcome(Code.OK, order.order_id)
        self._release(order, command.lots)
        self._fact(order.account, "reduced", order.order_id, lots=command.lots, leaves=order.leaves)
        return Outcome(Code.OK, order.order_id)

    def _cancelall(self, command: c.CancelAll) -> Outcome:
        account = self._account(command.account)
        if command.market:
            self._market(command.market)
        mine = list(account.orders.values())
        closed = [order for order in mine if command.market in (0, order.market)]
        for order in closed:
            self._close(order, CloseReason.CANCEL_ALL)
        return Outcome(Code.OK, 0, len(closed))

    # ----------------------------------------------------------------------------------------------

    def _account(self, number: int) -> NaiveAccount:
        require(number in self.accounts, Code.UNKNOWN_ACCOUNT)
        return self.accounts[number]

    def _market(self, number: int) -> NaiveMarket:
        require(number in self.markets, Code.UNKNOWN_MARKET)
        return self.markets[number]

    def _find(self, command: c.Cancel | c.Reduce) -> NaiveOrder:
        """Return the order that is named by its id or else by its client's.

        The market is not looked at.
        """
        account = self.accounts.get(command.account)
        if command.order_id:
            order = self.orders.get(command.order_id)
        else:
            order = account.orders.get(command.client_order_id) if account else None
        if order is None or order.account != command.account:
            raise RejectedError(Code.UNKNOWN_ORDER)
        return order

    def _order_of(self, command: c.Place) -> NaiveOrder:
        return NaiveOrder(
            self.first_id + self.orders_made + 1,
            command.client_order_id,
            command.account,
            command.market,
            command.intent,
            command.time_in_force,
            command.price,
            command.lots,
            command.lots,
            self.markets[command.market].schedule,
            expiry_ns=getattr(command, "expiry_ns", 0),
        )

    def _check_terms(self, order: NaiveOrder, market: NaiveMarket) -> None:
        require(market.state == MarketState.OPEN, Code.MARKET_NOT_OPEN)
        require(order.intent in list(Intent), Code.INTENT_INVALID)
        require(order.time_in_force in list(TimeInForce), Code.TIME_IN_FORCE_INVALID)
        require(1 <= order.price < WHOLE, Code.PRICE_OUT_OF_RANGE)
        require(order.price % market.tick == 0, Code.PRICE_OFF_TICK)
        require(1 <= order.lots <= self.limits[Limit.LOTS_PER_ORDER], Code.SIZE_OUT_OF_RANGE)

    def _check_conditions(self, command: c.PlaceWithTerms) -> None:
        unknown = (command.flags, command.group, command.self_trade, command.spend)
        require(not any(unknown), Code.FLAGS_INVALID)
        if command.expiry_ns:
            may_expire = command.time_in_force in (TimeInForce.GTD, TimeInForce.POST_ONLY)
            require(may_expire and command.expiry_ns > self.now_ns, Code.EXPIRY_INVALID)
        in_time = not command.accept_by_ns or self.now_ns <= command.accept_by_ns
        no_expiry = command.time_in_force == TimeInForce.GTD and not command.expiry_ns
        require(not no_expiry, Code.EXPIRY_INVALID)
        require(in_time, Code.ACCEPT_BY_PASSED)

    def _check_account(self, order: NaiveOrder, account: NaiveAccount, market: NaiveMarket) -> None:
        require(order.client_order_id >= 1, Code.CLIENT_ORDER_ID_INVALID)
        require(order.client_order_id not in account.orders, Code.CLIENT_ORDER_ID_IN_USE)
        if order.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK):
            room = len(account.orders) < self.limits[Limit.OPEN_ORDERS_PER_ACCOUNT]
            require(room, Code.TOO_MANY_OPEN_ORDERS)
        self._require_position(account, market)

    def _check_means(self, order: NaiveOrder, account: NaiveAccount) -> None:
        if order.buys:
            require(account.cash_free >= self._collateral(order), Code.INSUFFICIENT_FUNDS)
        else:
            position = account.positions.get(order.market, NaivePosition())
            require(position.free_of(order) >= order.lots, Code.INSUFFICIENT_SHARES)

    def _check_crossing(self, taker: NaiveOrder, market: NaiveMarket) -> None:
        if taker.time_in_force == TimeInForce.POST_ONLY:
            require(market.book.best_for(taker) is None, Code.WOULD_CROSS)
        elif taker.time_in_force == TimeInForce.FOK:
            makers = list(market.book.makers_for(taker))[: self.limits[Limit.FILLS_PER_ORDER]]
            others = sum(maker.leaves for maker in makers if maker.account != taker.account)
            require(others >= taker.lots, Code.CANNOT_FILL)

    def _require_position(self, account: NaiveAccount, market: NaiveMarket) -> None:
        known = market.number in account.positions
        alive = [number for number in account.positions if self.markets[number].is_alive]
        room = len(alive) < self.limits[Limit.POSITIONS_PER_ACCOUNT]
        require(known or room, Code.TOO_MANY_POSITIONS)

    # ----------------------------------------------------------------------------------------------

    def _match(self, taker: NaiveOrder, market: NaiveMarket) -> None:
        touched = 0
        while taker.leaves and (maker := market.book.best_for(taker)):
            if touched == self.limits[Limit.FILLS_PER_ORDER]:
                self._close(taker, CloseReason.FILL_LIMIT)
                return
            touched += 1
            if maker.account == taker.account:
                self._close(maker, CloseReason.SELF_TRADE)
            else:
                self._fill(maker, taker, market)
        if not taker.leaves:
            return
        if taker.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            self._close(taker, CloseReason.IMMEDIATE)
            return
        market.book.rest(taker)
        self._fact(taker.account, "rested", taker.order_id, taker.price, leaves=taker.leaves)

    def _fill(self, maker: NaiveOrder, taker: NaiveOrder, market: NaiveMarket) -> None:
        price, lots = maker.yes_price, min(maker.leaves, taker.leaves)
        kind = MatchKind.TRANSFER
        if maker.buys and taker.buys:
            kind = MatchKind.MINT
            market.sets += lots
        elif not maker.buys and not taker.buys:
            kind = MatchKind.MERGE
            market.sets -= lots
        self.fills_made += 1
        fill_id = self.first_id + self.fills_made
        ids = (maker.order_id, taker.order_id)
        self.fills.append(Fill(market.number, fill_id, price, kind, lots, taker.side, *ids))
        rates = (maker.schedule.maker_bps, taker.schedule.taker_bps)
        maker_fee = self._settle(maker, price, lots, rates[0], fill_id, Liquidity.MAKER)
        taker_fee = self._settle(taker, price, lots, rates[1], fill_id, Liquidity.TAKER)
        self._share_out(maker, maker_fee, taker_fee, fill_id)

    # ----------------------------------------------------------------------------------------------

    # ----------------------------------------------------------------------------------------------

    def _move(
        self, command: c.Lifecycle, before: Iterable[MarketState], after: MarketState
    ) -> Outcome:
        market = self._market(command.market)
        require(market.state in before, Code.MARKET_STATE_INVALID)
        market.state = after
        return Outcome(Code.OK)

    def _settle_market(self, command: c.Lifecycle, state: MarketState, price: int) -> Outcome:
        market = self._market(command.market)
        require(market.state == MarketState.CLOSED, Code.MARKET_STATE_INVALID)
        require(0 <= price <= WHOLE, Code.RESOLUTION_PRICE_OUT_OF_RANGE)
        if market.event.exclusive:
            others = [other for other in market.event.markets if other is not market]
            total = price + sum(other.price for other in others if other.state in SETTLED)
            last = all(other.state in SETTLED for other in others)
            fits = total == WHOLE if last else total <= WHOLE
            require(fits, Code.RESOLUTION_SUM_INVALID)
        require(not market.sweeping, Code.MARKET_SWEEPING)
        market.state, market.price, market.sweeping = state, price, True
        return Outcome(Code.OK)
