"""Reading a journal back: the state that its segments add up to."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from node.consensus.errors import JournalDamageError
from node.consensus.file_system import FileSystem
from node.consensus.journal_record import BASE, COMMIT, ENTRY, RESET, TRUNCATE, VOTE, Record
from node.consensus.journal_segment import (
    SEGMENT_HEADER_SIZE,
    SegmentReader,
    decode_header,
    mark_number,
    segment_name,
    segment_number,
)

Entry = tuple[bytes, int, int]
"""Payload, index, term: the order that pysyncobj wants."""


class JournalEntry(NamedTuple):
    """One entry for audits; `kind` is the first byte of what Raft stored (0 group, 1 no-op)."""

    index: int  # type: ignore[assignment]  # a field here, not tuple's method
    term: int
    kind: int
    payload: bytes


class SegmentInfo:
    """A segment on disk: its number and the largest index of an entry in it."""

    __slots__ = ("max_index", "number")

    def __init__(self, number: int, max_index: int = 0) -> None:
        """Describe segment `number`."""
        self.number = number
        self.max_index = max_index


class RecoveredJournal:
    """What the segments of a directory say, applied in order."""

    def __init__(self) -> None:
        """Start empty, as before the first record ever."""
        self.entries: list[Entry] = []
        self.base_index = 1
        self.term = 0
        self.vote = 0
        self.commit = 1
        self.last_flush = 0
        self.last_number = 0
        self.segments: list[SegmentInfo] = []
        self.torn: tuple[Path, int] | None = None
        """The last segment and the size to cut it to, when its tail was never durable."""
        self.dropped_bytes = 0
        """What is cut off that way."""
        self.last_flush_at: tuple[Path, int] | None = None
        """The segment and the offset at which the last flush begins."""
        self.exposed = False
        """Whether the last flush says more than a commit hint: no later one shows damage to it."""
        self.marks: list[int] = []
        """The segments that are marked as begun, the newest among them."""
        self.stillborn: Path | None = None
        """A last segment whose header never became durable."""

    def apply(self, record: Record, segment: SegmentInfo) -> str | None:
        """Apply one record; return what is wrong with it, or None."""
        kind, index, term, payload = record
        if kind == ENTRY:
            if self.entries and index != self.entries[-1][1] + 1:
                return f"entry {index} follows entry {self.entries[-1][1]}"
            self.entries.append((payload, index, term))
            segment.max_index = max(segment.max_index, index)
        elif kind == VOTE:
            self.term, self.vote = term, index
        elif kind == TRUNCATE:
            if self.entries:
                del self.entries[max(0, index - self.entries[0][1]) :]
        elif kind == BASE:
            self.base_index = index
            if self.entries:
                del self.entries[: max(0, index - self.entries[0][1])]
        elif kind == RESET:
            self.entries = [(b"", index, term)]
            self.base_index = index
            segment.max_index = max(segment.max_index, index)
        elif kind == COMMIT:
            self.commit = max(self.commit, index)
        return None


def recover(files: FileSystem, directory: Path) -> RecoveredJournal:
    """Return what the journal in `directory` holds, without changing it.

    Raises JournalDamageError for anything but a tail that was never durable.
    """
    journal = RecoveredJournal()
    names = files.names(directory)
    numbers = [n for name in names if (n := segment_number(name)) is not None]
    journal.marks = [n for name in names if (n := mark_number(name)) is not None]
    if journal.marks and journal.marks[-1] not in numbers:
        missing = directory / segment_name(journal.marks[-1])
        raise JournalDamageError(missing, 0, "the segment is missing")
    for position, number in enumerate(numbers):
        if position and number != numbers[position - 1] + 1:
            missing = directory / segment_name(numbers[position - 1] + 1)
            raise JournalDamageError(missing, 0, "the segment is missing")
        _recover_segment(
            journal, files, directory / segment_name(number), last=number == numbers[-1]
        )
    _check_base(journal, directory)
    return journal


def _recover_segment(
    journal: RecoveredJournal, files: FileSystem, path: Path, *, last: bool
) -> None:
    data = files.read(path)
    number = segment_number(path.name)
    assert number is not None
    journal.last_number = number
    if len(data) < SEGMENT_HEADER_SIZE and number in journal.marks:
        raise JournalDamageError(path, len(data), "the segment ends inside its header")
    if last and len(data) <= SEGMENT_HEADER_SIZE:
        # The header is durable before the first record: a segment without records promised nothing.
        journal.stillborn = path
        return
    header = decode_header(path, data)
    if not journal.segments:
        journal.base_index = header.base_index
        journal.term, journal.vote, journal.commit = header.term, header.vote, header.commit
    elif header.first_flush != journal.last_flush + 1:
        raise JournalDamageError(
            path,
            0,
            f"it starts at flush {header.first_flush}, {journal.last_flush + 1} was expected",
        )
    segment = SegmentInfo(number)
    reader = SegmentReader(path, data, header, last=last)
    at = reader.end
    for stored in reader:
        if stored.flush != journal.last_flush:
            journal.last_flush = stored.flush
            journal.last_flush_at = (path, at)
            journal.exposed = False
        at = reader.end
        journal.exposed |= stored.record.kind != COMMIT
        wrong = journal.apply(stored.record, segment)
        if wrong is not None:
            raise JournalDamageError(path, reader.end, wrong)
    journal.last_flush = reader.flush_seen
    journal.segments.append(segment)
    if reader.end < len(data):
        journal.torn = (path, reader.end)
        journal.dropped_bytes = len(data) - reader.end


def _check_base(journal: RecoveredJournal, directory: Path) -> None:
    entries = journal.entries
    if entries:
        del entries[: max(0, journal.base_index - entries[0][1])]
    if not entries and journal.base_index == 1:
        return
    if not entries or entries[0][1] != journal.base_index:
        first = directory / segment_name(journal.segments[0].number)
        start = entries[0][1] if entries else "nothing"
        raise JournalDamageError(
            first, 0, f"the log starts at {start}, its base is {journal.base_index}"
        )


def read_entries(directory: Path, files: FileSystem | None = None) -> Iterator[JournalEntry]:
    """Yield the entries of the journal in `directory`, oldest first, without changing it.

    The placeholder that stands for an installed snapshot is left out. Raises JournalDamageError.
    """
    for payload, index, term in recover(files or FileSystem(), directory).entries:
        if payload:
            yield JournalEntry(index, term, payload[0], payload[1:])
