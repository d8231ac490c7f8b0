"""The bytes of one journal record: a fixed header, its checksum, and a payload.

`magic u32, crc u32, length u32, kind u8, flags u8, zero u16, flush u64, index u64, term u64`, then
`length` payload bytes, little-endian throughout. The checksum (CRC32C) covers everything behind
itself and starts from the segment's nonce, so that no bytes inside a payload can pass for a record.

A *flush* is the run of records made durable by one sync; its last record carries `END_OF_FLUSH`.
Flush n + 1 is written only when flush n is durable, which tells a torn tail from damage (see
`journal_segment`).
"""

import struct
from typing import Final, NamedTuple

import google_crc32c

ENTRY: Final = 1
"""A log entry: index, term, payload."""
VOTE: Final = 2
"""The current term, and in `index` the node voted for in it (0: none)."""
TRUNCATE: Final = 3
"""Entries at `index` and behind it are gone."""
BASE: Final = 4
"""Entries before `index` are gone: a snapshot covers them."""
RESET: Final = 5
"""All entries are gone; an installed snapshot ends at (index, term)."""
COMMIT: Final = 6
"""A hint: entries up to `index` are committed."""
MAX_KIND: Final = 6

END_OF_FLUSH: Final = 1

MAX_PAYLOAD: Final = 1 << 28
MAGIC: Final = 0x4C4A4251
MAGIC_BYTES: Final = MAGIC.to_bytes(4, "little")
_CHECKED = struct.Struct("<IBBHQQQ")
_HEAD = struct.Struct("<II")
HEADER_SIZE: Final = _HEAD.size + _CHECKED.size


class Record(NamedTuple):
    """What one record says; the payload is kept by reference until it is written."""

    kind: int
    index: int  # type: ignore[assignment]  # a field here, not tuple's method
    term: int
    payload: bytes = b""


class StoredRecord(NamedTuple):
    """A record as read back, with where the next one starts."""

    record: Record
    flags: int
    flush: int
    end: int


def encode(record: Record, flags: int, flush: int, nonce: int) -> list[bytes]:
    """Return the parts to write for `record`.

    A payload is checksummed in place and never copied.
    """
    payload = record.payload
    checked = _CHECKED.pack(len(payload), record.kind, flags, 0, flush, record.index, record.term)
    crc = google_crc32c.extend(nonce, checked)
    if not payload:
        return [_HEAD.pack(MAGIC, crc) + checked]
    return [_HEAD.pack(MAGIC, google_crc32c.extend(crc, payload)) + checked, payload]


def decode(data: bytes, offset: int, nonce: int) -> StoredRecord | None:
    """Return the intact record at `offset`, or None if there is none."""
    body = offset + HEADER_SIZE
    if body > len(data):
        return None
    magic, crc = _HEAD.unpack_from(data, offset)
    length, kind, flags, zero, flush, index, term = _CHECKED.unpack_from(data, offset + _HEAD.size)
    if magic != MAGIC or zero or length > MAX_PAYLOAD or not 1 <= kind <= MAX_KIND:
        return None
    end = body + length
    if end > len(data):
        return None
    payload = data[body:end]
    found = google_crc32c.extend(nonce, data[offset + _HEAD.size : body])
    if google_crc32c.extend(found, payload) != crc:
        return None
    return StoredRecord(Record(kind, index, term, payload), flags, flush, end)
