"""What became of orders, as the events of a replayed log tell it.

An order is named as its owner names it: (account, client order id).
"""

from bisect import bisect_right
from collections.abc import Iterable
from struct import Struct
from typing import Final

from node.domain.events import (
    CLOSED_LEAVES,
    EVENT_STREAM,
    FILLED_LOTS,
    ORDER_CLIENT_ORDER_ID,
    ORDER_CLOSED,
    ORDER_FILLED,
    ORDER_REDUCED,
    REDUCED_BY,
)

Name = tuple[int, int]
_HEAD: Final = Struct("<ih")
_OWNER: Final = Struct("<i")
_LONG: Final = Struct("<q")
_LOTS_AT: Final = {
    ORDER_FILLED: FILLED_LOTS,
    ORDER_REDUCED: REDUCED_BY,
    ORDER_CLOSED: CLOSED_LEAVES,
}
"""Where each kind of event that takes lots off an order says how many."""


class Executions:
    """How many lots of each watched order are gone: give `observe` to a replay.

    Orders of one name count together: a name is free again only when all of its order is gone.
    """

    def __init__(self, watched: Iterable[Name]) -> None:
        """Watch the orders called `watched`."""
        self._gone: dict[Name, tuple[list[int], list[int]]] = {name: ([], []) for name in watched}

    def __bool__(self) -> bool:
        """Return whether any order is watched."""
        return bool(self._gone)

    def observe(self, index: int, _replies: bytes, events: bytes) -> None:
        """Take down what the events of the group at `index` do to watched orders."""
        offset = 0
        gone, lots_at = self._gone, _LOTS_AT
        while offset < len(events):
            length, kind = _HEAD.unpack_from(events, offset)
            at = lots_at.get(kind)
            if at is not None:
                account = _OWNER.unpack_from(events, offset + EVENT_STREAM)[0]
                own_id = _LONG.unpack_from(events, offset + ORDER_CLIENT_ORDER_ID)[0]
                sums = gone.get((account, own_id))
                if sums is not None:
                    lots = _LONG.unpack_from(events, offset + at)[0]
                    sums[0].append(index)
                    sums[1].append(lots + (sums[1][-1] if sums[1] else 0))
            offset += length

    def gone(self, name: Name, index: int) -> int:
        """Return how many lots were gone once the group at `index` was applied."""
        indexes, sums = self._gone[name]
        place = bisect_right(indexes, index)
        return sums[place - 1] if place else 0
