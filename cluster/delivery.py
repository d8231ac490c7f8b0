"""Commands on their way: what has left, what has been answered, and how long each answer took."""

import asyncio
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from struct import unpack_from
from typing import Final, NamedTuple

from node.domain.codes import Code
from node.domain.replies import REPLY_SIZE

_CODE_WORD: Final = 3
_WORDS: Final = REPLY_SIZE // 4
_LOG_INDEX_WORD: Final = 3
_CHUNK_LEAST: Final = 64
"""While commands are out, fewer than this many are not worth a packet of their own."""


class Latencies(NamedTuple):
    """Nanoseconds from a command's departure, or when it was due, to its reply."""

    commands: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    p999_ns: int
    most_ns: int


class Delivery:
    """Frames with consecutive sequences, and the replies to them in the same order."""

    def __init__(
        self, frames: bytes | bytearray, offsets: Sequence[int], first_sequence: int, rate: int
    ) -> None:
        """Deliver `frames`; `offsets` as in `BulkSession.send`.

        `rate` 0 means as fast as the window allows.
        """
        self.frames = memoryview(frames)
        self.offsets = offsets
        self.count = len(offsets) - 1
        self.first_sequence = first_sequence
        self.rate = rate
        self.sent = 0
        self.acknowledged = 0
        self.started_ns = 0
        self.ended_ns = 0
        self.gap_ns = 0
        """The longest silence between two replies across a reconnection; 0 without one."""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._departures: deque[tuple[int, int]] = deque()
        self._durations: list[tuple[int, int]] = []
        self._replies: list[bytes] = []
        self._last_reply_ns = 0
        self._resumed = False

    def next_frames(self, window: int, now_ns: int) -> bytes:
        """Return the frames that may leave now, b"" when the window is full or none is due."""
        if self.started_ns == 0:
            self.started_ns = self._last_reply_ns = now_ns
        upto = min(self.count, self.acknowledged + window)
        if self.rate:
            # Down: none before it is due.
            upto = min(upto, (now_ns - self.started_ns) * self.rate // 1_000_000_000 + 1)
        elif (
            upto - self.sent < _CHUNK_LEAST and self.sent > self.acknowledged and upto < self.count
        ):
            return b""
        if upto <= self.sent:
            return b""
        chunk = bytes(self.frames[self.offsets[self.sent] : self.offsets[upto]])
        self.sent = upto
        if not self.rate and (not self._departures or self._departures[-1][0] < upto):
            self._departures.append((upto, now_ns))
        return chunk

    def take(self, first: int, last: int, replies: bytes, now_ns: int) -> bool:
        """Take replies to the sequences `first` to `last`.

        Return whether they were the next ones.
        """
        expected = self.first_sequence + self.acknowledged
        number = last - first + 1
        if first != expected or number * REPLY_SIZE != len(replies):
            return False
        if self._resumed:
            self._resumed = False
            self.gap_ns = max(self.gap_ns, now_ns - self._last_reply_ns)
        self._last_reply_ns = now_ns
        self._replies.append(replies)
        self._measure(self.acknowledged, self.acknowledged + number, now_ns)
        self.acknowledged += number
        if self.acknowledged == self.count:
            self.ended_ns = now_ns
            if not self.done.done():
                self.done.set_result(None)
        return True

    def _measure(self, begin: int, end: int, now_ns: int) -> None:
        if self.rate:
            late = now_ns - self.started_ns
            for number in range(begin, end):
                self._durations.append((late - number * 1_000_000_000 // self.rate, 1))
            return
        departures = self._departures
        while begin < end:
            upto, left_ns = departures[0]
            number = min(end, upto) - begin
            self._durations.append((now_ns - left_ns, number))
            begin += number
            if begin == upto:
                departures.popleft()

    def resumed(self) -> None:
        """Note that the next reply is a new connection's first: the silence before it is a gap."""
        self._resumed = True

    def fail(self, error: Exception) -> None:
        """Give up: whoever waits gets `error`."""
        if not self.done.done():
            self.done.set_exception(error)

    # Afterwards.

    @property
    def replies(self) -> bytes:
        """Return every reply frame, in order."""
        return b"".join(self._replies)

    @property
    def durations(self) -> list[tuple[int, int]]:
        """Return (nanoseconds, number of commands that took so long)."""
        return self._durations

    def code_numbers(self) -> list[int]:
        """Return the number of each command's code, in order."""
        return memoryview(self.replies).cast("i")[_CODE_WORD::_WORDS].tolist()

    def log_indexes(self) -> list[int]:
        """Return where in the log each command was answered, in order."""
        words = memoryview(self.replies).cast("q")
        return words[_LOG_INDEX_WORD :: REPLY_SIZE // 8].tolist()

    def codes(self) -> Counter[str]:
        """Return how many commands came to each code, by name."""
        counted = Counter(self.code_numbers())
        return Counter({Code(number).name: count for number, count in sorted(counted.items())})

    def results(self) -> list[int]:
        """Return what each command made: an order id or number, 0 for nothing."""
        words = memoryview(self.replies).cast("q")
        return words[4 :: REPLY_SIZE // 8].tolist()


def latencies(durations: Iterable[tuple[int, int]]) -> Latencies:
    """Return the percentiles of weighted durations."""
    ordered = sorted(durations)
    bounds: list[int] = []
    seen = 0
    for _, number in ordered:
        seen += number
        bounds.append(seen)
    if not seen:
        return Latencies(0, 0, 0, 0, 0, 0)

    def at(share: float) -> int:
        return ordered[min(bisect_right(bounds, int(share * seen)), len(ordered) - 1)][0]

    return Latencies(seen, at(0.5), at(0.9), at(0.99), at(0.999), ordered[-1][0])


def frame_offsets(frames: bytes) -> list[int]:
    """Return where each frame of a buffer starts and, last, where the last one ends."""
    offsets = [0]
    while offsets[-1] < len(frames):
        offsets.append(offsets[-1] + unpack_from("<i", frames, offsets[-1])[0])
    return offsets
