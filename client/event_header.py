"""What every event begins with."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEADER = struct.Struct("<4xhxxqiiqq")


class Header(NamedTuple):
    """What every event begins with.

    (log_index, ordinal) names it; stream_sequence is gapless within its stream.
    """

    kind: int
    log_index: int
    ordinal: int
    stream: int
    stream_sequence: int
    stamp_ns: int


def parse_header(frames: bytes, offset: int = 0) -> Header:
    """Read the header of the event at `offset`."""
    return Header._make(_HEADER.unpack_from(frames, offset))
