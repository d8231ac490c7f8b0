"""A histogram of whole numbers by bit length: an observation is one addition to a list."""

from typing import Final

BUCKETS: Final = 48
"""Bucket `b` counts the values in 2^(b-1)..2^b - 1.

2^47 ns is a day and a half, and anything longer counts there.
"""


class Histogram:
    """Counts of non-negative values, by powers of two, and their sum.

    One thread writes, any may read.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        """Start empty."""
        self.counts = [0] * BUCKETS
        self.total = 0

    @classmethod
    def of(cls, counts: list[int], total: int) -> "Histogram":
        """Return a histogram over counts that another part keeps, by bit length too and as many."""
        assert len(counts) == BUCKETS
        shared = cls()
        shared.counts = counts
        shared.total = total
        return shared

    def observe(self, value: int) -> None:
        """Count `value`; a negative one (a clock that was set back) counts as 0."""
        value = max(value, 0)
        bucket = value.bit_length()
        self.counts[bucket if bucket < BUCKETS else BUCKETS - 1] += 1
        self.total += value

    @property
    def count(self) -> int:
        """Return how many values were observed."""
        return sum(self.counts)

    def quantile(self, share: float) -> int:
        """Return a bound, at most twice the true value, below which `share` of the values lie.

        It is 0 when nothing was observed.
        """
        counts = list(self.counts)
        wanted = share * sum(counts)
        seen = 0
        for bucket, count in enumerate(counts):
            seen += count
            if count and seen >= wanted:
                return (1 << bucket) - 1
        return 0


def cumulative(
    counts: list[int], total: int, scale: float
) -> tuple[list[tuple[str, float]], float]:
    """Return Prometheus buckets (upper bound, count up to it) and the sum, multiplied by `scale`.

    Bounds run from the first bucket in use to the last, so that an idle histogram stays short.
    """
    seen = 0
    buckets: list[tuple[str, float]] = []
    last = max((bucket for bucket, count in enumerate(counts) if count), default=-1)
    for bucket in range(last + 1):
        seen += counts[bucket]
        if seen:
            buckets.append((repr(((1 << bucket) - 1) * scale), float(seen)))
    buckets.append(("+Inf", float(sum(counts))))
    return buckets, total * scale
