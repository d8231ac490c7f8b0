"""A price level: the orders at one price, oldest first."""

from mypy_extensions import i64

from node.engine.order import Order


class PriceLevel:
    """An intrusive FIFO list of resting orders and the sum of their leaves."""

    def __init__(self, price: i64) -> None:
        """Make an empty level at `price`, in YES terms."""
        self.price: i64 = price
        self.lots: i64 = 0
        self.head: Order | None = None
        self.tail: Order | None = None

    def append(self, order: Order) -> None:
        """Queue `order` behind all others."""
        tail = self.tail
        order.ahead = tail
        if tail is None:
            self.head = order
        else:
            tail.behind = order
        self.tail = order
        self.lots += order.leaves

    def remove(self, order: Order) -> None:
        """Take `order` out, wherever it stands, with the leaves it still has."""
        ahead = order.ahead
        behind = order.behind
        if ahead is None:
            self.head = behind
        else:
            ahead.behind = behind
        if behind is None:
            self.tail = ahead
        else:
            behind.ahead = ahead
        order.ahead = None
        order.behind = None
        self.lots -= order.leaves
