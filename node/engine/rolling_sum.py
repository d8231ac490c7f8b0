"""A rolling sum: what was added within a window of the log's time, in a few numbers."""

from typing import Final

from librt.strings import BytesWriter, read_i64_le, write_i64_le
from librt.vecs import vec
from mypy_extensions import i64

BUCKETS: Final = 16


class RollingSum:
    """What was added within a window up to now, or a little longer ago.

    The window is parted in 15; with the part that has just begun, 16 buckets always cover it, so
    what is added within any window of time stays under a limit that the sum stays under.
    """

    def __init__(self, window_ns: i64) -> None:
        """Start with nothing added."""
        self.window_ns: i64 = window_ns
        self.newest: i64 = 0
        self.buckets: vec[i64] = vec[i64]([0] * BUCKETS)

    def encode(self, out: BytesWriter) -> None:
        """Append the newest bucket's number and all buckets; the window is elsewhere."""
        write_i64_le(out, self.newest)
        bucket: i64 = 0
        while bucket < BUCKETS:
            write_i64_le(out, self.buckets[bucket])
            bucket += 1

    def read(self, value: bytes, at: i64) -> None:
        """Take what `encode` has written at `at`."""
        self.newest = read_i64_le(value, at)
        bucket: i64 = 0
        while bucket < BUCKETS:
            self.buckets[bucket] = read_i64_le(value, at + 8 + 8 * bucket)
            bucket += 1

    def bucket_at(self, now_ns: i64) -> i64:
        """Return the number of the bucket that a time falls in; a bucket is a 15th, rounded up."""
        width = (self.window_ns + BUCKETS - 2) // (BUCKETS - 1)
        return now_ns // width

    def total(self, now_ns: i64) -> i64:
        """Return what was added within the window up to now, or a little more."""
        oldest = self.bucket_at(now_ns) - BUCKETS
        total: i64 = 0
        back: i64 = 0
        while back < BUCKETS and self.newest - back > oldest:
            total += self.buckets[(self.newest - back) % BUCKETS]
            back += 1
        return total

    def add(self, now_ns: i64, amount: i64) -> None:
        """Add an amount now; the page must be touched."""
        now = self.bucket_at(now_ns)
        steps = min(now - self.newest, BUCKETS)
        while steps > 0:
            steps -= 1
            self.buckets[(now - steps) % BUCKETS] = 0
        if now > self.newest:
            self.newest = now
        self.buckets[self.newest % BUCKETS] += amount

    def empty(self, now_ns: i64) -> None:
        """Forget what was added; the page must be touched."""
        self.newest = self.bucket_at(now_ns)
        bucket: i64 = 0
        while bucket < BUCKETS:
            self.buckets[bucket] = 0
            bucket += 1

    def set_window(self, now_ns: i64, window_ns: i64) -> None:
        """Take another window; all that still counts, counts as added now."""
        counted = self.total(now_ns)
        self.window_ns = window_ns
        self.empty(now_ns)
        self.buckets[self.newest % BUCKETS] = counted
