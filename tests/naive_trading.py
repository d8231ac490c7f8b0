"""The naive trading rules: placing, cancelling and matching over the naive ledger."""

from dataclasses import replace

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import (
    AccountMode,
    CloseReason,
    Intent,
    Liquidity,
    MarketState,
    MatchKind,
    OrderFlag,
    PauseLevel,
    PauseScope,
    SelfTrade,
    Side,
    TimeInForce,
)
from node.domain.units import MAX_SUPPLY
from tests import commands as c
from tests import order_commands as o
from tests.naive_book import WHOLE, NaiveOrder
from tests.naive_groups import NaiveGroups
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

AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


class NaiveTrading(NaiveGroups, NaiveLives):
    """Orders one at a time: each rule in the fewest words that are right."""

    def _place(self, command: c.Place) -> Outcome:
        account, market = self._account(command.account), self._market(command.market)
        taker = self._order_of(command)
        self._check_terms(taker, market)
        if isinstance(command, c.PlaceWithTerms):
            self._check_conditions(command)
            if command.spend:
                taker.budget = command.spend
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
        require(command.side in (0, Side.BID, Side.ASK), Code.SIDE_INVALID)
        require(not (command.market and command.event), Code.SCOPE_INVALID)
        market = self._market(command.market) if command.market else None
        if command.event:
            require(command.event in self.events, Code.UNKNOWN_EVENT)
            level = self.pauses.get((int(PauseScope.EVENT), command.event))
            require(level != PauseLevel.HALTED, Code.PAUSED_HALTED)
        self._require_level(account, market, PauseLevel.CANCEL_ONLY)
        closed = [order for order in account.orders.values() if self._is_meant(order, command)]
        for order in closed:
            self._close(order, CloseReason.CANCEL_ALL)
        return Outcome(Code.OK, 0, len(closed))

    def _is_meant(self, order: NaiveOrder, command: c.CancelAll) -> bool:
        """Tell whether a mass cancel is about an order: one that buys YES or sells NO is a bid."""
        side = Side.BID if order.intent in (Intent.BUY_YES, Intent.SELL_NO) else Side.ASK
        event = self.markets[order.market].event.number
        return (
            command.market in (0, order.market)
            and command.event in (0, event)
            and command.side in (0, side)
        )

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
        lots, spend = command.lots, int(getattr(command, "spend", 0))
        if spend and not lots:
            lots = self.limits[Limit.LOTS_PER_ORDER]
        return NaiveOrder(
            self.first_id + self.orders_made + 1,
            command.client_order_id,
            command.account,
            command.market,
            command.intent,
            command.time_in_force,
            command.price,
            lots,
            lots,
            self.markets[command.market].schedule,
            expiry_ns=getattr(command, "expiry_ns", 0),
            self_trade=getattr(command, "self_trade", 0),
            flags=getattr(command, "flags", 0),
            group=getattr(command, "group", 0),
            place=self.first_id + self.orders_made + 1,
            reduces=bool(getattr(command, "flags", 0) & OrderFlag.REDUCE_ONLY),
        )

    def _check_terms(self, order: NaiveOrder, market: NaiveMarket) -> None:
        called = market.state == MarketState.AUCTION
        require(not called or order.time_in_force not in AT_ONCE, Code.MARKET_IN_AUCTION)
        require(called or market.state == MarketState.OPEN, Code.MARKET_NOT_OPEN)
        posts = order.time_in_force == TimeInForce.POST_ONLY
        most = PauseLevel.POST_ONLY if posts else PauseLevel.NONE
        self._require_level(self.accounts[order.account], market, most)
        require(order.intent in list(Intent), Code.INTENT_INVALID)
        require(order.time_in_force in list(TimeInForce), Code.TIME_IN_FORCE_INVALID)
        require(1 <= order.price < WHOLE, Code.PRICE_OUT_OF_RANGE)
        require(market.has_price(order.price), Code.PRICE_OFF_TICK)
        require(1 <= order.lots <= self.limits[Limit.LOTS_PER_ORDER], Code.SIZE_OUT_OF_RANGE)

    def _check_conditions(self, command: c.PlaceWithTerms) -> None:
        at_once = command.time_in_force in AT_ONCE
        known = OrderFlag.REDUCE_ONLY | OrderFlag.CANCEL_ON_PAUSE
        require(not command.flags & ~known, Code.FLAGS_INVALID)
        require(at_once or not command.flags & OrderFlag.REDUCE_ONLY, Code.FLAGS_INVALID)
        if command.expiry_ns:
            may_expire = command.time_in_force in (TimeInForce.GTD, TimeInForce.POST_ONLY)
            require(may_expire and command.expiry_ns > self.now_ns, Code.EXPIRY_INVALID)
        in_time = not command.accept_by_ns or self.now_ns <= command.accept_by_ns
        no_expiry = command.time_in_force == TimeInForce.GTD and not command.expiry_ns
        require(not no_expiry, Code.EXPIRY_INVALID)
        require(in_time, Code.ACCEPT_BY_PASSED)
        buys = command.intent in (Intent.BUY_YES, Intent.BUY_NO)
        may_spend = at_once and buys and 0 < command.spend <= MAX_SUPPLY
        require(may_spend or not command.spend, Code.SPEND_INVALID)
        require(command.self_trade in list(SelfTrade), Code.SELF_TRADE_INVALID)

    def _check_account(self, order: NaiveOrder, account: NaiveAccount, market: NaiveMarket) -> None:
        require(order.client_order_id >= 1, Code.CLIENT_ORDER_ID_INVALID)
        require(order.client_order_id not in account.orders, Code.CLIENT_ORDER_ID_IN_USE)
        if order.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK):
            room = len(account.orders) < self.limits[Limit.OPEN_ORDERS_PER_ACCOUNT]
            require(room, Code.TOO_MANY_OPEN_ORDERS)
        self._require_position(account, market)
        if order.reduces:
            self._cut_down(order, account)
        self._check_group(order)

    def _check_means(self, order: NaiveOrder, account: NaiveAccount) -> None:
        if order.buys:
            require(account.cash_free >= self._collateral(order), Code.INSUFFICIENT_FUNDS)
        else:
            position = account.positions.get(order.market, NaivePosition())
            require(position.free_of(order) >= order.lots, Code.INSUFFICIENT_SHARES)

    def _check_crossing(self, taker: NaiveOrder, market: NaiveMarket) -> None:
        if taker.time_in_force == TimeInForce.POST_ONLY:
            require(market.met_by(taker) is None, Code.WOULD_CROSS)
        elif taker.time_in_force == TimeInForce.FOK and taker.budget <= MAX_SUPPLY:
            self._check_spending(replace(taker), market)
        elif taker.time_in_force == TimeInForce.FOK:
            makers = list(market.book.makers_for(taker))[: self.limits[Limit.FILLS_PER_ORDER]]
            own = [maker.account == taker.account for maker in makers]
            if taker.self_trade != SelfTrade.CANCEL_RESTING and any(own):
                makers = makers[: own.index(True)]
            others = [maker for maker in makers if maker.account != taker.account]
            able = list(zip(others, self._lots_in_turn(others), strict=True))
            can = self._room(taker) >= taker.lots and self._fill_in_peace(taker, able, market)
            require(can, Code.CANNOT_FILL)

    def _require_position(self, account: NaiveAccount, market: NaiveMarket) -> None:
        known = market.number in account.positions
        alive = [number for number in account.positions if self.markets[number].is_alive]
        room = len(alive) < self.limits[Limit.POSITIONS_PER_ACCOUNT]
        require(known or room, Code.TOO_MANY_POSITIONS)

    def _match(self, taker: NaiveOrder, market: NaiveMarket) -> None:
        touched, why = 0, None
        while taker.leaves and not why and (maker := market.met_by(taker)):
            if touched == self.limits[Limit.FILLS_PER_ORDER]:
                why = CloseReason.FILL_LIMIT
            elif maker.is_over:
                self._close(maker, CloseReason.ORDER_GROUP)
            elif maker.account == taker.account:
                why = self._meet_own(maker, taker)
            else:
                why = self._meet(maker, taker, market)
            touched += 1
        if not taker.leaves:
            return
        if taker.time_in_force == TimeInForce.FOK and taker.budget <= MAX_SUPPLY:
            why = why or CloseReason.SPENT
        if taker.time_in_force in AT_ONCE:
            why = why or CloseReason.IMMEDIATE
        if why:
            self._close(taker, why)
            return
        taker.self_trade = SelfTrade.CANCEL_RESTING
        market.book.rest(taker)
        self._fact(taker.account, "rested", taker.order_id, taker.price, leaves=taker.leaves)

    def _meet_own(self, maker: NaiveOrder, taker: NaiveOrder) -> CloseReason | None:
        """Prevent a trade with oneself; return why the taker goes no further, if so."""
        if taker.self_trade != SelfTrade.CANCEL_TAKER:
            self._close(maker, CloseReason.SELF_TRADE)
        return None if taker.self_trade == SelfTrade.CANCEL_RESTING else CloseReason.SELF_TRADE

    def _meet(
        self, maker: NaiveOrder, taker: NaiveOrder, market: NaiveMarket
    ) -> CloseReason | None:
        """Trade what can be paid, unless the price is too far; return why no more, if so."""
        most = min(maker.leaves, taker.leaves, self._room(maker), self._room(taker))
        lots = self._lots_to_pay(maker, taker, most)
        why = CloseReason.SPENT if lots < most else None
        if lots and self._moves_too_far(market, [maker.yes_price]):
            self._pause_by_itself(market)
            self._doom(PauseScope.MARKET, market.number)
            return CloseReason.MARKET_PAUSED
        if lots:
            self._fill(maker, taker, market, lots)
            self._note_price(market, maker.yes_price)
            if self._count_in_group(maker, lots) and maker.leaves:
                self._close(maker, CloseReason.ORDER_GROUP)
            if self._count_in_group(taker, lots):
                why = CloseReason.ORDER_GROUP
        return why

    def _lots_to_pay(self, maker: NaiveOrder, taker: NaiveOrder, lots: int) -> int:
        """Return how many of these lots the taker can pay."""
        while lots and self._cost_of_lots(taker, maker.yes_price, lots) > taker.budget:
            lots -= 1
        return lots

    def _cost_of_lots(self, taker: NaiveOrder, yes_price: int, lots: int) -> int:
        """Return what lots at a price cost a taker, with the fee that they add."""
        if not taker.buys:
            return 0
        schedule, price = taker.schedule, taker.in_own_terms(yes_price)
        more = schedule.rate(schedule.taker_bps, price) * lots
        return price * lots + schedule.due(taker.rate_sum + more) - schedule.due(taker.rate_sum)

    def _check_spending(self, taker: NaiveOrder, market: NaiveMarket) -> None:
        """Require that a budget can be spent at once, to less than one more lot, or all bought."""
        wanted, stands_at, prices = taker.lots, taker.yes_price, list[int]()
        room, makers = self._room(taker), list(market.book.makers_for(taker))
        for number, maker in enumerate(makers):
            if number == self.limits[Limit.FILLS_PER_ORDER]:
                stands_at = maker.yes_price
                break
            if maker.account == taker.account:
                require(taker.self_trade == SelfTrade.CANCEL_RESTING, Code.CANNOT_FILL)
                continue
            others = [one for one in makers[: number + 1] if one.account != taker.account]
            can = self._lots_in_turn(others)[-1]
            if not can:
                continue
            most = min(can, taker.leaves, room)
            lots = self._lots_to_pay(maker, taker, most)
            spent = lots < most
            prices.append(maker.yes_price)
            require(not lots or not self._moves_too_far(market, prices), Code.CANNOT_FILL)
            taker.budget -= self._cost_of_lots(taker, maker.yes_price, lots)
            price = taker.in_own_terms(maker.yes_price)
            taker.rate_sum += taker.schedule.rate(taker.schedule.taker_bps, price) * lots
            taker.leaves -= lots
            room -= lots
            if spent or not taker.leaves:
                require(taker.leaves < wanted, Code.CANNOT_FILL)
                return
            if not room:
                stands_at = maker.yes_price
                break
        one_more = self._cost_of_lots(taker, stands_at, 1) <= taker.budget
        require(taker.leaves < wanted and not one_more, Code.CANNOT_FILL)

    def _cut_down(self, taker: NaiveOrder, account: NaiveAccount) -> None:
        """Make an order no larger than what it can reduce."""
        position = account.positions.get(taker.market, NaivePosition())
        most = position.free_of(taker)
        if taker.buys:
            pairs_with = {
                Intent.BUY_YES: position.no_free - position.yes_locked,
                Intent.BUY_NO: position.yes_free - position.no_locked,
            }
            most = pairs_with[Intent(taker.intent)] if account.mode == AccountMode.NET else 0
        taker.lots = taker.leaves = min(taker.lots, max(0, most))
        require(taker.lots > 0, Code.NOTHING_TO_REDUCE)

    def _fill(
        self, maker: NaiveOrder, taker: NaiveOrder, market: NaiveMarket, lots: int, called: int = 0
    ) -> None:
        """Trade at the maker's price, or at that of a call: then both are makers."""
        price = called or maker.yes_price
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
        rates = [maker.schedule.maker_bps, taker.schedule.taker_bps]
        names = [Liquidity.MAKER, Liquidity.TAKER]
        if called:
            rates[1], names = taker.schedule.maker_bps, [Liquidity.CALLED, Liquidity.CALLED]
        maker_fee = self._settle(maker, price, lots, rates[0], fill_id, names[0])
        taker_fee = self._settle(taker, price, lots, rates[1], fill_id, names[1])
        if called:
            maker_fee, taker_fee = maker_fee + taker_fee, 0
        self._share_out(maker, maker_fee, taker_fee, fill_id)
