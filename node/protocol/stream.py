"""Frames out of a stream of bytes, as a client receives it: replies, events and messages apart."""

from typing import Final

from librt.strings import read_i16_le, read_i32_le
from mypy_extensions import i64

from node.domain.events import EVENT_HEADER_SIZE, FIRST_PRIVATE_EVENT
from node.domain.replies import REPLY, REPLY_SIZE
from node.protocol.messages import (
    FIRST_MESSAGE,
    LAST_MESSAGE,
    MAX_SERVER_FRAME,
    NODE_MESSAGE_SIZES,
)

HEADER: Final[i64] = 8
REPLY_TYPE: Final[i64] = REPLY
REPLY_LENGTH: Final[i64] = REPLY_SIZE
EVENTS_FROM: Final[i64] = FIRST_PRIVATE_EVENT
EVENT_LEAST: Final[i64] = EVENT_HEADER_SIZE
MESSAGES_FROM: Final[i64] = FIRST_MESSAGE
MESSAGES_TO: Final[i64] = LAST_MESSAGE
LONGEST: Final[i64] = MAX_SERVER_FRAME


def _message_sizes() -> list[int]:
    return [NODE_MESSAGE_SIZES.get(kind, -1) for kind in range(FIRST_MESSAGE, LAST_MESSAGE + 1)]


class NodeStream:
    """What one node sends, sorted by kind.

    Feed it chunks as they arrive. After each `feed`: `replies` and `events` are whole frames,
    concatenated in the order in which they came; `messages` holds the session-layer frames.
    `failed` is set for good when the bytes are not this protocol; the caller then drops the
    connection.
    """

    def __init__(self) -> None:
        """Start with nothing received."""
        self.replies: bytes = b""
        self.events: bytes = b""
        self.messages: list[bytes] = []
        self.failed: bool = False
        self._tail: bytes = b""

    def feed(self, chunk: bytes) -> None:
        """Sort the frames that `chunk` completes; set the results.

        Never raises, whatever the bytes are.
        """
        self.replies = b""
        self.events = b""
        self.messages = []
        if self.failed:
            return
        data = self._tail + chunk if len(self._tail) > 0 else chunk
        used = self._sort(data)
        if self.failed:
            self._tail = b""
        elif used == 0:
            self._tail = data
        else:
            self._tail = data[used:] if used < len(data) else b""

    def _sort(self, data: bytes) -> i64:
        """Sort whole frames from the front of `data`; return how many bytes they are."""
        replies: list[bytes] = []
        events: list[bytes] = []
        size: i64 = len(data)
        start: i64 = 0  # Of the run of frames of one class that ends at `offset`.
        offset: i64 = 0
        run: i64 = 0
        while size - offset >= HEADER:
            length: i64 = i64(read_i32_le(data, offset))
            kind: i64 = i64(read_i16_le(data, offset + 4))
            group = _class_of(kind, length)
            if group == 0:
                self.failed = True
                break
            if length > size - offset:
                break
            if group != run:
                _keep(run, data, start, offset, replies, events)
                start = offset
                run = group
            if group == 3:
                self.messages.append(data[offset : offset + length])
                start = offset + length
            offset += length
        _keep(run, data, start, offset, replies, events)
        self.replies = replies[0] if len(replies) == 1 else b"".join(replies)
        self.events = events[0] if len(events) == 1 else b"".join(events)
        return offset


def _class_of(kind: i64, length: i64) -> i64:
    """Return 1 for a reply, 2 for an event, 3 for a message and 0 for what no node sends."""
    if kind == REPLY_TYPE:
        return 1 if length == REPLY_LENGTH else 0
    if EVENTS_FROM <= kind < MESSAGES_FROM:
        # Whole words, as all events are: who routes and copies them relies on it.
        return 2 if EVENT_LEAST <= length <= LONGEST and length & 7 == 0 else 0
    if MESSAGES_FROM <= kind <= MESSAGES_TO:
        required = NODE_MESSAGE_SIZE_LIST[kind - MESSAGES_FROM]
        if required == 0:
            return 3 if 48 <= length <= LONGEST else 0
        # -1 is a message that only clients send: no length is right, and -1 least of all.
        return 3 if length == required >= HEADER else 0
    return 0


def _keep(
    run: i64, data: bytes, start: i64, end: i64, replies: list[bytes], events: list[bytes]
) -> None:
    if end == start:
        return
    if run == 1:
        replies.append(data[start:end])
    elif run == 2:
        events.append(data[start:end])


NODE_MESSAGE_SIZE_LIST: Final[list[int]] = _message_sizes()
