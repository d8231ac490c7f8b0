"""The naive trading rules: placing, cancelling and matching over the naive ledger."""

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import (
    CloseReason,
    Intent,
    Liquidity,
    MarketState,
    MatchKind,
    OrderFlag,
    PauseLevel,
    PauseScope,
    SelfTrade,
    TimeInForce,
)
from tests import commands as c
from tests import order_commands as o
from tests.naive_book import WHOLE, NaiveOrder
from tests.naive_guards import NaiveGuards
from tests.naive_lives import NaiveLives
from tests.naive_records import (
    Fill,
    NaiveAccount,
    NaiveMarket,
    NaivePosition,
    Outcome,
    RejectedError,
    require,
)


class NaiveTrading(NaiveGuards, NaiveLives):
    """Orders one at a time: each rule in the fewest words that are right."""

    def _place(self, command: c.Place) -> Outcome:
        account, market = self._account(command.account), self._market(command.market)
        taker = self._order_of(command)
        self._check_terms(taker, market)
        if isinstance(command, c.PlaceWithTerms):
            self._check_conditions(command)
        require(taker.time_in_force != TimeInForce.GTD or taker.expiry_ns != 0, Code.EXPIRY_INVALID)
        self._check_bounds(taker, market)
        self._check_account(taker, account, market)
        self._check_crossing(taker, market)
        self._check_value(taker, market)
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
        self._require_level_of(order)
        self._close(order, CloseReason.USER)
        return Outcome(Code.OK, order.order_id)

    def _reduce(self, command: c.Reduce) -> Outcome:
        order = self._find(command)
        self._require_level_of(order)
        require(command.lots >= 1, Code.SIZE_OUT_OF_RANGE)
        if command.lots >= order.leaves:
            self._close(order, CloseReason.REDUCED_TO_ZERO)
            return Outcome(Code.OK, order.order_id)
        self._release(order, command.lots)
        order.lots -= command.lots
        self._fact(order.account, "reduced", order.order_id, lots=command.lots, leaves=order.leaves)
        return Outcome(Code.OK, order.order_id)

    def _cancelall(self, command: c.CancelAll) -> Outcome:
        account = self._account(command.account)
        market = self._market(command.market) if command.market else None
        self._require_level(account, market, PauseLevel.CANCEL_ONLY)
        mine = list(account.orders.values())
        closed = [order for order in mine if command.market in (0, order.market)]
        for order in closed:
            self._close(order, CloseReason.CANCEL_ALL)
        return Outcome(Code.OK, 0, len(closed))

    def _account(self, number: int) -> NaiveAccount:
        require(number in self.accounts, Code.UNKNOWN_ACCOUNT)
        return self.accounts[number]

    def _market(self, number: int) -> NaiveMarket:
        require(number in self.markets, Code.UNKNOWN_MARKET)
        return self.markets[number]

    def _find(self, command: c.Cancel | c.Reduce | o.Amend) -> NaiveOrder:
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
            self_trade=getattr(command, "self_trade", 0),
            flags=getattr(command, "flags", 0),
        )

    def _check_terms(self, order: NaiveOrder, market: NaiveMarket) -> None:
        require(market.state == MarketState.OPEN, Code.MARKET_NOT_OPEN)
        posts = order.time_in_force == TimeInForce.POST_ONLY
        most = PauseLevel.POST_ONLY if posts else PauseLevel.NONE
        self._require_level(self.accounts[order.account], market, most)
        require(order.intent in list(Intent), Code.INTENT_INVALID)
        require(order.time_in_force in list(TimeInForce), Code.TIME_IN_FORCE_INVALID)
        require(1 <= order.price < WHOLE, Code.PRICE_OUT_OF_RANGE)
        require(market.has_price(order.price), Code.PRICE_OFF_TICK)
        require(1 <= order.lots <= self.limits[Limit.LOTS_PER_ORDER], Code.SIZE_OUT_OF_RANGE)

    def _check_conditions(self, command: c.PlaceWithTerms) -> None:
        flags = command.flags & ~OrderFlag.CANCEL_ON_PAUSE
        unknown = (flags, command.group, command.spend)
        require(not any(unknown), Code.FLAGS_INVALID)
        if command.expiry_ns:
            may_expire = command.time_in_force in (TimeInForce.GTD, TimeInForce.POST_ONLY)
            require(may_expire and command.expiry_ns > self.now_ns, Code.EXPIRY_INVALID)
        in_time = not command.accept_by_ns or self.now_ns <= command.accept_by_ns
        no_expiry = command.time_in_force == TimeInForce.GTD and not command.expiry_ns
        require(not no_expiry, Code.EXPIRY_INVALID)
        require(in_time, Code.ACCEPT_BY_PASSED)
        require(command.self_trade in list(SelfTrade), Code.SELF_TRADE_INVALID)

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
            own = [maker.account == taker.account for maker in makers]
            if taker.self_trade != SelfTrade.CANCEL_RESTING and any(own):
                makers = makers[: own.index(True)]
            others = [maker for maker in makers if maker.account != taker.account]
            require(self._fill_in_peace(taker, others, market), Code.CANNOT_FILL)

    def _require_position(self, account: NaiveAccount, market: NaiveMarket) -> None:
        known = market.number in account.positions
        alive = [number for number in account.positions if self.markets[number].is_alive]
        room = len(alive) < self.limits[Limit.POSITIONS_PER_ACCOUNT]
        require(known or room, Code.TOO_MANY_POSITIONS)

    def _match(self, taker: NaiveOrder, market: NaiveMarket) -> None:
        touched = 0
        while taker.leaves and (maker := market.book.best_for(taker)):
            if touched == self.limits[Limit.FILLS_PER_ORDER]:
                self._close(taker, CloseReason.FILL_LIMIT)
                return
            touched += 1
            if maker.account == taker.account:
                if taker.self_trade != SelfTrade.CANCEL_TAKER:
                    self._close(maker, CloseReason.SELF_TRADE)
                if taker.self_trade != SelfTrade.CANCEL_RESTING:
                    self._close(taker, CloseReason.SELF_TRADE)
                    return
            elif self._moves_too_far(market, [maker.yes_price]):
                self._pause_by_itself(market)
                self._doom(PauseScope.MARKET, market.number)
                self._close(taker, CloseReason.MARKET_PAUSED)
                return
            else:
                self._fill(maker, taker, market)
                self._note_price(market, maker.yes_price)
        if not taker.leaves:
            return
        if taker.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            self._close(taker, CloseReason.IMMEDIATE)
            return
        taker.self_trade = SelfTrade.CANCEL_RESTING
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
