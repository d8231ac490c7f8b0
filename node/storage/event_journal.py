"""The events of the last groups, within a bound: what feeds, resumes and history read.

Keyed by log index within one shard. Events are kept as `apply` wrote them, a group at a time, in
chunks, and are never parsed here.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

from node.storage.errors import EventsTooOldError

_CHUNK_BYTES: Final = 256 << 10
_GROUP_OVERHEAD: Final = 128
"""What a group costs beside its bytes: the object, its index and two list slots."""


class EventJournal:
    """Keep the newest events up to a bound in bytes; drop the oldest chunk first.

    Single-threaded: the loop appends and reads. Reading never copies events.
    """

    def __init__(self, shard: int, most_bytes: int, *, applied_index: int = 0) -> None:
        """Hold events of `shard` from behind `applied_index`, the log index of the first state."""
        self.shard: Final = shard
        self._most_bytes = most_bytes
        self._chunk_bytes = max(1, min(_CHUNK_BYTES, most_bytes // 8))
        self._chunks: deque[_Chunk] = deque([_Chunk()])
        self._bytes = 0
        self.oldest_index = applied_index + 1
        self.last_index = applied_index

    @property
    def size_bytes(self) -> int:
        """What is held: at most the bound, or one group when that alone is larger."""
        return self._bytes

    def append(self, index: int, events: bytes) -> None:
        """Hold the events of the group at `index`, behind all others; b"" costs nothing."""
        assert index > self.last_index  # The log is applied in order, once.
        self.last_index = index
        if not events:
            return
        chunk = self._chunks[-1]
        if chunk.size >= self._chunk_bytes:
            chunk = _Chunk()
            self._chunks.append(chunk)
        self._bytes += chunk.add(index, events)
        self._shrink()

    def restart(self, applied_index: int) -> None:
        """Forget everything.

        A snapshot at `applied_index` replaced the state, and what led to it was never seen.
        """
        self._chunks = deque([_Chunk()])
        self._bytes = 0
        self.oldest_index = applied_index + 1
        self.last_index = applied_index

    def since(self, index: int) -> Iterator[tuple[int, bytes]]:
        """Yield (log index, events) of the groups behind `index`, oldest first.

        Groups without events are left out.

        Raises EventsTooOldError when some of them are no longer held. What is appended while
        iterating is not seen.
        """
        if index + 1 < self.oldest_index:
            raise EventsTooOldError(index + 1, self.oldest_index)
        newest_first: list[_Chunk] = []
        for chunk in reversed(self._chunks):
            if not chunk.indexes or chunk.indexes[-1] <= index:
                break
            newest_first.append(chunk)
        parts = [
            (chunk, bisect_right(chunk.indexes, index), len(chunk.indexes))
            for chunk in reversed(newest_first)
        ]
        return (
            group
            for chunk, begin, end in parts
            for group in islice(zip(chunk.indexes, chunk.groups, strict=True), begin, end)
        )

    def _shrink(self) -> None:
        while self._bytes > self._most_bytes and len(self._chunks) > 1:
            dropped = self._chunks.popleft()
            self._bytes -= dropped.size
            self.oldest_index = dropped.indexes[-1] + 1


class _Chunk:
    """A run of groups, dropped together."""

    def __init__(self) -> None:
        self.indexes: list[int] = []
        self.groups: list[bytes] = []
        self.size = 0

    def add(self, index: int, events: bytes) -> int:
        """Take a group and return by how many bytes the chunk grew."""
        self.indexes.append(index)
        self.groups.append(events)
        grown = len(events) + _GROUP_OVERHEAD
        self.size += grown
        return grown
