"""What reads were told, against a replay of the log up to the index that each answer names."""

from collections.abc import Iterable
from typing import Final

from chaos.checkers.finding import ANSWERED, Findings
from chaos.checkers.log_replay import LogReplay
from chaos.history import Operation, Outcome
from node.audit.answers import ANSWERABLE, answer_of
from node.protocol.fields import field_i16, field_i32
from node.protocol.messages import QUERY_NUMBER, QUERY_SIZE, QUERY_SUBJECT, Subject


class AnswerCheck:
    """Compare answers with the replayed venue, as it comes by the index of each.

    Only queries for one record are compared: of an account, a market, the treasury.
    """

    def __init__(self, operations: Iterable[Operation], start_index: int) -> None:
        """Look for reads among `operations`; the replay starts as of `start_index`."""
        self.findings: Final = Findings()
        self.findings.saw("answers compared", 0)
        reads = [one for one in operations if _is_comparable(one)]
        self._owed = sorted(
            (one for one in reads if one.log_index >= start_index),
            key=lambda one: one.log_index,
            reverse=True,
        )
        self.findings.saw("answers before the log", len(reads) - len(self._owed))

    def before(self, index: int, replay: LogReplay) -> None:
        """Compare the answers as of less than `index`, up to which `replay` has come."""
        while self._owed and self._owed[-1].log_index < index:
            self._compare(self._owed.pop(), replay)

    def _compare(self, read: Operation, replay: LogReplay) -> None:
        self.findings.saw("answers compared")
        subject = field_i16(read.frame, QUERY_SUBJECT)
        number = field_i32(read.frame, QUERY_NUMBER)
        owed = answer_of(replay.audit.venue, subject, number)
        if read.answer != owed:
            self.findings.add(
                ANSWERED,
                f"client {read.client} was told that {Subject(subject).name} {number} as of index "
                f"{read.log_index} is {read.answer.hex()}, the log says {owed.hex() or 'nothing'}",
            )


def _is_comparable(operation: Operation) -> bool:
    return (
        operation.sequence == 0
        and operation.outcome == Outcome.OK
        and operation.log_index > 0
        and len(operation.frame) == QUERY_SIZE
        and field_i16(operation.frame, QUERY_SUBJECT) in ANSWERABLE
    )
