"""The naive rules of bands and pauses."""

from node.domain.codes import Code
from node.domain.terms import MarketState
from tests import rule_commands as r
from tests.naive_book import WHOLE, NaiveOrder
from tests.naive_records import NaiveMarket, Outcome, require
from tests.naive_rules import NaiveRules

LONGEST_NS = 30 * 86_400 * 10**9


class NaiveGuards(NaiveRules):
    """Which prices are too far from those before them, and what comes of it."""

    def _guardsset(self, command: r.GuardsSet) -> Outcome:
        require(command.market in self.markets, Code.UNKNOWN_MARKET)
        market = self.markets[command.market]
        require(market.is_before_close, Code.MARKET_STATE_INVALID)
        require(0 <= command.reference < WHOLE, Code.REFERENCE_OUT_OF_RANGE)
        require(0 <= command.band < WHOLE, Code.BAND_OUT_OF_RANGE)
        spans = (command.window_ns, command.pause_ns)
        fits = 0 < command.move < WHOLE and 8 <= spans[0] <= LONGEST_NS >= spans[1] >= 1
        require(fits or (command.move, *spans) == (0, 0, 0), Code.PAUSE_INVALID)
        market.band, market.move = command.band, command.move
        market.window_ns, market.pause_ns = spans
        market.reference = command.reference or market.reference
        if not market.band and not market.move:
            market.reference = 0
        market.prices = []
        return Outcome(Code.OK, market.number)

    def _fill_in_peace(
        self, taker: NaiveOrder, makers: list[tuple[NaiveOrder, int]], market: NaiveMarket
    ) -> bool:
        """Whether makers that fill so many lots fill an order before the price moves too far."""
        needed, prices = taker.lots, []
        for maker, can in makers:
            if not can:
                continue
            prices.append(maker.yes_price)
            if self._moves_too_far(market, prices):
                return False
            needed -= can
            if needed <= 0:
                return True
        return False

    def _moves_too_far(self, market: NaiveMarket, prices: list[int]) -> bool:
        """Whether the last of these fills, all now, would move the market too far."""
        if not market.move:
            return False
        now = self.now_ns // (market.window_ns // 8)
        seen = [price for eighth, price in market.prices if eighth > now - 8] + prices
        return max(seen) - min(seen) > market.move

    def _note_price(self, market: NaiveMarket, price: int) -> None:
        if market.move:
            market.prices.append((self.now_ns // (market.window_ns // 8), price))
        if market.move or market.band:
            market.reference = price

    def _pause_by_itself(self, market: NaiveMarket) -> None:
        market.state, market.reopens_ns = MarketState.HALTED, self.now_ns + market.pause_ns
