"""The naive rules of exclusive events: conversions, placeholders, winners."""

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import EventKind, MarketState, PauseLevel, ResolutionStage
from tests import life_commands as life
from tests.naive_book import WHOLE
from tests.naive_lives import NaiveLives
from tests.naive_records import (
    SETTLED,
    NaiveAccount,
    NaiveEvent,
    NaiveMarket,
    NaivePosition,
    Outcome,
    require,
)


class NaiveOutcomes(NaiveLives):
    """What can be done with the outcomes of an exclusive event together."""

    def _convert(self, command: life.Convert) -> Outcome:
        account, event = self._pool(command.account, command.event, PauseLevel.POST_ONLY)
        named = [number for number in range(1_024) if number in command.ordinals]
        fits = len(named) > 0 and max(named) < len(event.markets)
        require(fits, Code.OUTCOMES_INVALID)
        require(1 <= command.lots <= self.limits[Limit.LOTS_PER_ORDER], Code.SIZE_OUT_OF_RANGE)
        gives = [event.markets[number] for number in named]
        gets = [market for market in event.markets if market not in gives]
        for market in event.markets:
            self._check_gain(account, market, command.lots)
        self._require_room(account, gets)
        for market in gives:
            held = account.positions.get(market.number, NaivePosition())
            require(held.no_free >= command.lots, Code.INSUFFICIENT_SHARES)
        for market in gives:
            account.positions[market.number].no_free -= command.lots
        for market in gets:
            account.positions.setdefault(market.number, NaivePosition()).yes_free += command.lots
            self._net(account, market)
        cash = (len(gives) - 1) * WHOLE * command.lots
        account.cash_free += cash
        self._fact(account.number, "converted", lots=command.lots, fee=cash, detail=command.event)
        return Outcome(Code.OK, cash)

    def _mergeoutcomes(self, command: life.MergeOutcomes) -> Outcome:
        account, event = self._pool(command.account, command.event, PauseLevel.CANCEL_ONLY)
        require(1 <= command.lots <= self.limits[Limit.LOTS_PER_ORDER], Code.SIZE_OUT_OF_RANGE)
        for market in event.markets:
            held = account.positions.get(market.number, NaivePosition())
            require(held.yes_free >= command.lots, Code.INSUFFICIENT_SHARES)
            self._check_loss(account, market, command.lots)
        for market in event.markets:
            account.positions[market.number].yes_free -= command.lots
        account.cash_free += WHOLE * command.lots
        self._fact(account.number, "outcomes", lots=command.lots, detail=command.event)
        return Outcome(Code.OK)

    def _check_gain(self, account: NaiveAccount, market: NaiveMarket, lots: int) -> None:
        """Reject when an account may not be so many lots longer."""

    def _check_loss(self, account: NaiveAccount, market: NaiveMarket, lots: int) -> None:
        """Reject when an account may not be so many lots shorter."""

    def _pool(
        self, number: int, event_number: int, most: PauseLevel
    ) -> tuple[NaiveAccount, NaiveEvent]:
        """Return an account and an exclusive event that nothing of is paused or settled."""
        require(number in self.accounts, Code.UNKNOWN_ACCOUNT)
        require(event_number in self.events, Code.UNKNOWN_EVENT)
        account, event = self.accounts[number], self.events[event_number]
        self._require_level_of_event(account, event, most)
        require(bool(event.exclusive) and len(event.markets) > 1, Code.EVENT_NOT_EXCLUSIVE)
        settled = any(market.state in SETTLED for market in event.markets)
        require(not settled, Code.EVENT_SETTLED)
        return account, event

    def _require_room(self, account: NaiveAccount, gets: list[NaiveMarket]) -> None:
        alive = [number for number in account.positions if self.markets[number].is_alive]
        new = [market for market in gets if market.number not in account.positions]
        room = len(alive) + len(new) <= self.limits[Limit.POSITIONS_PER_ACCOUNT]
        require(not new or room, Code.TOO_MANY_POSITIONS)

    # ----------------------------------------------------------------------------------------------

    def _outcomename(self, command: life.OutcomeName) -> Outcome:
        require(command.market in self.markets, Code.UNKNOWN_MARKET)
        require(command.name[:1] not in (b"", b"\0"), Code.NAME_INVALID)
        market = self.markets[command.market]
        require(market.state == MarketState.CREATED, Code.MARKET_STATE_INVALID)
        require(not market.is_named, Code.OUTCOME_NAMED)
        market.is_named = True
        return Outcome(Code.OK)

    def _eventresolve(self, command: life.EventResolve) -> Outcome:
        require(command.event in self.events, Code.UNKNOWN_EVENT)
        event = self.events[command.event]
        self._require_winner(event, command.winner)
        for market in event.markets:
            self._require_nothing_pending(market)
        self._settle_event(event, command.winner)
        return Outcome(Code.OK)

    def _require_winner(self, event: NaiveEvent, winner: int) -> None:
        """Reject unless the event can be settled with this winner now."""
        trading = (MarketState.OPEN, MarketState.HALTED, MarketState.AUCTION)
        states = [market.state for market in event.markets]
        require(not any(state in trading for state in states), Code.MARKET_STATE_INVALID)
        prices = sum(market.price for market in event.markets if market.state in SETTLED)
        require(not (event.exclusive and prices), Code.RESOLUTION_SUM_INVALID)
        left = [market for market in event.markets if market.state not in SETTLED]
        require(not any(market.sweeping for market in left), Code.MARKET_SWEEPING)
        require(event.exclusive != EventKind.INDEPENDENT, Code.EVENT_NOT_EXCLUSIVE)
        winners = [market for market in left if market.number == winner]
        require(len(winners) == 1, Code.WINNER_INVALID)
        require(winners[0].is_named, Code.OUTCOME_UNNAMED)
        for market in left:
            said = self.resolutions.get(market.number)
            if said and market.number != winner:
                lost = said.stage == ResolutionStage.PROPOSED and said.price == 0
                require(lost or said.stage == ResolutionStage.ATTESTING, Code.RESOLUTION_PENDING)

    def _settle_event(self, event: NaiveEvent, winner: int) -> None:
        for market in event.markets:
            if market.state not in SETTLED:
                market.opens_at_ns = market.closes_at_ns = 0
                market.state, market.sweeping = MarketState.RESOLVED, True
                market.price = WHOLE if market.number == winner else 0
                self.resolutions.pop(market.number, None)

    def _require_nothing_pending(self, market: NaiveMarket) -> None:
        """Reject an operator's word where something is proposed, or has to be."""
        known = self.resolutions.get(market.number)
        waits = known is not None and known.stage != ResolutionStage.ATTESTING
        needs = self.limits[Limit.CHALLENGE_SECONDS] > 0
        require(not waits and not needs, Code.RESOLUTION_PENDING)
