"""Frames out of a stream of bytes, as a node receives it.

Commands as log records, messages one by one.
"""

from typing import Final

from librt.strings import BytesWriter, read_i16_le, read_i32_le, read_i64_le, write_i64_le
from mypy_extensions import i64

from node.domain.commands import (
    ATTEST,
    COMMAND_SEQUENCE,
    COMMAND_SIZES,
    MAX_CLIENT_COMMAND,
    RECORD_FRAME,
)
from node.protocol.messages import CLIENT_MESSAGE_SIZES, FIRST_MESSAGE, LAST_MESSAGE
from node.protocol.refusals import (
    FRAME_FLAGS_INVALID,
    FRAME_LENGTH_INVALID,
    FRAME_SIZE_MISMATCH,
    FRAME_TYPE_UNKNOWN,
    SEQUENCE_GAP,
    SEQUENCE_INVALID,
    STEP_INVALID,
    WINDOW_EXCEEDED,
)

HEADER: Final[i64] = 8
LAST_COMMAND: Final[i64] = MAX_CLIENT_COMMAND
ATTEST_KIND: Final[i64] = ATTEST
MESSAGES_FROM: Final[i64] = FIRST_MESSAGE
RECORD_PREFIX: Final[i64] = RECORD_FRAME
MESSAGES_TO: Final[i64] = LAST_MESSAGE


def _command_sizes() -> list[int]:
    return [COMMAND_SIZES.get(kind, 0) for kind in range(MAX_CLIENT_COMMAND + 1)]


def _message_sizes() -> list[int]:
    return [CLIENT_MESSAGE_SIZES.get(kind, 0) for kind in range(FIRST_MESSAGE, LAST_MESSAGE + 1)]


class FrameScanner:
    """What one client sends: cut into frames, checked, and made into log records.

    Feed it chunks as they arrive. After each `feed` the caller takes `records` (the admitted
    commands, each preceded by the session, ready for a group), `count` (how many), `messages`
    (session-layer frames), `attestations` (ATTEST frames once more: their signatures are to be
    verified) and `refusal` (0 if none). Nothing after a refusal that closes is looked
    at. After one that does not close, commands are skipped until the sequence `resend_from` comes
    again, so that a pipelining client gets one refusal and not one a command.
    """

    def __init__(self, max_frame: i64) -> None:
        """Take frames of at most `max_frame` bytes; commands are refused until `open`."""
        self.records: bytes = b""
        self.count: i64 = 0
        self.messages: list[bytes] = []
        self.attestations: list[bytes] = []
        self.refusal: i64 = 0
        self.detail: i64 = 0
        self.resend_from: i64 = 0
        self.expected: i64 = 0
        self.skipped: i64 = 0
        self._session: i64 = 0
        self._window: i64 = 0
        self._ceiling: i64 = 0
        self._max_frame: i64 = max_frame
        self._tail: bytes = b""
        self._skipping: bool = False
        self._closed: bool = False
        self._writer: BytesWriter = BytesWriter()
        self._command_sizes: list[int] = _command_sizes()
        self._message_sizes: list[int] = _message_sizes()

    def open(self, session: i64, next_sequence: i64, window: i64) -> None:
        """Admit commands of `session` from now on.

        New ones from `next_sequence`, `window` of them outstanding.
        """
        self._session = session
        self._window = window
        self.expected = next_sequence
        self._ceiling = next_sequence + window - 1

    def acknowledge(self, sequence: i64) -> None:
        """Note that the reply to `sequence`, and to all before it, has been sent.

        The window moves on.
        """
        ceiling = sequence + self._window
        if ceiling > self._ceiling:
            self._ceiling = ceiling

    def close(self) -> None:
        """Look at nothing more."""
        self._closed = True
        self._tail = b""

    def feed(self, chunk: bytes) -> None:
        """Scan `chunk` after what was left of the last one; set the results.

        Never raises, whatever the bytes are.
        """
        self.records = b""
        self.count = 0
        self.messages = []
        self.attestations = []
        self.refusal = 0
        if self._closed:
            return
        data = self._tail + chunk if len(self._tail) > 0 else chunk
        used = self._scan(data)
        if self._closed:
            self._tail = b""
        elif used == 0:
            self._tail = data
        else:
            self._tail = data[used:] if used < len(data) else b""
        if self.count > 0:
            self.records = self._writer.getvalue()
            self._writer.truncate(0)

    def _scan(self, data: bytes) -> i64:
        """Take whole frames from the front of `data`; return how many bytes they are."""
        size: i64 = len(data)
        offset: i64 = 0
        while size - offset >= HEADER:
            length: i64 = i64(read_i32_le(data, offset))
            kind: i64 = i64(read_i16_le(data, offset + 4))
            if not self._check_header(length, kind, i64(read_i16_le(data, offset + 6))):
                return offset
            if length > size - offset:
                return offset
            if kind <= LAST_COMMAND:
                if not self._command(data, offset, length):
                    return offset
                if kind == ATTEST_KIND:
                    self.attestations.append(data[offset : offset + length])
            else:
                self.messages.append(data[offset : offset + length])
            offset += length
        return offset

    def _check_header(self, length: i64, kind: i64, flags: i64) -> bool:
        if length < HEADER or length > self._max_frame:
            self._end(FRAME_LENGTH_INVALID, length)
            return False
        required: i64 = 0
        if 0 < kind <= LAST_COMMAND:
            required = i64(self._command_sizes[kind])
        elif MESSAGES_FROM <= kind <= MESSAGES_TO:
            required = i64(self._message_sizes[kind - MESSAGES_FROM])
        if required == 0:
            self._end(FRAME_TYPE_UNKNOWN, kind)
            return False
        if flags != 0:
            self._end(FRAME_FLAGS_INVALID, flags)
            return False
        if length != required:
            self._end(FRAME_SIZE_MISMATCH, length)
            return False
        return True

    def _command(self, data: bytes, offset: i64, length: i64) -> bool:
        """Admit, skip or refuse the whole command at `offset`.

        Return False when the connection must close.
        """
        sequence: i64 = read_i64_le(data, offset + COMMAND_SEQUENCE)
        if self._session == 0:
            self._end(STEP_INVALID, sequence)
            return False
        if sequence < 1:
            self._end(SEQUENCE_INVALID, sequence)
            return False
        if sequence >= self.expected:
            if sequence > self.expected:
                self._skip(SEQUENCE_GAP, sequence)
                return True
            if sequence > self._ceiling:
                # Sent again too early is told again: the client waits for replies.
                self._skipping = False
                self._skip(WINDOW_EXCEEDED, self._window)
                return True
            self._skipping = False
            self.expected = sequence + 1
        # An older sequence is a resend: the log answers it with the original reply.
        writer = self._writer
        write_i64_le(writer, self._session)
        position = offset
        end = offset + length
        # Every command is whole words long: a test holds COMMAND_SIZES to it.
        while position < end:
            write_i64_le(writer, read_i64_le(data, position))
            position += 8
        self.count += 1
        return True

    def _skip(self, refusal: i64, detail: i64) -> None:
        self.skipped += 1
        if not self._skipping:
            self._skipping = True
            self.refusal = refusal
            self.detail = detail
            self.resend_from = self.expected

    def _end(self, refusal: i64, detail: i64) -> None:
        self._closed = True
        self.refusal = refusal
        self.detail = detail
        self.resend_from = self.expected


def records_that_fit(records: bytes, most_bytes: i64) -> tuple[i64, i64]:
    """Return how many bytes and how many records at the front of `records` fit in `most_bytes`."""
    size: i64 = len(records)
    offset: i64 = 0
    count: i64 = 0
    while offset < size:
        end = offset + RECORD_PREFIX + i64(read_i32_le(records, offset + RECORD_PREFIX))
        if end > most_bytes:
            break
        offset = end
        count += 1
    return offset, count
