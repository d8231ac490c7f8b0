"""Where each command was executed and what it came to, read from a log and its replay.

Columns of plain integers, one row a command: 64 bytes a row, so that millions fit into memory.
"""

from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

from chaos.checkers.finding import ALTERED, SESSION_ORDER, SOUND, TWICE, Findings
from chaos.checkers.log_record import LogRecord, LogReply, records_of, replies_of
from chaos.history import UNSTORED

NEVER: Final = -1


class SessionRows:
    """The executed commands of one session, from sequence `first` on without a gap.

    `invoked_ns` and `returned_ns` are when clients first asked for the command and were first
    answered; NEVER until a history says so.
    """

    __slots__ = (
        "code",
        "filled",
        "first",
        "frame_hash",
        "index",
        "invoked_ns",
        "position",
        "result",
        "returned_ns",
    )

    def __init__(self, first: int) -> None:
        """Start before sequence `first`."""
        self.first: Final = first
        self.index = array("q")
        self.position = array("i")
        self.code = array("i")
        self.result = array("q")
        self.filled = array("q")
        self.frame_hash = array("q")
        self.invoked_ns = array("q")
        self.returned_ns = array("q")

    @property
    def next(self) -> int:
        """Return the sequence behind the last executed one."""
        return self.first + len(self.index)

    def row_of(self, sequence: int) -> int:
        """Return the row of `sequence`, -1 when the log does not execute it."""
        row = sequence - self.first
        return row if 0 <= row < len(self.index) else -1

    def append(self, reply: LogReply, position: int, frame: bytes) -> None:
        """Take down the execution of the next sequence."""
        self.index.append(reply.log_index)
        self.position.append(position)
        self.code.append(reply.code)
        self.result.append(reply.result)
        self.filled.append(reply.filled)
        # Python's own hash: 64 bits, keyed anew in every process, never compared across any.
        self.frame_hash.append(hash(frame))
        self.invoked_ns.append(NEVER)
        self.returned_ns.append(NEVER)

    def reply_at(self, row: int) -> tuple[int, int, int, int]:
        """Return (log index, code, result, filled) of a row."""
        return self.index[row], self.code[row], self.result[row], self.filled[row]


class Execution(NamedTuple):
    """One row as a value."""

    session: int
    sequence: int
    index: int  # type: ignore[assignment]  # a field here, not tuple's method
    position: int


class ExecutionTable:
    """The executed commands of a log, by session; feed it every group with its replies."""

    def __init__(self, start_index: int = 0) -> None:
        """Start behind `start_index`: what was executed up to there is not known here."""
        self.start_index: Final = start_index
        self.last_index = start_index
        self.sessions: dict[int, SessionRows] = {}
        self.findings = Findings()
        self.retries = 0
        self._executed = 0

    def feed(self, index: int, group: bytes, replies: bytes) -> None:
        """Take down what the group at `index` executed, and check what it repeated."""
        self.feed_records(index, list(records_of(group)), list(replies_of(replies)))

    def feed_records(self, index: int, records: list[LogRecord], replies: list[LogReply]) -> None:
        """Take down the same from what the group and its replies hold."""
        self.last_index = index
        if len(records) != len(replies):
            self.findings.add(
                SOUND, f"index {index}: {len(replies)} replies to {len(records)} records"
            )
        executed, retries = self._executed, self.retries
        for position, (record, reply) in enumerate(zip(records, replies, strict=False)):
            if record.session == reply.session and record.sequence == reply.sequence:
                self._take(index, position, record, reply)
            else:
                self.findings.add(
                    SOUND, f"index {index}: the reply to record {position} is {reply}"
                )
        self.findings.saw("groups")
        self.findings.saw("records", len(records))
        self.findings.saw("executed", self._executed - executed)
        self.findings.saw("retries in the log", self.retries - retries)

    def _take(self, index: int, position: int, record: LogRecord, reply: LogReply) -> None:
        if record.session == 0 or reply.code in UNSTORED:
            return
        rows = self.sessions.get(record.session)
        if rows is None:
            if reply.log_index != index:
                return  # The answer to a retry of what was executed before the log starts.
            # Whatever its number: a log that starts at genesis has every session's first command.
            first = 1 if self.start_index == 0 else record.sequence
            rows = self.sessions[record.session] = SessionRows(first)
        if record.sequence < rows.next:
            self._repeat(index, rows, record, reply)
            return
        if record.sequence > rows.next or reply.log_index != index:
            self.findings.add(
                SESSION_ORDER,
                f"session {record.session} sequence {record.sequence} is answered at index {index} "
                f"as of {reply.log_index}, but its next is {rows.next}",
            )
            return
        rows.append(reply, position, record.frame)
        self._executed += 1

    def _repeat(self, index: int, rows: SessionRows, record: LogRecord, reply: LogReply) -> None:
        self.retries += 1
        row = rows.row_of(record.sequence)
        if row < 0:
            return  # Executed before the log starts.
        name = f"session {record.session} sequence {record.sequence}"
        original = rows.reply_at(row)
        repeated = (reply.log_index, reply.code, reply.result, reply.filled)
        if reply.log_index == index != original[0]:
            self.findings.add(TWICE, f"{name} is executed at index {original[0]} and at {index}")
        elif repeated != original:
            self.findings.add(
                ALTERED, f"{name} came to {original}, its retry at index {index} to {repeated}"
            )

    def find(self, session: int, sequence: int) -> tuple[SessionRows, int] | None:
        """Return where a command's row is, None when the log does not execute it."""
        rows = self.sessions.get(session)
        if rows is None:
            return None
        row = rows.row_of(sequence)
        return (rows, row) if row >= 0 else None

    def __iter__(self) -> Iterator[Execution]:
        """Yield every executed command, a session at a time."""
        for session, rows in self.sessions.items():
            for row, (index, position) in enumerate(zip(rows.index, rows.position, strict=True)):
                yield Execution(session, rows.first + row, index, position)
