"""The naive rules of call auctions: try every price, then let the first of both sides trade."""

from node.domain.terms import CloseReason, MarketState, Side
from tests.naive_book import NaiveOrder
from tests.naive_quotes import NaiveQuotes
from tests.naive_records import NaiveMarket


class NaiveAuctions(NaiveQuotes):
    """What becomes of what a call has gathered."""

    def _uncross(self, market: NaiveMarket) -> None:
        """Trade at one price; what still crosses then trades at another."""
        last = 0
        while price := self._clearing_price(market):
            last = price
            while pair := self._first_of_both(market, price):
                self._meet_at(price, market, *pair)
        self._move(market, MarketState.OPEN)
        if last:
            self._note_price(market, last)

    def _clearing_price(self, market: NaiveMarket) -> int:
        """Return the price with most volume, then least surplus, then where the surplus points."""
        bids, asks = market.book.levels[Side.BID], market.book.levels[Side.ASK]
        if not bids or not asks or max(bids) < min(asks):
            return 0
        prices = [
            price
            for price in range(min(asks), max(bids) + 1)
            if price in bids or price in asks or price % market.tick == 0
        ]
        wanted = {one: sum(lots_of(bids, at) for at in bids if at >= one) for one in prices}
        offered = {one: sum(lots_of(asks, at) for at in asks if at <= one) for one in prices}
        most = max(min(wanted[one], offered[one]) for one in prices)
        prices = [one for one in prices if min(wanted[one], offered[one]) == most]
        least = min(abs(wanted[one] - offered[one]) for one in prices)
        best = [one for one in prices if abs(wanted[one] - offered[one]) == least]
        if all(wanted[one] > offered[one] for one in best):
            return best[-1]
        if all(wanted[one] < offered[one] for one in best):
            return best[0]
        middle = (best[0] + best[-1]) // 2
        return max(best[0], middle - middle % market.tick)

    def _first_of_both(
        self, market: NaiveMarket, price: int
    ) -> tuple[NaiveOrder, NaiveOrder] | None:
        """Return the bid and the ask that are next to trade at a price, the older one first."""
        bids, asks = market.book.levels[Side.BID], market.book.levels[Side.ASK]
        if not bids or not asks or not max(bids) >= price >= min(asks):
            return None
        bid, ask = bids[max(bids)][0], asks[min(asks)][0]
        return (bid, ask) if bid.place < ask.place else (ask, bid)

    def _meet_at(
        self, price: int, market: NaiveMarket, older: NaiveOrder, newer: NaiveOrder
    ) -> None:
        for order in sorted((older, newer), key=lambda one: one.side):
            if reason := self._death_of(order):
                self._close(order, reason)
                return
        if older.account == newer.account:
            self._close(older, CloseReason.SELF_TRADE)
            return
        lots = min(older.leaves, newer.leaves, self._room(older), self._room(newer))
        self._fill(older, newer, market, lots, price)
        self._count_in_group(older, lots)
        self._count_in_group(newer, lots)

    def _death_of(self, order: NaiveOrder) -> CloseReason | None:
        """Return why an order that is still in the book is over."""
        if order.is_late:
            return CloseReason.DEADLINE_PASSED
        return CloseReason.ORDER_GROUP if order.is_over else None


def lots_of(levels: dict[int, list[NaiveOrder]], price: int) -> int:
    """Return how many lots stand at a price."""
    return sum(order.leaves for order in levels[price])
