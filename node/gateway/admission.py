"""Commands that wait to be proposed.

Taken in turns across connections, so that no one crowds the others out.
"""

from collections import deque
from collections.abc import Callable

from node.protocol.framing import records_that_fit


class Backlog:
    """The commands of one connection that wait, in order."""

    __slots__ = ("chunks", "count", "size")

    def __init__(self) -> None:
        """Start empty."""
        self.chunks: deque[tuple[bytes, int]] = deque()
        self.size = 0
        self.count = 0


class Admission:
    """The queue between the sockets and the log."""

    def __init__(self, turn_bytes: int, kick: Callable[[], None]) -> None:
        """Take at most `turn_bytes` from a connection before the next one.

        `kick` when commands begin to wait.
        """
        self._turn_bytes = turn_bytes
        self._kick = kick
        self._waiting: deque[Backlog] = deque()
        self._internal: deque[bytes] = deque()
        self.size = 0
        self.count = 0

    def add(self, backlog: Backlog, records: bytes, count: int) -> None:
        """Append `count` records of one connection; its earlier ones go first."""
        if not backlog.chunks:
            self._waiting.append(backlog)
        backlog.chunks.append((records, count))
        backlog.size += len(records)
        backlog.count += count
        self.size += len(records)
        self.count += count
        self._kick()

    def add_internal(self, record: bytes) -> None:
        """Append a record of the node's own; it goes before all clients' commands."""
        self._internal.append(record)
        self.size += len(record)
        self.count += 1
        self._kick()

    def clear(self) -> None:
        """Forget everything: this node does not lead any more."""
        for backlog in self._waiting:
            self._empty(backlog)
        self._waiting.clear()
        self._internal.clear()
        self.size = 0
        self.count = 0

    def _empty(self, backlog: Backlog) -> None:
        self.size -= backlog.size
        self.count -= backlog.count
        backlog.chunks.clear()
        backlog.size = 0
        backlog.count = 0

    def take(self, max_bytes: int) -> tuple[list[bytes], int] | None:
        """Return records of at most `max_bytes` together, and how many they are.

        None when nothing waits.
        """
        parts: list[bytes] = []
        total = 0
        count = 0
        while self._internal and total + len(self._internal[0]) <= max_bytes:
            record = self._internal.popleft()
            parts.append(record)
            total += len(record)
            count += 1
        waiting = self._waiting
        while waiting:
            taken, number = self._turn(waiting[0], min(self._turn_bytes, max_bytes - total), parts)
            if number == 0:
                break
            total += taken
            count += number
            backlog = waiting.popleft()
            if backlog.chunks:
                waiting.append(backlog)
        self.size -= total
        self.count -= count
        return (parts, count) if count else None

    @staticmethod
    def _turn(backlog: Backlog, most_bytes: int, parts: list[bytes]) -> tuple[int, int]:
        """Move records of at most `most_bytes` from `backlog` to `parts`.

        Return their bytes and number.
        """
        taken = 0
        number = 0
        chunks = backlog.chunks
        while chunks:
            records, count = chunks[0]
            room = most_bytes - taken
            if len(records) <= room:
                chunks.popleft()
                parts.append(records)
                taken += len(records)
                number += count
                continue
            fitting, fitting_count = records_that_fit(records, room)
            if fitting_count:
                parts.append(records[:fitting])
                chunks[0] = (records[fitting:], count - fitting_count)
                taken += fitting
                number += fitting_count
            break
        backlog.size -= taken
        backlog.count -= number
        return taken, number
