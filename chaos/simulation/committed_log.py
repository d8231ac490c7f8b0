"""What the cluster as a whole has executed: the first replica to apply an index writes it down."""

from typing import NamedTuple


class Applied(NamedTuple):
    """One group, and what it came to."""

    index: int  # type: ignore[assignment]  # a field here, not tuple's method
    term: int
    group: bytes
    digest: bytes
    replies: bytes
    events: bytes
    by: int
    """The node that applied it first."""
    at_ns: int


class CommittedLog:
    """Groups by index."""

    def __init__(self) -> None:
        """Start empty."""
        self.by_index: dict[int, Applied] = {}
        self.last_index = 0

    def add(self, applied: Applied) -> bool:
        """Write `applied` down unless its index is there already; return whether it was new."""
        if applied.index in self.by_index:
            return False
        self.by_index[applied.index] = applied
        self.last_index = max(self.last_index, applied.index)
        return True

    def in_order(self) -> list[Applied]:
        """Return all groups by index."""
        return [self.by_index[index] for index in sorted(self.by_index)]
