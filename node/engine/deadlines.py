"""Deadlines: what happens at a time of the log, earliest first.

An indexed binary heap: each entry knows its place, so that one which is no longer wanted leaves in
O(log n) and nothing stale stays behind. Entries are ordered by (due_ns, rank), which is total, so
the order in which they come does not depend on how the heap grew.
"""

from typing import Final

from librt.strings import BytesWriter
from mypy_extensions import i64

from node.engine.pages import Record

NOWHERE: Final = -1


class Due(Record):
    """A record with a deadline; `due_ns` is 0 while it has none."""

    def __init__(self, rank: i64) -> None:
        """Make one without a deadline; of two at the same time the lower rank comes first."""
        self.rank: i64 = rank
        self.due_ns: i64 = 0
        self.place_due: i64 = NOWHERE

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        raise NotImplementedError


class Deadlines:
    """Entries by deadline."""

    def __init__(self) -> None:
        """Start empty."""
        self.heap: list[Due] = []

    def first(self) -> Due | None:
        """Return the entry that is due first, or None."""
        if len(self.heap) == 0:
            return None
        return self.heap[0]

    def add(self, entry: Due) -> None:
        """Take in an entry whose `due_ns` is set."""
        entry.place_due = len(self.heap)
        self.heap.append(entry)
        self._rise(entry)

    def remove(self, entry: Due) -> None:
        """Let go of an entry, wherever it stands; one that is not here stays so."""
        place = entry.place_due
        if place == NOWHERE:
            return
        entry.place_due = NOWHERE
        last = self.heap.pop()
        if last is entry:
            return
        last.place_due = place
        self.heap[place] = last
        self._rise(last)
        self._sink(last)

    def _rise(self, entry: Due) -> None:
        heap = self.heap
        place = entry.place_due
        while place > 0:
            above = (place - 1) >> 1
            other = heap[above]
            if not comes_before(entry, other):
                break
            heap[place] = other
            other.place_due = place
            place = above
        heap[place] = entry
        entry.place_due = place

    def _sink(self, entry: Due) -> None:
        heap = self.heap
        size: i64 = len(heap)
        place = entry.place_due
        while True:
            below = 2 * place + 1
            if below >= size:
                break
            other = heap[below]
            if below + 1 < size and comes_before(heap[below + 1], other):
                below += 1
                other = heap[below]
            if not comes_before(other, entry):
                break
            heap[place] = other
            other.place_due = place
            place = below
        heap[place] = entry
        entry.place_due = place


def comes_before(one: Due, other: Due) -> bool:
    """Return whether `one` is due first."""
    if one.due_ns != other.due_ns:
        return one.due_ns < other.due_ns
    return one.rank < other.rank
