"""One account's resting orders on one side of one market, oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64

if TYPE_CHECKING:
    from node.engine.order import Order


class OrderList:
    """A list through the orders themselves, and the watermark under which they are cancelled."""

    def __init__(self) -> None:
        """Make an empty list."""
        self.first: Order | None = None
        self.last: Order | None = None
        # Orders with smaller ids are cancelled, whether or not the sweep has reached them.
        self.watermark: i64 = 0

    def append(self, order: Order) -> None:
        """Put the newest resting order at the end."""
        last = self.last
        order.older = last
        if last is None:
            self.first = order
        else:
            last.newer = order
        self.last = order

    def unlink(self, order: Order) -> None:
        """Take a resting order out, leaving no reference cycle behind."""
        older = order.older
        newer = order.newer
        if older is None:
            self.first = newer
        else:
            older.newer = newer
        if newer is None:
            self.last = older
        else:
            newer.older = older
        order.older = None
        order.newer = None
