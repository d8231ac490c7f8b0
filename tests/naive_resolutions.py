"""The naive rules of resolutions: proposals, windows, disputes, attestations."""

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import MarketState, ResolutionStage
from tests import life_commands as life
from tests.naive_book import WHOLE
from tests.naive_outcomes import NaiveOutcomes
from tests.naive_records import (
    SETTLED,
    NaiveMarket,
    NaiveResolution,
    Outcome,
    RejectedError,
    require,
)
from tests.venue_driver import SECOND_NS


class NaiveResolutions(NaiveOutcomes):
    """What a closed market comes to, and when."""

    def _resolution(self, number: int) -> NaiveResolution:
        return self.resolutions.setdefault(number, NaiveResolution())

    def _propose(self, command: life.Propose) -> Outcome:
        market = self._proposable(command.market, command.price)
        known = self.resolutions.get(market.number, NaiveResolution())
        require(known.stage != ResolutionStage.DISPUTED, Code.RESOLUTION_DISPUTED)
        self._set_proposal(market, command.price, command.evidence)
        return Outcome(Code.OK)

    def _proposable(self, number: int, price: int) -> NaiveMarket:
        require(number in self.markets, Code.UNKNOWN_MARKET)
        market = self.markets[number]
        require(market.state == MarketState.CLOSED, Code.MARKET_STATE_INVALID)
        require(0 <= price <= WHOLE, Code.RESOLUTION_PRICE_OUT_OF_RANGE)
        if market.event.exclusive:
            total = price + self._prices(market)
            require(total <= WHOLE, Code.RESOLUTION_SUM_INVALID)
        require(market.is_named or price == 0, Code.OUTCOME_UNNAMED)
        return market

    def _prices(self, market: NaiveMarket) -> int:
        return sum(other.price for other in market.event.markets if other.state in SETTLED)

    def _set_proposal(self, market: NaiveMarket, price: int, evidence: bytes) -> None:
        known = self._resolution(market.number)
        known.stage, known.price, known.evidence = ResolutionStage.PROPOSED, price, evidence
        window = self.limits[Limit.CHALLENGE_SECONDS]
        known.final_at_ns = self.now_ns + window * SECOND_NS

    def _dispute(self, command: life.Dispute) -> Outcome:
        require(command.market in self.markets, Code.UNKNOWN_MARKET)
        known = self.resolutions.get(command.market, NaiveResolution())
        require(known.stage != ResolutionStage.ATTESTING, Code.RESOLUTION_NOT_PROPOSED)
        require(known.stage != ResolutionStage.DISPUTED, Code.RESOLUTION_DISPUTED)
        self._set_disputed(known)
        return Outcome(Code.OK)

    def _set_disputed(self, known: NaiveResolution) -> None:
        known.stage, known.words, known.final_at_ns = ResolutionStage.DISPUTED, {}, 0
        known.turn += 1

    def _decide(self, command: life.Decide) -> Outcome:
        require(command.market in self.markets, Code.UNKNOWN_MARKET)
        market = self.markets[command.market]
        self._require_final(market, command.price)
        known = self.resolutions.get(command.market, NaiveResolution())
        require(known.stage == ResolutionStage.DISPUTED, Code.RESOLUTION_NOT_DISPUTED)
        self._make_final(market, command.price)
        return Outcome(Code.OK)

    def _attest(self, command: life.Attest) -> Outcome:
        market = self._proposable(command.market, command.price)
        require(command.public_key in self.resolvers, Code.RESOLVER_UNKNOWN)
        known = self.resolutions.get(command.market, NaiveResolution())
        require(command.turn == known.turn, Code.ROUND_INVALID)
        word = (command.price, command.evidence)
        require(known.words.get(command.public_key) != word, Code.ALREADY_ATTESTED)
        full = len(known.words) == 16 and command.public_key not in known.words
        require(not full, Code.TOO_MANY_ATTESTATIONS)
        said = {**known.words, command.public_key: word}
        agreeing = [key for key in said if said[key] == word and key in self.resolvers]
        enough = len(agreeing) >= self.limits[Limit.RESOLVER_QUORUM]
        if enough and known.stage == ResolutionStage.DISPUTED:
            self._require_final(market, command.price)
            self._make_final(market, command.price)
            return Outcome(Code.OK)
        self._resolution(command.market).words = said
        proposed = known.stage == ResolutionStage.PROPOSED
        if enough and not (proposed and (known.price, known.evidence) == word):
            self._set_proposal(market, *word)
        return Outcome(Code.OK)

    def _names_winner(self, market: NaiveMarket, price: int) -> bool:
        return bool(market.event.exclusive) and price == WHOLE

    def _require_final(self, market: NaiveMarket, price: int) -> None:
        """Reject unless a market can be settled at a price now."""
        require(market.state == MarketState.CLOSED, Code.MARKET_STATE_INVALID)
        require(0 <= price <= WHOLE, Code.RESOLUTION_PRICE_OUT_OF_RANGE)
        if self._names_winner(market, price):
            self._require_winner(market.event, market.number)
            return
        if market.event.exclusive:
            others = [other for other in market.event.markets if other is not market]
            total = price + self._prices(market)
            last = all(other.state in SETTLED for other in others)
            fits = total == WHOLE if last else total <= WHOLE
            require(fits, Code.RESOLUTION_SUM_INVALID)
        require(not market.sweeping, Code.MARKET_SWEEPING)
        require(market.is_named or price == 0, Code.OUTCOME_UNNAMED)

    def _make_final(self, market: NaiveMarket, price: int) -> None:
        if self._names_winner(market, price):
            self._settle_event(market.event, market.number)
        else:
            market.state, market.price = MarketState.RESOLVED, price
            market.sweeping = True
            self.resolutions.pop(market.number, None)

    def _make_due_final(self) -> None:
        """Settle what nobody has disputed in time, earliest first."""
        due = [
            (known.final_at_ns, number)
            for number, known in self.resolutions.items()
            if known.stage == ResolutionStage.PROPOSED and known.final_at_ns <= self.now_ns
        ]
        for _, number in sorted(due):
            if number not in self.resolutions:  # Its event was won meanwhile.
                continue
            known, market = self.resolutions[number], self.markets[number]
            try:
                self._require_final(market, known.price)
            except RejectedError:
                self._set_disputed(known)
            else:
                self._make_final(market, known.price)
