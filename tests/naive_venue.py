"""The naive venue: the rules of the exchange once more, with nothing but lists and dicts.

It is what the engine must agree with, command by command. It has no sessions, pages, events or
bounded sweeps: what the engine sweeps, it does at once when a group ends. A rule is stated here in
the fewest words that are right.
"""

from node.domain.codes import Code
from node.domain.limits import LIMIT_RANGES, Limit
from node.domain.terms import (
    AccountMode,
    CloseReason,
    EventKind,
    MarketState,
    PauseLevel,
    ResolutionStage,
    Role,
)
from node.domain.units import MAX_SUPPLY
from tests import commands as c
from tests.naive_auctions import NaiveAuctions
from tests.naive_book import WHOLE, NaiveSchedule
from tests.naive_owners import NaiveOwners
from tests.naive_records import (
    SETTLED,
    Fact,
    NaiveAccount,
    NaiveEvent,
    NaiveMarket,
    NaivePosition,
    Outcome,
    RejectedError,
    require,
)
from tests.naive_resolutions import NaiveResolutions


class NaiveVenue(NaiveAuctions, NaiveOwners, NaiveResolutions):
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
        self._let_time_act()
        self._make_due_final()
        return self.facts

    def end_group(self) -> None:
        """Do what the engine sweeps.

        Cancel the orders of closed markets, and those that go with a pause; pay the positions of
        resolved ones.
        """
        self.facts, self.fills = [], []
        self._work_off()
        self._sweep_grids()
        self._sweep_groups()
        for order in [order for order in self.orders.values() if order.doomed]:
            self._close(order, CloseReason.PAUSED)
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
        self.events[number] = NaiveEvent(number, kind_of(command.exclusive))
        return Outcome(Code.OK, number)

    def _marketcreate(self, command: c.MarketCreate) -> Outcome:
        require(command.event in self.events, Code.UNKNOWN_EVENT)
        event = self.events[command.event]
        require(len(self.markets) < self.limits[Limit.MARKETS], Code.TOO_MANY_MARKETS)
        require(len(event.markets) < self.limits[Limit.MARKETS_PER_EVENT], Code.EVENT_FULL)
        may_wait = event.exclusive == EventKind.AUGMENTED and bool(event.markets)
        started = any(market.state != MarketState.CREATED for market in event.markets)
        require(not (event.exclusive and started), Code.EVENT_STARTED)
        is_named = command.name[:1] not in (b"", b"\0")
        require(is_named or may_wait, Code.NAME_INVALID)
        require(command.tick in [n for n in range(1, 5_001) if 5_000 % n == 0], Code.TICK_INVALID)
        for bps in (command.taker_fee_bps, command.maker_fee_bps):
            require(0 <= bps <= self.limits[Limit.FEE_BPS], Code.FEE_OUT_OF_RANGE)
        schedule = NaiveSchedule(command.taker_fee_bps, command.maker_fee_bps)
        self._enter(schedule)
        number = len(self.markets) + 1
        self.markets[number] = NaiveMarket(number, event, command.tick, schedule)
        self.markets[number].is_named = is_named
        event.markets.append(self.markets[number])
        return Outcome(Code.OK, number)

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
        takes = market.state in (MarketState.OPEN, MarketState.AUCTION)
        require(takes, Code.MARKET_NOT_OPEN)
        self._require_level(account, market, PauseLevel.POST_ONLY)
        require(1 <= command.lots <= self.limits[Limit.LOTS_PER_ORDER], Code.SIZE_OUT_OF_RANGE)
        self._require_position(account, market)
        require(account.cash_free >= WHOLE * command.lots, Code.INSUFFICIENT_FUNDS)
        self._change_sets(account, market, command.lots)
        self._fact(account.number, "sets", lots=command.lots, detail=market.number)
        return Outcome(Code.OK)

    def _merge(self, command: c.Merge) -> Outcome:
        account, market = self._account(command.account), self._market(command.market)
        require(market.state not in SETTLED, Code.MARKET_STATE_INVALID)
        self._require_level(account, market, PauseLevel.CANCEL_ONLY)
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
        self._require_level(account, market, PauseLevel.CANCEL_ONLY)
        position = account.positions.get(market.number, NaivePosition())
        require(position.yes + position.no > 0, Code.NOTHING_TO_REDEEM)
        return Outcome(Code.OK, self._pay(account, market))

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
        lost = state == MarketState.VOIDED or price == 0
        require(market.is_named or lost, Code.OUTCOME_UNNAMED)
        known = self.resolutions.get(market.number)
        disputed = known is not None and known.stage == ResolutionStage.DISPUTED
        if not (disputed and state == MarketState.VOIDED):
            self._require_nothing_pending(market)
        self.resolutions.pop(market.number, None)
        market.state, market.price, market.sweeping = state, price, True
        return Outcome(Code.OK)


def kind_of(exclusive: int) -> EventKind:
    """Return what a field of EVENT_CREATE means; a number that none is counts as exclusive."""
    known = exclusive in list(EventKind)
    return EventKind(exclusive) if known else EventKind.EXCLUSIVE
