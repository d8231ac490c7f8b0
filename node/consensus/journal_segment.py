"""One file of the journal: a header that is durable before any record, then records.

Once its header is durable, an empty file beside it marks the segment as begun: should the newest
segment be lost as a whole, nothing else would show it. The header repeats term, vote, commit hint
and base, so that older segments can be deleted.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import google_crc32c

from node.consensus.errors import JournalDamageError
from node.consensus.journal_record import END_OF_FLUSH, MAGIC_BYTES, StoredRecord, decode

SEGMENT_MAGIC: Final = b"QBJRNL01"
_FIELDS = struct.Struct("<8sIIQQQQQ")
_CRC = struct.Struct("<I")
SEGMENT_HEADER_SIZE: Final = _FIELDS.size + _CRC.size
_PREFIX: Final = "segment-"
_SUFFIX: Final = ".journal"
_MARK: Final = "began-"


class SegmentHeader(NamedTuple):
    """What a segment starts from. `nonce` seeds its records' checksums.

    `vote` is 0 when not cast.
    """

    number: int
    nonce: int
    first_flush: int
    base_index: int
    term: int
    vote: int
    commit: int

    def encode(self) -> bytes:
        """Return the header's bytes."""
        number, nonce, *rest = self
        fields = _FIELDS.pack(SEGMENT_MAGIC, number, nonce, *rest)
        return fields + _CRC.pack(google_crc32c.value(fields))


def segment_name(number: int) -> str:
    """Return the file name of segment `number`."""
    return f"{_PREFIX}{number:08d}{_SUFFIX}"


def segment_number(name: str) -> int | None:
    """Return the number in a segment's file name, or None for a file that is no segment."""
    digits = name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    if segment_name(int(digits) if digits.isdecimal() else 0) != name:
        return None
    return int(digits)


def mark_name(number: int) -> str:
    """Return the name of the empty file which says that segment `number` has begun."""
    return f"{_MARK}{number:08d}"


def mark_number(name: str) -> int | None:
    """Return the number in a mark's name, or None for a file that is no mark."""
    digits = name.removeprefix(_MARK)
    if mark_name(int(digits) if digits.isdecimal() else 0) != name:
        return None
    return int(digits)


def decode_header(path: Path, data: bytes) -> SegmentHeader:
    """Return the header at the start of `data`; raise JournalDamageError when it is not intact."""
    if len(data) < SEGMENT_HEADER_SIZE:
        raise JournalDamageError(path, len(data), "the segment ends inside its header")
    magic, number, nonce, *rest = _FIELDS.unpack_from(data)
    (crc,) = _CRC.unpack_from(data, _FIELDS.size)
    if magic != SEGMENT_MAGIC or google_crc32c.value(data[: _FIELDS.size]) != crc:
        raise JournalDamageError(path, 0, "the segment's header fails its checksum")
    header = SegmentHeader(number, nonce, *rest)
    if segment_name(header.number) != path.name:
        raise JournalDamageError(path, 0, f"the header belongs to segment {header.number}")
    return header


class SegmentReader:
    """Iterate over a segment's intact records; `end` is where they stop.

    In the last segment, a tail that was never durable is left out. Anything else that cannot be
    read raises JournalDamageError. The tail is torn, not damaged, when no record behind it belongs
    to a later flush than the unreadable one: a flush is written only when the one before it is
    durable, and the pages of one flush may reach the disk in any order.
    """

    def __init__(self, path: Path, data: bytes, header: SegmentHeader, *, last: bool) -> None:
        """Read `data`, the whole file at `path`; `last` allows a torn tail."""
        self.end = SEGMENT_HEADER_SIZE
        self._path = path
        self._data = data
        self._nonce = header.nonce
        self._last = last
        self._flush = header.first_flush
        self.flush_seen = header.first_flush - 1

    def __iter__(self) -> Iterator[StoredRecord]:
        """Yield each record in order."""
        while self.end < len(self._data):
            stored = decode(self._data, self.end, self._nonce)
            if stored is None:
                self._judge_tail()
                return
            if stored.flush != self._flush:
                raise JournalDamageError(
                    self._path,
                    self.end,
                    f"flush {stored.flush} follows, {self._flush} was expected",
                )
            self.flush_seen = stored.flush
            self.end = stored.end
            self._flush += stored.flags & END_OF_FLUSH
            yield stored

    def _judge_tail(self) -> None:
        if not self._last:
            raise JournalDamageError(self._path, self.end, "a record fails its checksum")
        offset = self._data.find(MAGIC_BYTES, self.end + 1)
        while offset >= 0:
            stored = decode(self._data, offset, self._nonce)
            if stored is not None and stored.flush > self._flush:
                raise JournalDamageError(
                    self._path,
                    self.end,
                    f"a record fails its checksum before an intact one at byte {offset}",
                )
            offset = self._data.find(MAGIC_BYTES, offset + 1 if stored is None else stored.end)
