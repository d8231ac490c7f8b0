"""What clients were told against what the log came to, one operation at a time."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from chaos.checkers.execution_table import NEVER, ExecutionTable, SessionRows
from chaos.checkers.finding import ALTERED, LOST, SOUND, Findings
from chaos.history import UNSTORED, Operation, Outcome


class Read(NamedTuple):
    """A read that says as of which index it was answered."""

    client: int
    log_index: int
    invoked_ns: int
    returned_ns: int


class AcknowledgementCheck:
    """Compare operations with an execution table, and write their times into it.

    The same command may come in several operations (sent again, at another node too): it is one
    command, asked for when the first was and answered when the first answer came.
    """

    def __init__(self, table: ExecutionTable) -> None:
        """Check against `table`, which must have the whole log by now."""
        self._table: Final = table
        self.findings = Findings()
        self.reads: list[Read] = []
        self.before: dict[tuple[int, int], Operation] = {}
        """Acknowledged before the log starts: one operation each."""
        self._refused: dict[tuple[int, int], Operation] = {}
        self._unsettled: set[tuple[int, int]] = set()
        self.highest_index = 0
        """The highest index that was acknowledged."""
        for kind in ("acknowledged", "rejected", "unknown", "reads", "before the log"):
            self.findings.saw(kind, 0)

    def take(self, operations: Iterable[Operation]) -> None:
        """Check `operations`, in any order."""
        for operation in operations:
            wrong = _what_is_untrue(operation)
            if wrong:
                self.findings.add(SOUND, f"no true history: {_name(operation)}, {wrong}")
            elif operation.sequence == 0:
                self._read(operation)
            elif _tells_outcome(operation):
                self._acknowledged(operation)
            else:
                self._unknown(operation)

    def _read(self, operation: Operation) -> None:
        self.findings.saw("reads")
        if operation.outcome != Outcome.OK or not operation.log_index:
            return
        self.findings.saw("reads with an index")
        self.highest_index = max(self.highest_index, operation.log_index)
        self.reads.append(
            Read(
                operation.client,
                operation.log_index,
                operation.invoked_ns,
                operation.returned_ns,
            )
        )

    def _acknowledged(self, operation: Operation) -> None:
        self.findings.saw("acknowledged" if operation.outcome == Outcome.OK else "rejected")
        self.highest_index = max(self.highest_index, operation.log_index)
        if operation.log_index <= self._table.start_index:
            self._before_the_log(operation)
            return
        found = self._table.find(operation.session, operation.sequence)
        if found is None:
            self.findings.add(LOST, f"{_name(operation)}, and is not in the log")
            return
        rows, row = found
        told = (operation.log_index, operation.code, operation.result, operation.filled)
        if rows.reply_at(row) != told:
            self.findings.add(ALTERED, f"{_name(operation)}, and the log has {_show(rows, row)}")
        elif operation.frame and rows.frame_hash[row] != hash(operation.frame):
            self.findings.add(ALTERED, f"{_name(operation)}, and the log has another command there")
        _note_times(rows, row, operation.invoked_ns, operation.returned_ns)

    def _before_the_log(self, operation: Operation) -> None:
        earlier = self.before.setdefault((operation.session, operation.sequence), operation)
        if earlier is operation:
            self.findings.saw("before the log")
        elif _told(earlier) != _told(operation):
            self.findings.add(ALTERED, f"{_name(operation)}, and before that as {_told(earlier)}")

    def _unknown(self, operation: Operation) -> None:
        # The window's refusals tell nothing of what the command came to before.
        refused = operation.outcome == Outcome.REJECTED and operation.code not in UNSTORED
        self.findings.saw("refused at the door" if refused else "unknown")
        found = self._table.find(operation.session, operation.sequence)
        if found is None:
            return
        rows, row = found
        if operation.frame and rows.frame_hash[row] != hash(operation.frame):
            if not refused:  # A refused sequence is free for another command.
                self.findings.add(
                    ALTERED, f"{_name(operation)}, and the log has another command there"
                )
            return
        if refused:
            self._refused[operation.session, operation.sequence] = operation
        else:
            self._unsettled.add((operation.session, operation.sequence))
            self.findings.saw("unknown that took effect")
        _note_times(rows, row, operation.invoked_ns, NEVER)

    def finish(self) -> None:
        """Say, when all operations were taken, which were refused and took effect all the same.

        Refused once and sent again is no refusal: the last word counts.
        """
        for name, operation in self._refused.items():
            found = self._table.find(*name)
            if found is None or name in self._unsettled:
                continue
            rows, row = found
            if rows.returned_ns[row] == NEVER:
                self.findings.add(
                    ALTERED, f"{_name(operation)}, and the log has {_show(rows, row)}"
                )


def _note_times(rows: SessionRows, row: int, invoked_ns: int, returned_ns: int) -> None:
    known = rows.invoked_ns[row]
    rows.invoked_ns[row] = invoked_ns if known == NEVER else min(known, invoked_ns)
    if returned_ns != NEVER:
        known = rows.returned_ns[row]
        rows.returned_ns[row] = returned_ns if known == NEVER else min(known, returned_ns)


def _tells_outcome(operation: Operation) -> bool:
    return (
        operation.outcome != Outcome.UNKNOWN
        and operation.log_index > 0
        and operation.code not in UNSTORED
    )


def _what_is_untrue(operation: Operation) -> str:
    """Return how an operation contradicts itself, "" when it does not."""
    if 0 < operation.returned_ns < operation.invoked_ns:
        return f"was invoked at {operation.invoked_ns} ns, after it returned"
    if operation.outcome == Outcome.UNKNOWN:
        return ""
    if operation.returned_ns == 0:
        return "never returned"
    if operation.outcome == Outcome.OK and operation.code:
        return "which is no success"
    if operation.outcome == Outcome.REJECTED and operation.log_index and not operation.code:
        return "which is no rejection"
    if operation.sequence and not operation.log_index and operation.outcome == Outcome.OK:
        return "at no index"
    return ""


def _told(operation: Operation) -> tuple[int, int, int, int]:
    return operation.log_index, operation.code, operation.result, operation.filled


def _show(rows: SessionRows, row: int) -> str:
    index, code, result, filled = rows.reply_at(row)
    return f"code {code}, result {result}, {filled} filled at index {index}"


def _name(operation: Operation) -> str:
    return (
        f"session {operation.session} sequence {operation.sequence} ended "
        f"{operation.outcome.name} with code {operation.code}, result {operation.result}, "
        f"{operation.filled} filled at index {operation.log_index}"
    )
