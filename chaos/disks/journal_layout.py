"""Where the records of a journal lie: read without the product's own reader, which is on trial.

A segment is a header of 60 bytes and records of 40 bytes and a payload, little-endian. Only sound
files are read here, before they are damaged.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

SEGMENT_HEADER_BYTES: Final = 60
ENTRY_KIND: Final = 1
_MAGIC: Final = 0x4C4A4251
_RECORD: Final = Struct("<IIIBBHQQQ")
"""magic, checksum, length, kind, flags, zero, flush, index, term; then the payload."""
_SEGMENT_NAME: Final = re.compile(r"segment-(\d{8})\.journal")
_MARK_NAME: Final = re.compile(r"began-(\d{8})")


class PlacedRecord(NamedTuple):
    """One record: its bytes are `start` up to, not including, `end`."""

    start: int
    end: int
    kind: int
    flush: int
    index: int  # type: ignore[assignment]  # a field here, not tuple's method


@dataclass(frozen=True, slots=True)
class PlacedSegment:
    """One segment file and its records in order."""

    path: Path
    number: int
    records: tuple[PlacedRecord, ...]
    marked: bool
    """Whether a file beside it says that it has begun."""


def read_layout(journal: Path) -> list[PlacedSegment]:
    """Return the segments in the folder `journal`, oldest first."""
    marks = {int(found[1]) for path in journal.iterdir() if (found := _MARK_NAME.match(path.name))}
    segments = []
    for path in sorted(journal.iterdir()):
        found = _SEGMENT_NAME.fullmatch(path.name)
        if found:
            number = int(found[1])
            records = tuple(_records(path.read_bytes()))
            segments.append(PlacedSegment(path, number, records, number in marks))
    return segments


def _records(content: bytes) -> list[PlacedRecord]:
    records = []
    start = SEGMENT_HEADER_BYTES
    while start + _RECORD.size <= len(content):
        magic, _, length, kind, _, _, flush, index, _ = _RECORD.unpack_from(content, start)
        end = start + _RECORD.size + length
        if magic != _MAGIC or end > len(content):
            break  # A tail that was never durable.
        records.append(PlacedRecord(start, end, kind, flush, index))
        start = end
    return records
