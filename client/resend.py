"""What was sent and not acknowledged: kept, in order, to be sent again after a reconnect.

Pure bookkeeping.
"""

from collections import deque

from node.protocol.command_frames import bytes_of_frames
from node.protocol.reply_runs import FreshReplies


class ResendQueue:
    """The command frames of one session from the oldest unacknowledged one on.

    `base` is the sequence of the oldest command without a reply, `sent` of the first one not sent
    on this connection, `next_sequence` of the next one to add. At most `window` commands are sent
    and unacknowledged.
    """

    def __init__(self, window: int, next_sequence: int = 1) -> None:
        """Start empty."""
        self.window = window
        self.base = next_sequence
        self.sent = next_sequence
        self.next_sequence = next_sequence
        self._chunks: deque[tuple[int, int, bytes]] = deque()

    @property
    def outstanding(self) -> int:
        """How many commands have been added and not acknowledged."""
        return self.next_sequence - self.base

    @property
    def room(self) -> int:
        """How many more commands can be added and sent at once."""
        return max(0, self.window - self.outstanding)

    def add(self, frames: bytes, count: int) -> int:
        """Append `count` frames, numbered from `next_sequence` on.

        Return the sequence of the first.
        """
        first = self.next_sequence
        if count:
            self._chunks.append((first, count, frames))
            self.next_sequence += count
        return first

    def sendable(self) -> bytes:
        """Return the frames that the window lets go now, and count them as sent."""
        limit = min(self.next_sequence, self.base + self.window)
        if self.sent >= limit:
            return b""
        parts: list[bytes] = []
        for first, count, frames in self._chunks_from(self.sent):
            if first >= limit:
                break
            start = 0 if self.sent <= first else bytes_of_frames(frames, self.sent - first)
            end = len(frames) if first + count <= limit else bytes_of_frames(frames, limit - first)
            parts.append(frames if end - start == len(frames) else frames[start:end])
        self.sent = limit
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _chunks_from(self, sequence: int) -> list[tuple[int, int, bytes]]:
        """Return the chunks that hold `sequence` and later ones.

        Found from the back, where sending happens.
        """
        found: list[tuple[int, int, bytes]] = []
        for chunk in reversed(self._chunks):
            if chunk[0] + chunk[1] <= sequence:
                break
            found.append(chunk)
        found.reverse()
        return found

    def take(self, replies: bytes) -> FreshReplies:
        """Sift `replies` for those not seen before, and forget the commands that they answer."""
        fresh = FreshReplies(replies, self.base)
        self._forget_before(min(fresh.base, self.next_sequence))
        return fresh

    def skip(self, sequence: int) -> None:
        """Count everything up to and including `sequence` as answered: its reply can never come."""
        self._forget_before(min(sequence + 1, self.next_sequence))

    def _forget_before(self, base: int) -> None:
        self.base = max(self.base, base)
        self.sent = max(self.sent, self.base)
        chunks = self._chunks
        while chunks and chunks[0][0] + chunks[0][1] <= self.base:
            chunks.popleft()

    def rewind(self, sequence: int = 0) -> None:
        """Send again from `sequence` on.

        Or from the oldest unacknowledged command when that is later.
        """
        self.sent = max(self.base, min(self.sent, sequence))
