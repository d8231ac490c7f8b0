"""The durable log of one replica.

Entries, term, vote and base as records of one append-only stream.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from node.consensus.file_system import FileSystem
from node.consensus.journal_record import (
    BASE,
    COMMIT,
    END_OF_FLUSH,
    ENTRY,
    RESET,
    TRUNCATE,
    VOTE,
    Record,
    encode,
)
from node.consensus.journal_recovery import Entry, JournalEntry, SegmentInfo, read_entries, recover
from node.consensus.journal_segment import SegmentHeader, mark_name, segment_name
from node.surroundings import Surroundings

__all__ = ["SEGMENT_BYTES", "Flush", "Journal", "JournalEntry", "read_entries"]

SEGMENT_BYTES: Final = 64 << 20


def _random_nonce() -> int:
    return int.from_bytes(Surroundings().random_bytes(4), "little")


class Flush:
    """Records on their way to the disk. `run` may be called in a thread.

    It touches nothing else.
    """

    __slots__ = (
        "_header",
        "_journal",
        "_records",
        "last_index",
        "number",
        "position",
        "removable",
        "size",
        "state",
    )

    def __init__(
        self, journal: "Journal", records: list[Record], number: int, header: SegmentHeader | None
    ) -> None:
        """Take over `records`; a `header` says to start a new segment with it first."""
        self._journal = journal
        self._records = records
        self._header = header
        self.number = number
        self.position = 0
        """How many records the journal will have made durable after this flush."""
        self.last_index = 0
        """The last entry that will be durable, lowered by a truncation while the flush runs."""
        self.state = (0, 0, 0, 0)
        """Base, term, vote and commit hint once the flush is durable."""
        self.removable: list[int] = []
        """Segments that a flush before this one made unnecessary."""
        self.size = 0

    def run(self) -> None:
        """Write and sync the records. Raises OSError, after which the process must die."""
        journal = self._journal
        if self._header is not None:
            journal.start_segment(self._header)
        parts: list[bytes] = []
        last = len(self._records) - 1
        for number, record in enumerate(self._records):
            flags = END_OF_FLUSH if number == last else 0
            parts += encode(record, flags, self.number, journal.nonce)
        self.size = sum(map(len, parts))
        journal.write(parts)
        for number in self.removable:
            journal.remove_segment(number)


class Journal:
    """The log in memory and on disk.

    What is recorded becomes durable by a flush, in order, or not at all.

    `begin_flush`, `Flush.run` (possibly in a thread) and `end_flush` are the pipelined form, `sync`
    the plain one. At most one flush runs at a time; what is recorded meanwhile waits for the next.
    An error while flushing must end the process: the kernel may have dropped the pages, and a retry
    would lie.
    """

    def __init__(
        self,
        directory: Path,
        *,
        files: FileSystem | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        nonce: Callable[[], int] = _random_nonce,
    ) -> None:
        """Open or create the journal in `directory`.

        Raises JournalDamageError when it cannot be trusted, OSError when the disk fails.
        """
        self._files = files or FileSystem()
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._next_nonce = nonce
        self._files.make_directory(directory)
        recovered = recover(self._files, directory)
        self.entries: list[Entry] = recovered.entries
        self.base_index = recovered.base_index
        self.term = recovered.term
        self.vote = recovered.vote
        self.commit = recovered.commit
        self._commit_recorded = recovered.commit
        self._exposed = recovered.exposed
        self._vote_position = 0
        self.dropped_bytes = recovered.dropped_bytes
        """What was cut off the end when opening: never durable, or damage in the last flush."""
        self._segments = recovered.segments
        self._number = recovered.last_number
        self._flush_number = recovered.last_flush
        self._pending: list[Record] = []
        self._running: Flush | None = None
        self.position = 0
        """Records taken since opening."""
        self.synced_position = 0
        """Records durable since opening."""
        self.synced_index = self.last_index
        """The last entry that is durable."""
        self.bytes = sum(len(entry[0]) for entry in self.entries)
        """Payload bytes held in memory."""
        self._durable = self._state()
        self.nonce = 0
        self._descriptor = -1
        self._written = 0
        self._marks = recovered.marks
        self._tidy(recovered.torn, recovered.stillborn)
        if recovered.last_flush_at is not None:
            self._harden(*recovered.last_flush_at)

    def _tidy(self, torn: tuple[Path, int] | None, stillborn: Path | None) -> None:
        """Remove what was never durable, durably, before anything is written behind it."""
        if torn is not None:
            self._files.truncate(*torn)
        if stillborn is not None:
            if self._segments and self._number - 1 not in self._marks:
                self._add_mark(self._number - 1)  # The newest segment is never without.
            # Its own goes first: a mark without its segment means damage.
            self._remove_marks([number for number in self._marks if number == self._number])
            self._files.sync_directory(self._directory)
            self._files.remove(stillborn)
            self._files.sync_directory(self._directory)
            self._number -= 1

    def _harden(self, path: Path, start: int) -> None:
        """Write the last flush again, durably, before anything counts on it.

        A process that was killed between its write and its sync left the flush to the kernel, which
        may also take pages for clean that a failed sync never wrote: a sync alone would not help.
        Every flush before the last was durable before that one was written.
        """
        self._files.rewrite(path, start, self._files.read(path)[start:])

    def _remove_marks(self, numbers: list[int]) -> None:
        for number in numbers:
            self._files.remove(self._directory / mark_name(number))
        self._marks = [number for number in self._marks if number not in numbers]

    # What the log says.

    @property
    def last_index(self) -> int:
        """The index of the last entry, or one before the base when there is none."""
        return self.entries[-1][1] if self.entries else self.base_index - 1

    @property
    def last_term(self) -> int:
        """The term of the last entry, or 0."""
        return self.entries[-1][2] if self.entries else 0

    @property
    def dirty(self) -> bool:
        """Whether something recorded is not in any flush yet."""
        return bool(self._pending)

    @property
    def term_is_durable(self) -> bool:
        """Whether a power loss cannot take back the current term and vote."""
        return self.synced_position >= self._vote_position

    @property
    def flushing(self) -> bool:
        """Whether a flush is on its way."""
        return self._running is not None

    def term_at(self, index: int) -> int:
        """Return the term of the entry at `index`, which the log must hold."""
        entry = self.entries[index - self.base_index]
        assert entry[1] == index
        return entry[2]

    def holds(self, index: int) -> bool:
        """Tell whether the log has an entry, or its base, at `index`."""
        return self.base_index <= index <= self.last_index

    # Recording.

    def _record(self, record: Record) -> None:
        self._pending.append(record)
        self.position += 1

    def append(self, payload: bytes, index: int, term: int) -> None:
        """Record an entry behind the last one."""
        assert index == self.last_index + 1, f"entry {index} behind {self.last_index}"
        self.entries.append((payload, index, term))
        self.bytes += len(payload)
        self._record(Record(ENTRY, index, term, payload))

    def save_vote(self, term: int, vote: int) -> None:
        """Record the current term and who got our vote in it (0: nobody yet)."""
        assert term >= self.term, f"term {term} after {self.term}"
        self.term, self.vote = term, vote
        self._record(Record(VOTE, vote, term))
        self._vote_position = self.position

    def truncate_from(self, index: int) -> None:
        """Record that entries at `index` and behind it are gone."""
        assert index > self.base_index, f"cut at {index}, base {self.base_index}"
        if index > self.last_index:
            return
        at = index - self.base_index
        self.bytes -= sum(len(entry[0]) for entry in self.entries[at:])
        del self.entries[at:]
        self._lower_synced(index - 1)
        self._record(Record(TRUNCATE, index, 0))

    def _lower_synced(self, index: int) -> None:
        self.synced_index = min(self.synced_index, index)
        if self._running is not None:
            self._running.last_index = min(self._running.last_index, index)

    def drop_before(self, index: int) -> None:
        """Record that entries before `index` are not needed: a durable snapshot covers them."""
        if index <= self.base_index:
            return
        at = index - self.base_index
        assert at < len(self.entries), f"base {index} behind the log's end {self.last_index}"
        self.bytes -= sum(len(entry[0]) for entry in self.entries[:at])
        del self.entries[:at]
        self.base_index = index
        self._record(Record(BASE, index, self.entries[0][2]))

    def reset(self, index: int, term: int) -> None:
        """Record that the log starts behind an installed snapshot that ends at (index, term)."""
        self._lower_synced(min(self.base_index, index) - 1)
        self.entries = [(b"", index, term)]
        self.base_index = index
        self.bytes = 0
        self.commit = max(self.commit, index)
        self._record(Record(RESET, index, term))

    def hint_commit(self) -> None:
        """Record the commit index although nothing else is to be written."""
        if self.commit > self._commit_recorded:
            self._commit_recorded = self.commit
            self._record(Record(COMMIT, self.commit, 0))

    def cover(self) -> None:
        """Record the commit index if nothing follows the last flush: call it about once a second.

        Damage in a flush can be told from a torn tail only by a later one. The last flush that says
        something, be it a lone vote, so gets one behind it that may be lost.
        """
        self.hint_commit()
        if self._exposed and not self._pending and self._running is None:
            self._record(Record(COMMIT, self.commit, 0))

    # Making it durable.

    def begin_flush(self) -> Flush | None:
        """Return a flush of everything recorded so far; None when there is nothing or one runs."""
        if not self._pending or self._running is not None:
            return None
        self.hint_commit()
        self._flush_number += 1
        header = None
        if self._descriptor < 0 or self._written >= self._segment_bytes:
            header = self._next_header()
        flush = Flush(self, self._pending, self._flush_number, header)
        segment = self._segments[-1]
        self._exposed = False
        for record in self._pending:
            self._exposed |= record.kind != COMMIT
            if record.kind in {ENTRY, RESET}:
                segment.max_index = max(segment.max_index, record.index)
        flush.position = self.position
        flush.last_index = self.last_index
        flush.state = self._state()
        flush.removable = self._take_removable()
        self._pending = []
        self._running = flush
        return flush

    def _state(self) -> tuple[int, int, int, int]:
        return (self.base_index, self.term, self.vote, self._commit_recorded)

    def _take_removable(self) -> list[int]:
        numbers = []
        while len(self._segments) > 1 and self._segments[0].max_index < self._durable[0]:
            numbers.append(self._segments.pop(0).number)
        return numbers

    def _next_header(self) -> SegmentHeader:
        self._number += 1
        self._segments.append(SegmentInfo(self._number))
        # Only what is durable already: the flush that starts the segment may yet be lost.
        base_index, term, vote, commit = self._durable
        return SegmentHeader(
            self._number, self._next_nonce(), self._flush_number, base_index, term, vote, commit
        )

    def start_segment(self, header: SegmentHeader) -> None:
        """Start the next segment: for `Flush` only, in whatever thread it runs."""
        if self._descriptor >= 0:
            self._files.close(self._descriptor)
        self._descriptor = self._files.create(self._directory / segment_name(header.number))
        data = header.encode()
        self._files.write(self._descriptor, [data])
        self._files.sync_data(self._descriptor)
        self._files.sync_directory(self._directory)
        self._mark(header.number)
        self.nonce = header.nonce
        self._written = len(data)

    def _mark(self, number: int) -> None:
        """Say durably that the segment has begun, before it takes a record."""
        older = list(self._marks)
        self._add_mark(number)
        self._remove_marks(older)

    def _add_mark(self, number: int) -> None:
        self._files.close(self._files.create(self._directory / mark_name(number)))
        self._files.sync_directory(self._directory)
        self._marks.append(number)

    def write(self, parts: list[bytes]) -> None:
        """Append `parts` and make them durable: for `Flush` only, in whatever thread it runs."""
        self._files.write(self._descriptor, parts)
        self._files.sync_data(self._descriptor)
        self._written += sum(map(len, parts))

    def remove_segment(self, number: int) -> None:
        """Delete a segment, durably and one by one so that never a gap is left.

        For `Flush` only.
        """
        self._files.remove(self._directory / segment_name(number))
        self._files.sync_directory(self._directory)

    def end_flush(self, flush: Flush) -> None:
        """Take note that `flush` has run.

        Its records are durable, and segments behind the base may go.
        """
        assert flush is self._running
        self._running = None
        self.synced_position = flush.position
        self.synced_index = flush.last_index
        self._durable = flush.state

    def sync(self) -> None:
        """Make everything recorded so far durable before returning."""
        assert self._running is None, "a flush is running in a thread"
        flush = self.begin_flush()
        if flush is not None:
            flush.run()
            self.end_flush(flush)

    def close(self) -> None:
        """Make everything recorded durable, with a flush behind it, and close the files."""
        self.sync()
        self.cover()
        self.sync()
        if self._descriptor >= 0:
            self._files.close(self._descriptor)
            self._descriptor = -1
