"""A list of times, as the few numbers that people compare."""

from collections.abc import Iterable
from typing import NamedTuple


class Distribution(NamedTuple):
    """Percentiles by nearest rank: each is a time that was measured. All 0 for no times."""

    size: int
    p50: float
    p90: float
    p99: float
    largest: float


def distribution(times: Iterable[float]) -> Distribution:
    """Return what `times` come to, in their own unit."""
    ordered = sorted(times)
    if not ordered:
        return Distribution(0, 0.0, 0.0, 0.0, 0.0)
    size = len(ordered)
    # The nearest rank rounds up: the 99th percentile of fifty times is their largest.
    p50, p90, p99 = (ordered[-(-size * percent // 100) - 1] for percent in (50, 90, 99))
    return Distribution(size, p50, p90, p99, ordered[-1])
