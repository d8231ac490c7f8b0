"""The records of a log entry, read without the engine: what clients had put into the log."""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from node.domain.groups import GROUP_HEADER_SIZE, GROUP_LENGTH
from node.domain.replies import REPLY_SIZE

_LENGTH: Final = Struct("<i")
_RECORD: Final = Struct("<iiihhq")
"""session, reserved, then the frame: length, type, flags, sequence."""
_FRAME: Final = 8
_SMALLEST_FRAME: Final = 16
_REPLY: Final = Struct("<8xiiqqqq")

assert _REPLY.size == REPLY_SIZE


class LogRecord(NamedTuple):
    """One command as the log holds it; `at` is where its session number stands in the group."""

    session: int
    sequence: int
    frame: bytes
    at: int


class LogReply(NamedTuple):
    """One reply as the venue wrote it."""

    session: int
    code: int
    sequence: int
    log_index: int
    result: int
    filled: int


def records_of(group: bytes) -> Iterator[LogRecord]:
    """Yield the records of `group` in order; one that does not fit ends it, as for the venue."""
    end = len(group)
    if end < GROUP_HEADER_SIZE:
        return
    length = _LENGTH.unpack_from(group, GROUP_LENGTH)[0]
    if GROUP_HEADER_SIZE <= length <= end:
        end = length
    at = GROUP_HEADER_SIZE
    while at + _RECORD.size <= end:
        session, _, size, _, _, sequence = _RECORD.unpack_from(group, at)
        start = at + _FRAME
        if size < _SMALLEST_FRAME or start + size > end:
            return
        yield LogRecord(session, sequence, group[start : start + size], at)
        at = start + size


def replies_of(replies: bytes) -> Iterator[LogReply]:
    """Yield the reply frames that a venue wrote for one group."""
    return map(LogReply._make, _REPLY.iter_unpack(replies))
