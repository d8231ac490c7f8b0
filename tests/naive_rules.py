"""The naive rules of what an order may look like: grids, minimums, and meeting oneself."""

from node.domain.codes import Code
from node.domain.terms import CloseReason
from node.domain.units import MAX_LOTS, MAX_SUPPLY
from tests import rule_commands as r
from tests.naive_book import WHOLE, NaiveOrder
from tests.naive_fees import NaiveFees
from tests.naive_records import NaiveMarket, Outcome, require


class NaiveRules(NaiveFees):
    """Commands about grids and minimums, and the checks that follow from them."""

    def _gridset(self, command: r.GridSet) -> Outcome:
        require(command.market in self.markets, Code.UNKNOWN_MARKET)
        market = self.markets[command.market]
        tick, edge, edge_tick = command.tick, command.edge, command.edge_tick
        require(tick in [n for n in range(1, 5_001) if 5_000 % n == 0], Code.TICK_INVALID)
        require(market.is_before_close, Code.MARKET_STATE_INVALID)
        edges = [0, *range(tick, WHOLE // 2, tick)]
        finer = [n for n in range(1, tick) if tick % n == 0] if edge else [0]
        require(edge in edges and edge_tick in finer, Code.EDGE_INVALID)
        in_range = 0 <= command.min_lots <= MAX_LOTS and 0 <= command.min_value <= MAX_SUPPLY
        require(in_range, Code.MINIMUM_OUT_OF_RANGE)
        market.tick, market.edge, market.edge_tick = tick, edge, edge_tick
        market.min_lots, market.min_value = command.min_lots, command.min_value
        return Outcome(Code.OK, tick)

    def _sweep_grids(self) -> None:
        """Cancel what rests off its market's grid."""
        for order in list(self.orders.values()):
            if not self.markets[order.market].has_price(order.price):
                self._close(order, CloseReason.OFF_GRID)

    def _check_bounds(self, order: NaiveOrder, market: NaiveMarket) -> None:
        """Check what a market's rules say of an order's own terms."""
        require(order.lots >= market.min_lots, Code.SIZE_BELOW_MINIMUM)
        if market.band and market.reference:
            near = abs(order.yes_price - market.reference) <= market.band
            require(near, Code.PRICE_OUTSIDE_BAND)

    def _check_value(self, taker: NaiveOrder, market: NaiveMarket) -> None:
        """Check that an order that crosses is worth the trouble."""
        crosses = market.met_by(taker) is not None
        worth = min(taker.price * taker.leaves, taker.budget) >= market.min_value
        require(worth or not crosses, Code.VALUE_BELOW_MINIMUM)
