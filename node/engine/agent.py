"""An agent: the budget of a key that trades for somebody else's account."""

from typing import Final

from librt.strings import BytesWriter, write_i64_le
from librt.vecs import vec
from mypy_extensions import i64

from node.domain.units import NANOSECONDS_PER_SECOND
from node.engine.fields import write_pair
from node.engine.pages import Page, Record
from node.engine.rolling_sum import RollingSum

ENTRIES: Final = 8


class Agent(Record):
    """What the key may do, and what it has spent in its window."""

    def __init__(self, key: i64) -> None:
        """Make the budget of a key that may do nothing."""
        self.key: i64 = key
        self.times_in_force: i64 = 0
        self.order_value: i64 = 0
        self.spend: i64 = 0
        self.exposure: i64 = 0
        self.expiry_ns: i64 = 0
        self.rate: i64 = 0
        # Markets, and events with a bit of their own; 0 is no entry, and no entries mean all.
        self.allowed: vec[i64] = vec[i64]([0] * ENTRIES)
        self.spending: RollingSum = RollingSum(NANOSECONDS_PER_SECOND)
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.key, self.times_in_force)
        write_i64_le(out, self.order_value)
        write_i64_le(out, self.spend)
        write_i64_le(out, self.spending.window_ns)
        write_i64_le(out, self.exposure)
        write_i64_le(out, self.expiry_ns)
        write_i64_le(out, self.rate)
        entry: i64 = 0
        while entry < ENTRIES:
            write_pair(out, self.allowed[entry], self.allowed[entry + 1])
            entry += 2
        self.spending.encode(out)
