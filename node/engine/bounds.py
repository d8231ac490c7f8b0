"""Bounds: what an operator allows one account, or every account in one market."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.fields import write_pair
from node.engine.pages import Page, Record


class Bounds(Record):
    """Limits, each 0 for none; `reduce_only` is 1 when only what reduces a position is let in."""

    def __init__(self, number: i64) -> None:
        """Make the bounds of `scope << 32 | subject`, which allows everything."""
        self.number: i64 = number
        self.reduce_only: i64 = 0
        self.open_orders: i64 = 0
        self.positions: i64 = 0
        self.order_lots: i64 = 0
        self.order_value: i64 = 0
        self.position_lots: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.number)
        write_i64_le(out, self.reduce_only)
        write_pair(out, self.open_orders, self.positions)
        write_i64_le(out, self.order_lots)
        write_i64_le(out, self.order_value)
        write_i64_le(out, self.position_lots)
