"""Building the bytes of a group from the records that wait (layout: `node.domain.groups`)."""

import struct
from collections.abc import Sequence
from typing import Final

from node.domain.groups import GROUP_HEADER_SIZE, GROUP_STAMP, MAX_GROUP_SIZE, RULES_VERSION

_HEADER = struct.Struct("<ihhqii")
_STAMP = struct.Struct("<q")
assert _HEADER.size == GROUP_HEADER_SIZE

EMPTY_GROUP_SIZE: Final = GROUP_HEADER_SIZE


def build_group(
    records: Sequence[bytes],
    count: int,
    stamp_ns: int,
    *,
    shard: int = 0,
    rules_version: int = RULES_VERSION,
    trailer: bytes = b"",
) -> bytes:
    """Return a group of `count` commands under one stamp.

    `records` are byte strings of whole records, each with its session, in order; there may be
    several in one string. An empty group only moves time. Raises ValueError when the group would
    exceed MAX_GROUP_SIZE.
    """
    length = GROUP_HEADER_SIZE + sum(map(len, records))
    if length + len(trailer) > MAX_GROUP_SIZE:
        raise ValueError(f"a group of {length + len(trailer)} bytes, at most {MAX_GROUP_SIZE} fit")
    header = _HEADER.pack(length, rules_version, shard, stamp_ns, count, len(trailer))
    return b"".join((header, *records, trailer))


def group_stamp_ns(group: bytes) -> int:
    """Return the stamp of a group, or 0 when it is too short to have one."""
    if len(group) < GROUP_HEADER_SIZE:
        return 0
    stamp: int = _STAMP.unpack_from(group, GROUP_STAMP)[0]
    return stamp
