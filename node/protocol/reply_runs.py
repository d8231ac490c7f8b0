"""Replies of one group, sorted by the session that each belongs to."""

from typing import Final

from librt.strings import read_i32_le, read_i64_le
from mypy_extensions import i64

from node.domain.replies import REPLY_CODE, REPLY_SEQUENCE, REPLY_SESSION, REPLY_SIZE

SIZE: Final[i64] = REPLY_SIZE


class ReplyRuns:
    """The replies of one group by session.

    `sessions[i]` gets `frames[i]`, whose newest sequence is `newest[i]`.

    Order within a session is kept. A group of one session costs no copy.
    """

    def __init__(self, replies: bytes) -> None:
        """Split `replies`: whole reply frames, concatenated.

        Raises ValueError if they are not whole.
        """
        self.sessions: list[int] = []
        self.frames: list[bytes] = []
        self.newest: list[int] = []
        size: i64 = len(replies)
        if size % SIZE != 0:
            raise ValueError(f"{size} bytes are not whole replies of {REPLY_SIZE}")
        if size > 0:
            self._split(replies, size)

    def _split(self, replies: bytes, size: i64) -> None:
        places: dict[int, int] = {}
        start: i64 = 0
        while start < size:
            session = read_i32_le(replies, start + REPLY_SESSION)
            newest = read_i64_le(replies, start + REPLY_SEQUENCE)
            end = start + SIZE
            while end < size and read_i32_le(replies, end + REPLY_SESSION) == session:
                newest = max(newest, read_i64_le(replies, end + REPLY_SEQUENCE))
                end += SIZE
            run = replies if start == 0 and end == size else replies[start:end]
            place = places.get(session, -1)
            if place < 0:
                places[session] = len(self.sessions)
                self.sessions.append(session)
                self.frames.append(run)
                self.newest.append(newest)
            else:
                self.frames[place] += run
                self.newest[place] = max(self.newest[place], newest)
            start = end


NOT_STORED_FIRST: Final[i64] = 100
NOT_STORED_LAST: Final[i64] = 102
"""UNKNOWN_SESSION, SEQUENCE_GAP, REPLY_FORGOTTEN: about a session, not outcomes of a command."""


class FreshReplies:
    """The replies of `replies` that a session waits for.

    From sequence `base` on, each once, in order.

    `base` is then the sequence after the newest one. Repetitions are left out, and so are replies
    that are ahead of their turn: those answer an earlier connection's frames, which have been sent
    again and are answered again, in order. `trouble` is the code of the first reply that is not an
    outcome (UNKNOWN_SESSION, SEQUENCE_GAP, REPLY_FORGOTTEN); sifting ends there.
    """

    def __init__(self, replies: bytes, base: i64) -> None:
        """Sift `replies`: whole frames of one session."""
        self.frames: bytes = b""
        self.base: i64 = base
        self.trouble: i64 = 0
        self.trouble_sequence: i64 = 0
        size: i64 = len(replies)
        start: i64 = 0
        offset: i64 = 0
        parts: list[bytes] = []
        while offset + SIZE <= size:
            sequence = read_i64_le(replies, offset + REPLY_SEQUENCE)
            code: i64 = i64(read_i32_le(replies, offset + REPLY_CODE))
            if sequence >= self.base and NOT_STORED_FIRST <= code <= NOT_STORED_LAST:
                self.trouble = code
                self.trouble_sequence = sequence
                break
            if sequence == self.base:
                self.base = sequence + 1
            else:
                if offset > start:
                    parts.append(replies[start:offset])
                start = offset + SIZE
            offset += SIZE
        if start == 0 and offset == size:
            self.frames = replies
        else:
            if offset > start:
                parts.append(replies[start:offset])
            self.frames = b"".join(parts)
