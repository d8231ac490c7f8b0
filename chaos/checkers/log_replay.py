"""A log fed to a fresh venue, as bytes in and bytes out."""

from collections.abc import Iterable

from node.audit.replay import Replay
from node.domain.genesis import Genesis

Log = Iterable[tuple[int, bytes]]
"""Committed groups with their indexes, oldest first; entries without a group are left out."""
Pages = Iterable[tuple[bytes, bytes]]


class LogReplay:
    """One venue, from genesis or from a snapshot's pages, fed one group at a time."""

    def __init__(self, genesis: Genesis, pages: Pages | None = None) -> None:
        """Start before the first entry, or at a snapshot. Raises SnapshotError for wrong pages."""
        self.audit = Replay(genesis, pages)
        self._venue = self.audit.venue

    @property
    def index(self) -> int:
        """Return the index of the last group applied."""
        return self._venue.log_index

    @property
    def chain(self) -> bytes:
        """Return the chain digest as of `index`."""
        return self._venue.digest

    def apply(self, index: int, group: bytes) -> tuple[bytes, bytes]:
        """Apply the group at `index`; return its replies and its events.

        Raises InvariantError when the venue contradicts itself.
        """
        self._venue.apply(index, group)
        return self._venue.replies, self._venue.events
