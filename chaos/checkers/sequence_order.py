"""Linearizability in n log n: every reply names its place in the log, so the order is given.

What is left to check: the replay of that order gives every client the reply that it got, and the
order respects real time. See `wgl` for answers without a place.
"""

from collections.abc import Iterable

from chaos.checkers.acknowledgement import AcknowledgementCheck
from chaos.checkers.execution_table import ExecutionTable
from chaos.checkers.finding import LOST, Findings
from chaos.checkers.log_record import records_of, replies_of
from chaos.checkers.log_replay import Log, LogReplay, Pages
from chaos.checkers.real_time import check_real_time
from chaos.checkers.retry_effect import RetryEffect
from chaos.checkers.window import ask_again
from chaos.history import Operation
from node.domain.genesis import Genesis


def check_sequence_order(
    history: Iterable[Operation], log: Log, genesis: Genesis, pages: Pages | None = None
) -> Findings:
    """Return what is wrong with `history`, given the committed `log` that it came to.

    `pages` is the snapshot behind which the log starts, None for a log from genesis. Groups up to
    the snapshot are passed over. Each of the log and the history is gone through once.
    """
    kept = None if pages is None else list(pages)
    replay = LogReplay(genesis, kept)
    effect = RetryEffect(LogReplay(genesis, kept))
    table = ExecutionTable(replay.index)
    for index, group in log:
        if index <= replay.index:
            continue
        written, events = replay.apply(index, group)
        records, replies = list(records_of(group)), list(replies_of(written))
        table.feed_records(index, records, replies)
        effect.feed_records(index, group, records, replies, events)
    check = AcknowledgementCheck(table)
    check.take(history)
    findings = conclude(check, table)
    findings.take(effect.findings)
    if kept is not None:
        findings.take(ask_again(check.before.values(), LogReplay(genesis, kept)))
    return findings


def conclude(
    check: AcknowledgementCheck, table: ExecutionTable, last_index: int | None = None
) -> Findings:
    """Return all findings once the log and the history have been taken in.

    `last_index` is the end of the log, entries without a group counted; None when it is not known.
    """
    check.finish()
    findings = Findings()
    findings.take(table.findings)
    findings.take(check.findings)
    check_real_time(table, check.reads, findings)
    for read in check.reads:
        if last_index is not None and read.log_index > last_index:
            findings.add(
                LOST,
                f"client {read.client} read as of index {read.log_index}, the log ends at "
                f"{last_index}",
            )
    counts = findings.counts
    findings.saw("operations", sum(counts[kind] for kind in ("acknowledged", "rejected", "reads")))
    findings.expect("groups")
    findings.expect("operations")
    return findings
