"""What a node says of itself costs its loop next to nothing."""

from types import SimpleNamespace
from typing import Any

from node.portrait import Portrait
from node.telemetry.readings import Build


def test_markets_are_walked_at_most_once_a_second() -> None:
    """However often a page is asked for, the count of open orders is at most a second old."""
    now = [100.0]
    market = SimpleNamespace(order_count=3)
    machine: Any = SimpleNamespace(
        venue=SimpleNamespace(state=SimpleNamespace(markets=[None, market, market]))
    )
    nothing: Any = None
    unread = (nothing, nothing, nothing, nothing, nothing)
    portrait = Portrait(Build("0", "pure"), 1, nothing, machine, *unread, lambda: now[0])
    first = portrait._open_orders()
    market.order_count = 4
    soon = portrait._open_orders()
    now[0] += 1.0

    assert (first, soon, portrait._open_orders()) == (6, 6, 8)
