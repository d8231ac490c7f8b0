"""One subscription of a simulated reader, and what the log owes it."""

from collections import deque
from collections.abc import Iterator

from chaos.simulation.committed_log import CommittedLog
from node.domain import events as layout
from node.protocol import messages


class Following:
    """An unbroken run of a stream, from wherever the subscription began."""

    def __init__(self, log: CommittedLog, feed: int, stream: int) -> None:
        """Follow a stream, or with stream 0 all streams of a feed, as `log` has it."""
        self.feed = feed
        self.stream = stream
        self._log = log
        self._index = -1
        self._owed: deque[bytes] = deque()

    def __str__(self) -> str:
        """Name the stream."""
        return f"stream {self.stream} of feed {self.feed}"

    @property
    def begun(self) -> bool:
        """Whether it is known where the run begins."""
        return self._index >= 0

    def begin(self, index: int) -> None:
        """Owe everything behind `index`."""
        self._index = index

    @property
    def owes(self) -> bool:
        """Whether the log has an event that did not come yet."""
        while not self._owed and self._index < self._log.last_index:
            self._index += 1
            applied = self._log.by_index.get(self._index)
            if applied is not None:
                self._owed.extend(frame for frame in frames_of(applied.events) if self._has(frame))
        return bool(self._owed)

    def take(self) -> bytes | None:
        """Return the next event that is owed; None when there is none."""
        return self._owed.popleft() if self.owes else None

    def _has(self, frame: bytes) -> bool:
        kind = int.from_bytes(frame[4:6], "little")
        if kind < layout.FIRST_PUBLIC_EVENT:
            feed = messages.EXECUTIONS
        elif kind < layout.FIRST_VENUE_EVENT:
            feed = messages.MARKET_DATA
        else:
            feed = messages.VENUE
        at = layout.EVENT_STREAM
        stream = int.from_bytes(frame[at : at + 4], "little")
        return feed == self.feed and self.stream in {0, stream}


def frames_of(frames: bytes) -> Iterator[bytes]:
    """Yield the events among `frames`, one by one."""
    at = 0
    while at < len(frames):
        end = at + int.from_bytes(frames[at : at + 4], "little")
        yield frames[at:end]
        at = end


def index_of(frame: bytes) -> int:
    """Return the log index of the command behind an event."""
    at = layout.EVENT_LOG_INDEX
    return int.from_bytes(frame[at : at + 8], "little")
