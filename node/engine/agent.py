"""An agent: the budget of a key that trades for somebody else's account."""

from typing import Final

from librt.strings import BytesWriter, write_i64_le
from librt.vecs import vec
from mypy_extensions import i64

from node.domain.units import NANOSECONDS_PER_SECOND
from node.engine.fields import write_pair
from node.engine.pages import Page, Record

BUCKETS: Final = 16
ENTRIES: Final = 8


class Agent(Record):
    """What the key may do, and what it has spent in its window.

    The window is parted in 15; with the part that has just begun, 16 buckets always cover it, so
    what is spent within any window of time stays under the limit.
    """

    def __init__(self, key: i64) -> None:
        """Make the budget of a key that may do nothing."""
        self.key: i64 = key
        self.times_in_force: i64 = 0
        self.order_value: i64 = 0
        self.spend: i64 = 0
        self.window_ns: i64 = NANOSECONDS_PER_SECOND
        self.exposure: i64 = 0
        self.expiry_ns: i64 = 0
        self.rate: i64 = 0
        # Markets, and events with a bit of their own; 0 is no entry, and no entries mean all.
        self.allowed: vec[i64] = vec[i64]([0] * ENTRIES)
        self.newest: i64 = 0
        self.buckets: vec[i64] = vec[i64]([0] * BUCKETS)
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.key, self.times_in_force)
        write_i64_le(out, self.order_value)
        write_i64_le(out, self.spend)
        write_i64_le(out, self.window_ns)
        write_i64_le(out, self.exposure)
        write_i64_le(out, self.expiry_ns)
        write_i64_le(out, self.rate)
        entry: i64 = 0
        while entry < ENTRIES:
            write_pair(out, self.allowed[entry], self.allowed[entry + 1])
            entry += 2
        write_i64_le(out, self.newest)
        bucket: i64 = 0
        while bucket < BUCKETS:
            write_i64_le(out, self.buckets[bucket])
            bucket += 1

    def bucket_at(self, now_ns: i64) -> i64:
        """Return the number of the bucket that a time falls in; a bucket is a 15th, rounded up."""
        width = (self.window_ns + BUCKETS - 2) // (BUCKETS - 1)
        return now_ns // width

    def spent(self, now_ns: i64) -> i64:
        """Return what was spent within the window up to now, or a little more."""
        oldest = self.bucket_at(now_ns) - BUCKETS
        total: i64 = 0
        back: i64 = 0
        while back < BUCKETS and self.newest - back > oldest:
            total += self.buckets[(self.newest - back) % BUCKETS]
            back += 1
        return total

    def note_spent(self, now_ns: i64, amount: i64) -> None:
        """Add to what is spent now; the page must be touched."""
        now = self.bucket_at(now_ns)
        steps = min(now - self.newest, BUCKETS)
        while steps > 0:
            steps -= 1
            self.buckets[(now - steps) % BUCKETS] = 0
        if now > self.newest:
            self.newest = now
        self.buckets[self.newest % BUCKETS] += amount

    def set_window(self, now_ns: i64, window_ns: i64) -> None:
        """Take another window; all that still counts, counts as spent now."""
        counted = self.spent(now_ns)
        self.window_ns = window_ns
        self.newest = self.bucket_at(now_ns)
        bucket: i64 = 0
        while bucket < BUCKETS:
            self.buckets[bucket] = 0
            bucket += 1
        self.buckets[self.newest % BUCKETS] = counted
