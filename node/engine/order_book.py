"""The order book of one market, in YES terms: who bids for YES, and who asks.

Outside a call auction all bids lie below all asks.
"""

from node.engine.book_side import BookSide
from node.engine.order import Order
from node.engine.price_level import PriceLevel


class OrderBook:
    """Resting orders by side and price."""

    def __init__(self) -> None:
        """Make an empty book."""
        self.bids: BookSide = BookSide(True)
        self.asks: BookSide = BookSide(False)

    def side(self, is_bid: bool) -> BookSide:
        """Return the bids or the asks."""
        return self.bids if is_bid else self.asks

    def rest(self, order: Order) -> PriceLevel:
        """Queue `order` at its price and return the level."""
        return self.side(order.is_bid).rest(order)

    def remove(self, order: Order) -> PriceLevel:
        """Take `order` out and return its level, which the book has dropped if it is empty now."""
        return self.side(order.is_bid).remove(order)

    @property
    def is_crossed(self) -> bool:
        """Return whether some bid is as high as some ask."""
        return self.bids.best >= self.asks.best
