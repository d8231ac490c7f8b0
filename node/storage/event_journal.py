"""The events of the last groups, within a bound: what feeds, resumes and history read.

Keyed (log index, ordinal) within one shard. Events are kept as `apply` wrote them, a group at a
time, in chunks; appending parses nothing. A chunk is indexed by stream only when a resume first
looks into it, and only once.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import islice
from struct import Struct
from typing import Final

from node.storage.errors import EventsTooOldError

_CHUNK_BYTES: Final = 256 << 10
_HEADER: Final = Struct("<ihhqiiq")
"""length, type, flags, log index, ordinal, stream, stream sequence: see `node.domain.events`."""
_STREAM_OVERHEAD: Final = 200
"""What an indexed stream costs in a chunk: a dict entry, its key and its number."""
_GROUP_OVERHEAD: Final = 128
"""What a group costs beside its bytes: the object, its index and two list slots."""

StreamKey = tuple[int, int]
"""(family, stream): family 5 is private, 6 public, 7 the venue's; see `family`."""


def family(event_type: int) -> int:
    """Return an event type's family of streams: its number without the low five bits."""
    return event_type >> 5


class EventJournal:
    """Keep the newest events up to a bound in bytes; drop the oldest chunk first.

    Single-threaded: the loop appends and reads. Reading never copies events, except those of one
    stream.
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

    def events_at(self, index: int) -> bytes:
        """Return the events of the group at `index`, b"" when it had none.

        Raises EventsTooOldError when it is no longer held.
        """
        for found, events in self.since(index - 1):
            return events if found == index else b""
        return b""

    def stream_since(self, event_family: int, stream: int, after: int, newest: int) -> list[bytes]:
        """Return the event frames of one stream with stream sequences behind `after`, in order.

        `newest` is the sequence of the stream's last event (the venue knows it). Chunks are looked
        at from the newest backwards until the first event wanted; about half a microsecond an
        event passed. Raises EventsTooOldError, naming the oldest sequence held, when some are gone.
        """
        if after >= newest:
            return []
        found, oldest = self._search((event_family, stream), after, newest)
        self._shrink()
        if oldest > after + 1:
            raise EventsTooOldError(after + 1, oldest)
        return found

    def _search(self, key: StreamKey, after: int, newest: int) -> tuple[list[bytes], int]:
        """Return the frames behind `after` that are held, and the oldest sequence looked at."""
        runs: list[list[bytes]] = []
        oldest = newest + 1
        for chunk in reversed(self._chunks):
            self._bytes += chunk.index_streams()
            first = chunk.first_sequence(key)
            if first == 0:
                continue
            oldest = first
            runs.append(chunk.frames(key, after))
            if oldest <= after + 1:
                break
        return [frame for run in reversed(runs) for frame in run], oldest

    def _shrink(self) -> None:
        while self._bytes > self._most_bytes and len(self._chunks) > 1:
            dropped = self._chunks.popleft()
            self._bytes -= dropped.size
            self.oldest_index = dropped.indexes[-1] + 1


class _Chunk:
    """A run of groups, and where in it the events of each stream are once somebody asked."""

    def __init__(self) -> None:
        self.indexes: list[int] = []
        self.groups: list[bytes] = []
        self.size = 0
        self._indexed_groups = 0
        self._streams: dict[StreamKey, int] = {}

    def add(self, index: int, events: bytes) -> int:
        """Take a group and return by how many bytes the chunk grew."""
        self.indexes.append(index)
        self.groups.append(events)
        grown = len(events) + _GROUP_OVERHEAD
        self.size += grown
        return grown

    def index_streams(self) -> int:
        """Note which streams occur in groups not looked at before; return the bytes it cost."""
        streams = self._streams
        known = len(streams)
        for events in self.groups[self._indexed_groups :]:
            for key, sequence, _, _ in _frames(events):
                if key not in streams:
                    streams[key] = sequence
        self._indexed_groups = len(self.groups)
        grown = (len(streams) - known) * _STREAM_OVERHEAD
        self.size += grown
        return grown

    def first_sequence(self, key: StreamKey) -> int:
        """Return the first sequence of a stream in this chunk, 0 when it does not occur."""
        return self._streams.get(key, 0)

    def frames(self, key: StreamKey, after: int) -> list[bytes]:
        """Return the frames of a stream behind the sequence `after`."""
        return [
            events[offset:end]
            for events in self.groups
            for found, sequence, offset, end in _frames(events)
            if found == key and sequence > after
        ]


def _frames(events: bytes) -> Iterator[tuple[StreamKey, int, int, int]]:
    """Yield (stream, sequence, offset, end) of each event frame."""
    offset = 0
    unpack = _HEADER.unpack_from
    while offset < len(events):
        length, kind, _, _, _, stream, sequence = unpack(events, offset)
        end = offset + length
        yield (kind >> 5, stream), sequence, offset, end
        offset = end
