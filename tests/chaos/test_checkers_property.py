"""Whatever hypothesis thinks of: legal overlaps are accepted, a single corruption is found."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chaos.checkers.execution_table import ExecutionTable
from chaos.checkers.finding import ALTERED, LOST, REAL_TIME, TWICE
from chaos.checkers.log_record import records_of
from chaos.checkers.log_replay import LogReplay
from chaos.checkers.sequence_order import check_sequence_order
from chaos.history import Operation, Outcome
from node.consensus.log_group import build_group
from tests.chaos.checked_history import GAP_NS, History, Log, busy_run, history_of, judged
from tests.unit.audited_cluster import GENESIS

RUNS = [busy_run(12, seed=seed) for seed in range(4)]
HORIZON_NS = 20 * GAP_NS

runs = st.sampled_from(RUNS)
seeds = st.integers(0, 2**32)


def overlapping(history: History, rng: random.Random) -> History:
    """Return `history` with other times, each legal: asked for before, told after the commit."""
    width = rng.choice((0, GAP_NS // 2, 3 * GAP_NS, HORIZON_NS))
    stretched = [
        msgspec.structs.replace(
            operation,
            invoked_ns=operation.log_index * GAP_NS - rng.randint(1, 1 + width),
            returned_ns=operation.log_index * GAP_NS + rng.randint(1, 1 + width),
        )
        for operation in history
    ]
    # Some never hear back; some are read along the way.
    for place, operation in enumerate(stretched):
        if rng.random() < 0.1:
            stretched[place] = msgspec.structs.replace(
                operation, outcome=Outcome.UNKNOWN, returned_ns=0, log_index=0, code=0
            )
        if operation.log_index and rng.random() < 0.1:
            at = operation.log_index * GAP_NS
            stretched.append(
                Operation(
                    99,
                    0,
                    0,
                    b"",
                    at - rng.randint(0, width),
                    at + 1 + rng.randint(0, width),
                    Outcome.OK,
                    log_index=operation.log_index,
                )
            )
    rng.shuffle(stretched)
    return stretched


@given(run=runs, seed=seeds)
def test_legal_overlaps_are_always_accepted(run: tuple[History, Log], seed: int) -> None:
    """An order of the log with an instant for each group explains these times: no false alarm."""
    history, log = run

    findings = judged(overlapping(history, random.Random(seed)), log)

    assert findings.examples == []


@given(run=runs, seed=seeds, field=st.sampled_from(("result", "filled", "log_index", "code")))
def test_an_altered_acknowledgement_is_always_found(
    run: tuple[History, Log], seed: int, field: str
) -> None:
    """Any field of any acknowledgement, by any amount."""
    history, log = run
    rng = random.Random(seed)
    history = overlapping(history, rng)
    place = rng.choice([n for n, op in enumerate(history) if op.sequence and op.log_index])
    told = history[place]
    value = getattr(told, field) + rng.choice((1, -1, 7, 1 << 40))
    if field == "code":
        value = 409 if told.code != 409 else 408
    if field == "log_index":
        value = max(1, value) if value != told.log_index else told.log_index + 1
    fields = {field: value}
    if field == "code":
        fields["outcome"] = Outcome.REJECTED
    history[place] = msgspec.structs.replace(told, **fields)

    findings = judged(history, log)

    assert value == getattr(told, field) or findings.found.get(ALTERED) == 1


@given(run=runs, seed=seeds)
def test_a_moved_acknowledgement_is_always_found(run: tuple[History, Log], seed: int) -> None:
    """One operation whose times lie behind the end of a later one, or before an earlier one."""
    history, log = run
    rng = random.Random(seed)
    place = rng.randrange(len(history))
    moved = history[place]
    indexes = sorted({operation.log_index for operation in history})
    if moved.log_index == indexes[-1] or (rng.random() < 0.5 and moved.log_index != indexes[0]):
        earlier = rng.choice([index for index in indexes if index < moved.log_index])
        at = earlier * GAP_NS - 100
        times = {"invoked_ns": at - rng.randrange(50), "returned_ns": at + rng.randrange(50)}
    else:
        later = rng.choice([index for index in indexes if index > moved.log_index])
        at = later * GAP_NS + 100
        times = {"invoked_ns": at, "returned_ns": at + rng.randrange(50)}
    history = [*history]
    history[place] = msgspec.structs.replace(moved, **times)

    assert REAL_TIME in judged(history, log).found


@given(run=runs, seed=seeds)
def test_a_command_dropped_from_the_log_is_always_found(
    run: tuple[History, Log], seed: int
) -> None:
    """Whatever the venue makes of the rest, an acknowledged command is missed."""
    history, log = run
    rng = random.Random(seed)
    place = rng.choice([n for n, (_, group) in enumerate(log) if n and any(records_of(group))])
    index, group = log[place]
    records = list(records_of(group))
    del records[rng.randrange(len(records))]
    left = [record.session.to_bytes(8, "little") + record.frame for record in records]
    damaged = [*log]
    damaged[place] = (index, build_group(left, len(left), index * 1_000_000))

    assert LOST in judged(history, damaged).found


@given(run=runs, seed=seeds)
def test_a_command_executed_twice_is_always_found(run: tuple[History, Log], seed: int) -> None:
    """Any command of any group, sent again and executed again at the end of the log."""
    _, log = run
    rng = random.Random(seed)
    _, group = rng.choice([entry for entry in log if any(records_of(entry[1]))][1:])
    twice = rng.choice(list(records_of(group)))
    retry = build_group(
        [twice.session.to_bytes(8, "little") + twice.frame], 1, (log[-1][0] + 1) * 1_000_000
    )
    retried = [*log, (log[-1][0] + 1, retry)]
    assert judged(history_of(retried), retried).ok

    table = ExecutionTable()
    replay = LogReplay(GENESIS)
    for at, entry in retried:
        replies, _ = replay.apply(at, entry)
        if entry is retry:
            replies = replies[:24] + at.to_bytes(8, "little") + replies[32:]
        table.feed(at, entry, replies)
    assert table.findings.found == {TWICE: 1}


@given(seed=seeds)
def test_the_order_of_the_recording_does_not_matter(seed: int) -> None:
    """Histories of many clients come in any order: the verdict is the same."""
    history, log = RUNS[0]
    rng = random.Random(seed)
    wrong = msgspec.structs.replace(history[9], filled=history[9].filled + 1)
    history = [*history[:9], wrong, *history[10:]]
    rng.shuffle(history)

    findings = check_sequence_order(history, log, GENESIS)

    assert findings.found == {ALTERED: 1}
