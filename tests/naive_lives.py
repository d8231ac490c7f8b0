"""The naive lives of markets: opening, halting, closing, times, and pauses of every scope."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from node.domain.codes import Code
from node.domain.terms import MarketState, OrderFlag, PauseLevel, PauseScope
from tests import commands as c
from tests import life_commands as life
from tests.naive_book import NaiveOrder
from tests.naive_ledger import NaiveLedger
from tests.naive_records import (
    NaiveAccount,
    NaiveEvent,
    NaiveMarket,
    NaiveResolution,
    Outcome,
    RejectedError,
    require,
)

BEFORE_OPEN = (MarketState.CREATED, MarketState.HALTED)
NOT_OPEN = (*BEFORE_OPEN, MarketState.AUCTION)
BEFORE_CLOSED = (*NOT_OPEN, MarketState.OPEN)
STOPS = {
    PauseLevel.POST_ONLY: Code.PAUSED_POST_ONLY,
    PauseLevel.CANCEL_ONLY: Code.PAUSED_CANCEL_ONLY,
    PauseLevel.HALTED: Code.PAUSED_HALTED,
}

Due = tuple[int, int, int, Callable[[], None]]
"""When, its rank, of what number, and what happens."""


class NaiveLives(NaiveLedger):
    """What an operator, or time, does to markets."""

    def __init__(self, limits: Iterable[int], shard: int = 0) -> None:
        """Start with nothing but limits."""
        super().__init__(list(limits), shard)
        self.pauses: dict[tuple[int, int], int] = {}
        self.resolutions: dict[int, NaiveResolution] = {}
        self.resolvers: list[bytes] = []
        self.begun: list[Callable[[], None]] = []
        """What is to be worked off, in order."""

    def _marketopen(self, command: c.MarketOpen) -> Outcome:
        market = self._in_state(command.market, NOT_OPEN)
        require(market.is_named, Code.OUTCOME_UNNAMED)
        self._open(market)
        market.opens_at_ns = 0
        return Outcome(Code.OK)

    def _open(self, market: NaiveMarket) -> None:
        """Open a market; one that is called is uncrossed first."""
        if market.state == MarketState.AUCTION:
            self._require_trading(market)
            self._move(market, MarketState.UNCROSSING)
            self.begun.append(lambda: self._uncross(market))
        else:
            self._move(market, MarketState.OPEN)

    def _uncross(self, market: NaiveMarket) -> None:
        raise NotImplementedError

    def _require_trading(self, market: NaiveMarket) -> None:
        """Reject when a pause keeps all orders of a market from trading."""
        scopes = [(PauseScope.VENUE, 0), (PauseScope.EVENT, market.event.number)]
        scopes.append((PauseScope.MARKET, market.number))
        level = max(self.pauses.get((int(scope), subject), 0) for scope, subject in scopes)
        if level:
            raise RejectedError(STOPS[PauseLevel(level)])

    def _auctioncall(self, command: life.AuctionCall) -> Outcome:
        market = self._in_state(command.market, BEFORE_OPEN)
        require(market.is_named, Code.OUTCOME_UNNAMED)
        if command.begins_at_ns == 0:
            self._move(market, MarketState.AUCTION)
            return Outcome(Code.OK)
        in_time = command.begins_at_ns < 0 or command.begins_at_ns > self.now_ns
        require(in_time, Code.TIMES_INVALID)
        market.calls_at_ns = max(0, command.begins_at_ns)
        return Outcome(Code.OK)

    def _markethalt(self, command: c.MarketHalt) -> Outcome:
        market = self.markets.get(command.market)
        pauses = market is not None and market.reopens_ns > 0
        before = (MarketState.OPEN, *([MarketState.HALTED] if pauses else []))
        self._move(self._in_state(command.market, before), MarketState.HALTED)
        self._doom(PauseScope.MARKET, command.market)
        return Outcome(Code.OK)

    def _marketclose(self, command: c.MarketClose) -> Outcome:
        self._close_market(self._in_state(command.market, BEFORE_CLOSED))
        resting = [order for order in self.orders.values() if order.market == command.market]
        return Outcome(Code.OK, 0, len(resting))

    def _move(self, market: NaiveMarket, state: MarketState) -> None:
        market.state, market.reopens_ns, market.calls_at_ns = state, 0, 0
        market.prices = []

    def _close_market(self, market: NaiveMarket) -> None:
        self._move(market, MarketState.CLOSED)
        market.sweeping = True
        market.opens_at_ns = market.closes_at_ns = 0

    def _markettimes(self, command: life.MarketTimes) -> Outcome:
        opens_at, closes_at = command.opens_at_ns, command.closes_at_ns
        market = self._in_state(command.market, NOT_OPEN if opens_at else BEFORE_CLOSED)
        for time in (opens_at, closes_at):
            require(time == 0 or time > self.now_ns, Code.TIMES_INVALID)
        require(not closes_at or closes_at > opens_at, Code.TIMES_INVALID)
        market.opens_at_ns, market.closes_at_ns = opens_at, closes_at
        return Outcome(Code.OK)

    def _let_time_act(self) -> None:
        """Let what is due happen, earliest first, and work off what that has begun."""
        while come := [one for one in self._due() if 0 < one[0] <= self.now_ns]:
            min(come, key=lambda one: one[:3])[3]()
        self._work_off()

    def _work_off(self) -> None:
        for work in self.begun:
            work()
        self.begun = []

    def _due(self) -> list[Due]:
        """Return what happens by itself, and when; of two at once the lower rank comes first."""
        due: list[Due] = []
        for number, market in self.markets.items():
            due += [
                (market.reopens_ns, 5, number, partial(self._move, market, MarketState.OPEN)),
                (market.calls_at_ns, 6, number, partial(self._call_on_time, market)),
                (market.opens_at_ns, 10, number, partial(self._open_on_time, market)),
                (market.closes_at_ns, 11, number, partial(self._close_market, market)),
            ]
        return due

    def _call_on_time(self, market: NaiveMarket) -> None:
        market.calls_at_ns = 0
        if market.state in BEFORE_OPEN and market.is_named:
            self._move(market, MarketState.AUCTION)

    def _open_on_time(self, market: NaiveMarket) -> None:
        market.opens_at_ns = 0
        if market.state in NOT_OPEN and market.is_named:
            with suppress(RejectedError):
                self._open(market)

    # ----------------------------------------------------------------------------------------------

    def _pause(self, command: life.Pause) -> Outcome:
        scope, subject = command.scope, command.subject
        if scope == PauseScope.ACCOUNT:
            require(subject in self.accounts, Code.UNKNOWN_ACCOUNT)
        elif scope == PauseScope.EVENT:
            require(subject in self.events, Code.UNKNOWN_EVENT)
        elif scope == PauseScope.MARKET:
            require(subject in self.markets, Code.UNKNOWN_MARKET)
        else:
            require(scope == PauseScope.VENUE and subject == 0, Code.PAUSE_SCOPE_INVALID)
        require(command.level in list(PauseLevel), Code.PAUSE_SCOPE_INVALID)
        if command.level > self.pauses.get((scope, subject), 0):
            self._doom(scope, subject)
        self.pauses[scope, subject] = command.level
        return Outcome(Code.OK)

    def _doom(self, scope: int, subject: int) -> None:
        """Doom the orders in a scope that asked for it."""
        for order in self.orders.values():
            covers = self._scopes_of(order.account, self.markets[order.market])
            if order.flags & OrderFlag.CANCEL_ON_PAUSE and (scope, subject) in covers:
                order.doomed = True

    def _scopes_of(self, account: int, market: NaiveMarket | None) -> list[tuple[int, int]]:
        """Return the scopes that cover an account, in a market or everywhere."""
        everywhere = [(PauseScope.VENUE, 0), (PauseScope.ACCOUNT, account)]
        if market is None:
            return [(int(scope), subject) for scope, subject in everywhere]
        here = [(PauseScope.EVENT, market.event.number), (PauseScope.MARKET, market.number)]
        return [(int(scope), subject) for scope, subject in everywhere + here]

    def _require_level(
        self, account: NaiveAccount, market: NaiveMarket | None, most: PauseLevel
    ) -> None:
        """Reject unless every pause that covers an account in a market is at most `most`."""
        scopes = self._scopes_of(account.number, market)
        level = PauseLevel(max(self.pauses.get(scope, 0) for scope in scopes))
        if level > most:
            raise RejectedError(STOPS[level])

    def _require_level_of_event(
        self, account: NaiveAccount, event: NaiveEvent, most: PauseLevel
    ) -> None:
        """The same for a whole event: a pause of any of its markets counts."""
        scopes = [(PauseScope.EVENT, event.number), *self._scopes_of(account.number, None)]
        scopes += [(PauseScope.MARKET, market.number) for market in event.markets]
        level = PauseLevel(max(self.pauses.get((int(one), other), 0) for one, other in scopes))
        if level > most:
            raise RejectedError(STOPS[level])

    def _require_level_of(self, order: NaiveOrder) -> None:
        """Reject when an order cannot even be cancelled."""
        account, market = self.accounts[order.account], self.markets[order.market]
        self._require_level(account, market, PauseLevel.CANCEL_ONLY)

    def _in_state(self, number: int, states: Iterable[MarketState]) -> NaiveMarket:
        """Return a market that must be in one of these states."""
        require(number in self.markets, Code.UNKNOWN_MARKET)
        require(self.markets[number].state in states, Code.MARKET_STATE_INVALID)
        return self.markets[number]
