"""Answers to queries against the log: what a history says it was told must be what was so."""

from collections.abc import Callable

import pytest

from chaos.checkers.answers import AnswerCheck
from chaos.checkers.finding import ANSWERED, Findings
from chaos.checkers.log_replay import LogReplay
from chaos.history import Operation, Outcome
from node.audit.answers import answer_of
from node.protocol import messages
from node.protocol.encoding import encode_query
from tests.chaos.checked_history import Log, busy_run
from tests.unit.audited_cluster import GENESIS

SUBJECTS = ((messages.ACCOUNT, 1), (messages.MARKET, 1), (messages.TREASURY, 0))
Told = Callable[[int, int, int, bytes], tuple[int, bytes]]


def reads_of(log: Log, told: Told) -> list[Operation]:
    """Return a read of each subject behind each group.

    `told` makes index and records of the answer from subject, number, and the true ones.
    """
    replay = LogReplay(GENESIS)
    reads = []
    for index, group in log:
        replay.apply(index, group)
        for subject, number in SUBJECTS:
            truth = answer_of(replay.audit.venue, subject, number)
            if not truth:
                continue
            said_index, said = told(subject, number, index, truth)
            query = encode_query(0, subject, number, 0, messages.LINEARIZABLE, 0, 0)
            reads.append(
                Operation(9, 0, 0, query, 1, 2, Outcome.OK, log_index=said_index, answer=said)
            )
    return reads


def judged(log: Log, reads: list[Operation], start: int = 0) -> Findings:
    """Return what the check finds, in a replay of the whole log."""
    replay = LogReplay(GENESIS)
    check = AnswerCheck(reads, start)
    for index, group in log:
        check.before(index, replay)
        replay.apply(index, group)
    check.before(log[-1][0] + 1, replay)
    return check.findings


def test_true_answers_are_all_compared() -> None:
    """Behind every group, whatever the order in which the history has them."""
    _, log = busy_run()
    reads = reads_of(log, lambda _subject, _number, index, truth: (index, truth))

    findings = judged(log, reads[::-1])

    assert findings.ok
    assert findings.counts["answers compared"] == len(reads) > 2 * len(log)


@pytest.mark.parametrize("wanted", SUBJECTS)
def test_one_wrong_bit_in_an_answer_is_found(wanted: tuple[int, int]) -> None:
    """In a record of any subject; the finding says what was told and what is so."""
    _, log = busy_run()
    last = log[-1][0]

    def told(subject: int, number: int, index: int, truth: bytes) -> tuple[int, bytes]:
        wrong = (subject, number) == wanted and index == last
        return index, bytes([truth[0] ^ 1]) + truth[1:] if wrong else truth

    findings = judged(log, reads_of(log, told))

    (finding,) = findings.examples
    assert finding.invariant == ANSWERED
    assert f"as of index {last}" in finding.what


def test_an_answer_that_names_a_later_index_is_found() -> None:
    """Stale records under a new index are what a deposed leader would tell."""
    _, log = busy_run()
    reads = reads_of(log, lambda _subject, _number, index, truth: (index + 1, truth))

    assert judged(log, reads).found[ANSWERED] > 0


def test_what_cannot_be_compared_is_not_counted() -> None:
    """Unanswered reads, other subjects, and answers from before the log are passed over."""
    _, log = busy_run()
    reads = reads_of(log, lambda _subject, _number, index, _truth: (index, b"wrong"))
    depth = encode_query(0, messages.DEPTH, 1, 0, messages.LINEARIZABLE, 0, 0)
    others = [
        Operation(9, 0, 0, reads[0].frame, 1, 0, Outcome.UNKNOWN),
        Operation(9, 0, 0, depth, 1, 2, Outcome.OK, log_index=3, answer=b"wrong"),
    ]

    findings = judged(log, others)
    assert (findings.ok, findings.counts["answers compared"]) == (True, 0)
    findings = judged(log, reads, start=log[-1][0] + 1)
    assert (findings.ok, findings.counts["answers before the log"]) == (True, len(reads))
