"""The reply to one command."""

import struct
from typing import NamedTuple

from client.errors import RejectedError
from node.domain.codes import Code

_LAYOUT = struct.Struct("<8xiiqqqq")
REPLY_BYTES = _LAYOUT.size


class Reply(NamedTuple):
    """What a command came to.

    `result` is the number or id it made, `filled` the lots that filled on arrival.
    """

    session: int
    code: int
    sequence: int
    log_index: int
    result: int
    filled: int

    def accepted(self) -> "Reply":
        """Return this reply, or raise RejectedError if the command was rejected."""
        if self.code != Code.OK:
            raise RejectedError(Code(self.code), self.sequence, self.log_index, self.result)
        return self


def parse_replies(frames: bytes) -> list[Reply]:
    """Read all reply frames in `frames`."""
    return [Reply._make(fields) for fields in _LAYOUT.iter_unpack(frames)]
