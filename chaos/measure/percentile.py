"""Percentiles of what was measured, and how to write them."""

from collections.abc import Iterable, Sequence
from math import ceil


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all values do not exceed.

    Of few values a high percentile is the largest. Raises ValueError for none.
    """
    if not values:
        raise ValueError("there is no percentile of nothing")
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def spread(values: Iterable[float], unit: str = "ms", digits: int = 0) -> str:
    """Return smallest, p50, p99 and largest in words; "none" for no values."""
    listed = sorted(values)
    if not listed:
        return "none"
    named = (
        ("p50", percentile(listed, 0.5)),
        ("p99", percentile(listed, 0.99)),
        ("least", listed[0]),
        ("most", listed[-1]),
    )
    said = ", ".join(f"{name} {value:,.{digits}f}" for name, value in named)
    return f"{said} {unit} of {len(listed)}"
