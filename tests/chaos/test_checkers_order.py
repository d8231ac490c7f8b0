"""Sequence-order linearizability: known good histories pass, each known bad one is told."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chaos.checkers.acknowledgement import AcknowledgementCheck
from chaos.checkers.execution_table import ExecutionTable
from chaos.checkers.finding import (
    ALTERED,
    LOOKED,
    LOST,
    REAL_TIME,
    SESSION_ORDER,
    SOUND,
    TWICE,
    Findings,
)
from chaos.checkers.log_replay import LogReplay
from chaos.checkers.real_time import check_places
from chaos.checkers.retry_effect import RetryEffect
from chaos.checkers.sequence_order import check_sequence_order
from chaos.history import Operation, Outcome
from node.domain.codes import Code
from tests import commands as c
from tests.chaos.checked_history import (
    GAP_NS,
    busy_run,
    history_of,
    judged,
    order,
    read_at,
    record,
    trading_log,
)
from tests.unit.audited_cluster import GENESIS


def changed(operation: Operation, **fields: Any) -> Operation:
    """Return `operation` with other values in some fields."""
    return msgspec.structs.replace(operation, **fields)


def replaced(history: list[Operation], sequence: int, **fields: Any) -> list[Operation]:
    """Return `history` with some fields of one command's operation changed."""
    assert any(operation.sequence == sequence for operation in history)
    return [
        changed(operation, **fields) if operation.sequence == sequence else operation
        for operation in history
    ]


def forged(replies: bytes, position: int, **fields: int) -> bytes:
    """Return `replies` with fields of the one at `position` changed, by offset of `REPLY_`."""
    offsets = {"log_index": 24, "result": 32, "filled": 40}
    content = bytearray(replies)
    for name, value in fields.items():
        at = 48 * position + offsets[name]
        content[at : at + 8] = value.to_bytes(8, "little", signed=True)
    return bytes(content)


@pytest.mark.parametrize("width_ns", [0, 500, 5_000, 1_000_000])
def test_a_true_history_is_accepted_however_much_its_requests_overlap(width_ns: int) -> None:
    """What clients of a sound venue record has no finding, and all of it was looked at."""
    history, log = busy_run(width_ns=width_ns)
    random.Random(3).shuffle(history)

    findings = judged(history, log)

    assert findings.examples == []
    assert findings.counts["acknowledged"] + findings.counts["rejected"] == len(history)
    assert findings.counts["ordered in real time"] == len(history) > 100
    assert findings.counts["rejected"] > 0


def test_an_acknowledgement_that_the_log_does_not_hold_is_lost() -> None:
    """A log that ends too early has lost what was acknowledged behind its end."""
    history, log = busy_run()

    findings = judged(history, log[:-3])

    lost = [operation for operation in history if operation.log_index > log[-4][0]]
    assert findings.found == {LOST: len(lost)}


@pytest.mark.parametrize("field", ["filled", "result", "log_index", "code"])
def test_an_acknowledgement_altered_in_one_field_is_told(field: str) -> None:
    """The reply must be what the replay comes to in every field, not in its code alone."""
    log = trading_log([order(8, intent=3)], [order(9, intent=1)], [order(10, lots=2)])
    history = history_of(log)
    told = next(operation for operation in history if operation.sequence == 9)
    assert told.filled == 5

    other: dict[str, Any] = {field: getattr(told, field) + 1}
    if field == "code":
        other["outcome"] = Outcome.REJECTED
    findings = judged(replaced(history, 9, **other), log)

    assert findings.found == {ALTERED: 1}
    assert "session 1 sequence 9" in findings.examples[0].what


def test_another_command_at_the_acknowledged_place_is_told() -> None:
    """A log that executes a command that the client never sent is altered, replies or no."""
    log = trading_log([order(8, lots=5)])
    history = history_of(trading_log([order(8, lots=6)]))

    assert judged(history, log).found == {ALTERED: 1}


def test_a_stale_read_that_is_fine_in_log_order_breaks_real_time() -> None:
    """A read as of an index that exists is stale if a later one was acknowledged before it."""
    history, log = busy_run()
    last = history[-1]
    stale = read_at(last.log_index - 1, last.returned_ns + 1, last.returned_ns + 2)
    fresh = read_at(last.log_index, last.returned_ns + 1, last.returned_ns + 2)
    overlapping = read_at(last.log_index - 1, last.returned_ns, last.returned_ns + 2)

    assert judged([*history, fresh, overlapping], log).ok
    findings = judged([*history, stale], log)

    assert findings.found == {REAL_TIME: 1}
    assert "the read of client 9" in findings.examples[0].what


def test_reads_never_go_back_behind_each_other() -> None:
    """A read that follows another read sees at least what that one saw."""
    log = trading_log([order(8)], [order(9)], [order(10)])
    history = [changed(op, invoked_ns=1, returned_ns=10**6) for op in history_of(log)]

    findings = judged([*history, read_at(6, 100, 110), read_at(5, 111, 120)], log)

    assert findings.found == {REAL_TIME: 1}


def test_a_read_from_before_a_command_that_was_asked_for_later_is_told() -> None:
    """What a read saw cannot have been asked for after the read was answered."""
    log = trading_log([order(8)], [order(9)])
    history = history_of(log)
    asked_ns = next(op.invoked_ns for op in history if op.sequence == 9)

    assert judged([*history, read_at(4, 5, asked_ns - 1)], log).ok
    assert judged([*history, read_at(5, 5, asked_ns - 1)], log).found == {REAL_TIME: 1}


def test_commands_whose_order_in_the_log_contradicts_real_time_are_told() -> None:
    """Replay alone accepts any order: what returned first must be first in the log as well."""
    log = trading_log([order(8)], [record(1, c.Checkpoint(), session=2), order(9)])
    history = history_of(log)
    moved = replaced(history, 9, invoked_ns=4 * GAP_NS - 900, returned_ns=4 * GAP_NS - 500)

    assert judged(history, log).ok
    assert judged(moved, log).found == {REAL_TIME: 1}


def test_the_order_inside_a_group_counts() -> None:
    """Of two commands in one group the later one cannot have returned before the other was sent."""
    log = trading_log([order(8), order(9)])
    history = history_of(log)
    at = 4 * GAP_NS
    apart = replaced(history, 8, invoked_ns=at - 10, returned_ns=at - 9)

    assert judged(replaced(apart, 9, invoked_ns=at, returned_ns=at + 1), log).ok
    swapped = replaced(history, 9, invoked_ns=at - 10, returned_ns=at - 9)
    swapped = replaced(swapped, 8, invoked_ns=at, returned_ns=at + 1)
    assert judged(swapped, log).found == {REAL_TIME: 1}


def test_a_retry_answered_from_the_window_is_one_command() -> None:
    """Asked for twice, logged twice, executed once: the first answer counts for real time."""
    log = trading_log([order(8)], [order(9)], [order(8), order(10)])
    history = history_of(log)
    again = [operation for operation in history if operation.sequence == 8]

    findings = judged(history, log)

    assert [operation.log_index for operation in again] == [4, 4]
    assert findings.examples == []
    assert findings.counts["retries in the log"] == findings.counts["retries blanked"] == 1


def test_a_retry_that_gets_another_answer_is_told() -> None:
    """Two acknowledgements of one command must be the same."""
    log = trading_log([order(8)], [order(9)], [order(8)])
    history = history_of(log)
    history[-1] = changed(history[-1], filled=1)

    assert judged(history, log).found == {ALTERED: 1}


def fed(log: list[tuple[int, bytes]], forge: Callable[[int, bytes], bytes]) -> ExecutionTable:
    """Return the table of a log whose replies go through `forge`."""
    replay = LogReplay(GENESIS)
    table = ExecutionTable()
    for index, group in log:
        table.feed(index, group, forge(index, replay.apply(index, group)[0]))
    return table


def test_a_retry_executed_under_its_own_index_is_executed_twice() -> None:
    """A venue without deduplication answers a retry as of the retry's index, else alike."""
    log = trading_log([order(8)], [order(9)], [order(8)])

    table = fed(log, lambda index, got: forged(got, 0, log_index=6) if index == 6 else got)

    assert table.findings.found == {TWICE: 1}
    assert "executed at index 4 and at 6" in table.findings.examples[0].what


def test_a_retry_answered_otherwise_by_the_log_is_told_without_any_history() -> None:
    """The log itself shows that a window gave another answer than the first."""
    log = trading_log([order(8)], [order(8)])

    table = fed(log, lambda index, got: forged(got, 0, filled=3) if index == 5 else got)

    assert table.findings.found == {ALTERED: 1}


def test_a_session_that_skips_a_sequence_is_told() -> None:
    """A venue that executes a session's command out of turn breaks the session's order."""
    log = trading_log([order(8)])
    replay = LogReplay(GENESIS)
    table = ExecutionTable()
    for index, group in log:
        replies, _ = replay.apply(index, group)
        if index == 4:
            group = trading_log([order(10)])[-1][1]  # noqa: PLW2901 - what it executed instead
            replies = replies[:16] + (10).to_bytes(8, "little") + replies[24:]
        table.feed(index, group, replies)

    assert table.findings.found == {SESSION_ORDER: 1}


def test_a_retry_that_takes_effect_behind_an_equal_reply_is_told() -> None:
    """A venue that executes a retry and repeats the old reply deceives whoever compares replies."""
    retried = trading_log([order(8)], [order(8)])
    executed = trading_log([order(8)], [order(9)])
    honest, lying = LogReplay(GENESIS), LogReplay(GENESIS)
    effect = RetryEffect(LogReplay(GENESIS))
    table = ExecutionTable()
    for (index, group), (_, instead) in zip(retried, executed, strict=True):
        replies, _ = honest.apply(index, group)
        _, events = lying.apply(index, instead)
        table.feed(index, group, replies)
        effect.feed(index, group, replies, events)

    assert table.findings.ok
    assert effect.findings.found == {TWICE: 1}
    assert effect.findings.counts["retries blanked"] == 1


def test_an_unknown_outcome_may_have_happened_or_not() -> None:
    """Without a reply, both are fine; what happened is counted."""
    log = trading_log([order(8)])
    history = replaced(history_of(log), 8, outcome=Outcome.UNKNOWN, log_index=0, returned_ns=0)
    never = changed(history[-1], sequence=9)

    findings = judged([*history, never], log)

    assert findings.examples == []
    assert findings.counts["unknown"] == 2
    assert findings.counts["unknown that took effect"] == 1


def test_an_unknown_outcome_cannot_happen_before_it_was_asked_for() -> None:
    """It took effect before something that had returned when it was invoked: impossible."""
    log = trading_log([order(8)], [order(9)])
    late_ns = 5 * GAP_NS + 10
    history = replaced(
        history_of(log), 8, outcome=Outcome.UNKNOWN, returned_ns=0, invoked_ns=late_ns, log_index=0
    )

    assert judged(history, log).found == {REAL_TIME: 1}


def test_an_unknown_outcome_that_took_effect_twice_is_told() -> None:
    """At most once: sent again after no reply, and executed both times."""
    log = trading_log([order(8)], [order(8)])
    table = fed(log, lambda index, got: forged(got, 0, log_index=5) if index == 5 else got)
    check = AcknowledgementCheck(table)
    check.take(replaced(history_of(log), 8, outcome=Outcome.UNKNOWN, returned_ns=0, log_index=0))

    assert table.findings.found == {TWICE: 1}
    assert check.findings.counts["unknown that took effect"] == 2  # Both times it was asked for.


def test_a_refusal_at_the_door_leaves_nothing_in_the_log() -> None:
    """Refused and executed all the same is a wrong answer; refused, then sent again, is not."""
    log = trading_log([order(8)])
    history = history_of(log)
    refused = changed(history[-1], outcome=Outcome.REJECTED, log_index=0)
    gap = changed(refused, code=int(Code.SEQUENCE_GAP))

    assert judged([*history, refused], log).ok
    assert judged([*history[:-1], refused], log).found == {ALTERED: 1}
    assert judged([*history[:-1], gap], log).ok  # It says nothing of what came before or after.
    unsettled = changed(refused, outcome=Outcome.UNKNOWN, code=0, returned_ns=0)
    assert judged([*history[:-1], refused, unsettled], log).ok


def test_a_refused_sequence_is_free_for_another_command() -> None:
    """What the log executes under a refused sequence may be what was sent instead."""
    log = trading_log([order(8, lots=6)])
    refused = Operation(1, 1, 8, order(8, lots=5)[8:], 10, 20, Outcome.REJECTED)

    assert judged([*history_of(log), refused], log).ok


@pytest.mark.parametrize(
    "fields",
    [
        {"returned_ns": 5},
        {"returned_ns": 0},
        {"code": 7},
        {"log_index": 0},
    ],
    ids=["returned before invoked", "never returned", "ok with a code", "ok at no index"],
)
def test_a_history_that_contradicts_itself_is_told(fields: dict[str, int]) -> None:
    """A wrong recording is a finding of its own: it must not hide what it should show."""
    log = trading_log([order(8)])
    history = replaced(history_of(log), 8, **fields)

    assert judged(history, log).found == {SOUND: 1}


def test_nothing_to_look_at_is_a_finding() -> None:
    """A checker without input is told from one that found nothing."""
    history, log = busy_run(5)

    assert judged([], log).found == {LOOKED: 1}
    assert LOOKED in judged(history, []).found
    assert judged([], []).found == {LOOKED: 2}


def test_replies_that_do_not_fit_the_group_are_told() -> None:
    """One reply a record, or the replay is not to be trusted."""
    log = trading_log([order(8), order(9)])

    short = fed(log, lambda index, got: got[:48] if index == 4 else got)
    long = fed(log, lambda index, got: got + got[:48] if index == 4 else got)

    assert short.findings.found == long.findings.found == {SOUND: 1}


def test_behind_a_snapshot_windows_still_answer_for_what_came_before() -> None:
    """What was acknowledged before the log starts is asked for again, as a client would."""
    log = trading_log(*([order(sequence, lots=1)] for sequence in range(8, 40)))
    history = history_of(log)
    start = LogReplay(GENESIS)
    for index, group in log[:-5]:
        start.apply(index, group)
    start.audit.digests()
    pages = start.audit.canonical_pages()

    def told(history: list[Operation]) -> Findings:
        return check_sequence_order(history, log[-5:], GENESIS, pages)

    findings = told(history)
    assert findings.examples == []
    assert findings.counts["before the log"] == len(history) - 5
    assert findings.counts["before the log, in a window"] == 16
    assert findings.counts["before the log, forgotten"] == len(history) - 5 - 16
    assert told(replaced(history, 33, filled=1)).found == {ALTERED: 1}
    assert told(replaced(history, 38, filled=1)).found == {ALTERED: 1}
    early = history[9].log_index
    assert told([changed(history[-1], log_index=early)]).found == {LOST: 1}


class Counting(int):
    """An integer that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: object) -> bool:
        Counting.compared += 1
        return int(self) < int(other)  # type: ignore[call-overload, no-any-return]


def comparisons_and_steps(count: int) -> tuple[int, int]:
    """Return what a history of `count` overlapping operations costs to order."""
    rng = random.Random(count)
    times = [Counting(rng.randrange(10 * count)) for _ in range(count)]
    ends = [Counting(at + rng.randrange(1_000)) for at in times]
    places = [int(at) << 20 for at in times]
    findings = Findings()
    Counting.compared = 0
    check_places(places, times, ends, str, findings)
    return Counting.compared, findings.counts["steps"]


def test_the_cost_is_n_log_n_comparisons_and_two_steps_an_operation() -> None:
    """Counted, not timed: sixteen times the operations cost little more than sixteen times."""
    for count in (1_000, 4_000, 16_000):
        compared, steps = comparisons_and_steps(count)

        assert steps <= 2 * count
        assert compared <= 2 * count * count.bit_length() + 2 * count


def test_the_log_and_the_history_are_gone_through_once() -> None:
    """Both may be streams: nothing is asked for twice."""
    history, log = busy_run()

    findings = check_sequence_order(iter(history), iter(log), GENESIS)

    assert findings.ok
    assert findings.counts["groups"] == len(log)
