"""The judgement on a whole run: the histories of its clients and the data that its nodes left.

Nodes are read one after the other and histories streamed, so that millions of operations fit into
memory: about 100 bytes an operation and 8 an entry of each node's log, besides one node's journal.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from chaos.checkers.acknowledgement import AcknowledgementCheck
from chaos.checkers.answers import AnswerCheck
from chaos.checkers.conservation import check_state
from chaos.checkers.execution_table import NEVER, ExecutionTable
from chaos.checkers.finding import (
    AGREEMENT,
    ALTERED,
    ANSWERED,
    CONSERVED,
    DURABLE,
    LOST,
    REAL_TIME,
    SESSION_ORDER,
    SOUND,
    TWICE,
    Finding,
    Findings,
)
from chaos.checkers.log_record import records_of, replies_of
from chaos.checkers.log_replay import LogReplay
from chaos.checkers.node_log import NodeLog, agreed_index, opened, survey
from chaos.checkers.retry_effect import RetryEffect
from chaos.checkers.sequence_order import conclude
from chaos.checkers.window import ask_again
from chaos.history import Operation, read_history
from chaos.report.run_report import Operations, RunReport, Violation
from node.audit.directory import NodeData
from node.audit.replay import GROUP_KIND, Replay, StateDigests
from node.audit.verify import UNREPLAYABLE
from node.domain.genesis import Genesis

_CONSERVATION_CHECKS: Final = 8
"""States checked on the way; each walks over every account and order."""

_LOOKED_AT: Final = {
    LOST: ("acknowledged", "rejected"),
    ALTERED: ("acknowledged", "rejected"),
    TWICE: ("executed", "retries in the log"),
    REAL_TIME: ("ordered in real time",),
    SESSION_ORDER: ("executed",),
    DURABLE: ("acknowledged", "rejected"),
    AGREEMENT: ("log entries compared", "digests compared"),
    CONSERVED: ("states conserved",),
    SOUND: ("nodes",),
    ANSWERED: ("answers compared",),
}


class Judgement(NamedTuple):
    """All that is wrong with a run, and how much was looked at."""

    findings: list[Finding]
    """The first fifty of each invariant; `found` has all of them counted."""
    found: dict[str, int]
    counts: dict[str, int]

    @property
    def ok(self) -> bool:
        """Return whether everything held, and there was something to look at."""
        return not self.found

    @property
    def operations(self) -> Operations:
        """Return the counts as a report has them."""
        return Operations(
            acknowledged=self.counts.get("acknowledged", 0),
            rejected=self.counts.get("rejected", 0),
            unknown=self.counts.get("unknown", 0),
            reads=self.counts.get("reads", 0),
            lost=self.found.get(LOST, 0),
            duplicated=self.found.get(TWICE, 0),
            altered=self.found.get(ALTERED, 0),
            diverged=self.found.get(AGREEMENT, 0),
        )

    @property
    def checks(self) -> dict[str, int]:
        """Return how often each invariant was checked."""
        return {
            invariant: sum(self.counts.get(kind, 0) for kind in kinds)
            for invariant, kinds in _LOOKED_AT.items()
            if invariant != ANSWERED or self.counts.get("reads")
        }

    def write_into(self, report: RunReport, reproduce: str) -> None:
        """Add everything to `report`; `reproduce` is the command that shows it again."""
        for name in Operations.__struct_fields__:
            value = getattr(report.operations, name) + getattr(self.operations, name)
            setattr(report.operations, name, value)
        for invariant, count in self.checks.items():
            report.checks[invariant] = report.checks.get(invariant, 0) + count
        report.violations += [
            Violation(finding.invariant, finding.what, reproduce) for finding in self.findings
        ]


def judge(
    history_files: Sequence[Path],
    node_directories: Sequence[Path],
    *,
    genesis: Genesis | None = None,
    members: int | None = None,
    complete: bool = False,
) -> Judgement:
    """Judge the histories in `history_files` by the data of the nodes, which should be stopped.

    `members` is how many voters the cluster has (default: as many as directories); what was
    acknowledged must be on a majority of them. With `genesis`, the nodes must have that one. With
    `complete`, the log must hold nothing of the histories' sessions that no history mentions.
    Never raises for what is wrong with the data: that is a finding. Raises ValueError for a line of
    a history that is none.
    """
    findings = Findings()
    logs = survey(node_directories, findings)
    findings.expect("nodes")
    if genesis is not None and any(log.genesis != genesis.encode() for log in logs):
        findings.add(SOUND, "the nodes have another genesis than the run")
    if logs:
        voters = members if members is not None else len(node_directories)
        try:
            _Trial(logs, voters, findings).run(history_files, complete=complete)
        except UNREPLAYABLE as error:
            findings.add(SOUND, f"the replay stopped: {error}")
    return Judgement(findings.examples, findings.found, findings.counts)


def _operations(history_files: Iterable[Path]) -> Iterator[Operation]:
    for path in history_files:
        yield from read_history(path)


class _Trial:
    """One judgement on its way."""

    def __init__(self, logs: list[NodeLog], voters: int, findings: Findings) -> None:
        self._logs = logs
        self._majority = voters // 2 + 1
        self._findings = findings
        # What Raft would elect holds everything committed.
        winner = max(logs, key=lambda log: (log.last_term, log.last_index))
        committed = min(max(log.committed for log in logs), winner.last_index)
        self._agreed = [agreed_index(log, winner, committed, findings) for log in logs]
        # Of those that hold all of it, the one whose log goes back furthest tells most.
        whole = [
            log
            for log, agreed in zip(logs, self._agreed, strict=True)
            if agreed == winner.last_index
        ]
        self._source = min(whole or [winner], key=lambda log: log.start_index)
        self._at_stop: dict[int, StateDigests] = {}

    def run(self, history_files: Sequence[Path], *, complete: bool) -> None:
        """Replay the log, then hold the history and the other nodes against it."""
        with opened(self._source.root) as node:
            table = self._replay(node, history_files)
            check = AcknowledgementCheck(table)
            check.take(_operations(history_files))
            self._findings.take(conclude(check, table, self._source.last_index))
            if check.before:
                venue = LogReplay(node.genesis, node.snapshot_pages())
                self._findings.take(ask_again(check.before.values(), venue))
        self._check_recorded(table, complete=complete)
        self._check_durable(check.highest_index)
        for log in self._logs:
            if log.snapshot_index:
                self._check_snapshot(log)
        self._findings.expect("states conserved")

    def _replay(self, node: NodeData, history_files: Sequence[Path]) -> ExecutionTable:
        """Replay the source's log, with digests at the stops and conservation there.

        What reads were told is compared on the way.
        """
        pages = node.snapshot_pages() if node.start_index else None
        replay = LogReplay(node.genesis, pages)
        effect = RetryEffect(LogReplay(node.genesis, pages))
        table = ExecutionTable(replay.index)
        answers = AnswerCheck(_operations(history_files), replay.index)
        stops = self._stops(replay.index)
        for entry in node.entries:
            while stops and stops[-1] < entry.index:
                self._stop(replay.audit, stops.pop())
            if entry.kind == GROUP_KIND and entry.index > replay.index:
                answers.before(entry.index, replay)
                written, events = replay.apply(entry.index, entry.payload)
                records, replies = list(records_of(entry.payload)), list(replies_of(written))
                table.feed_records(entry.index, records, replies)
                effect.feed_records(entry.index, entry.payload, records, replies, events)
        while stops:
            self._stop(replay.audit, stops.pop())
        answers.before(self._source.last_index + 1, replay)
        self._findings.take(answers.findings)
        self._findings.take(effect.findings)
        return table

    def _stops(self, start: int) -> list[int]:
        """Return where to look at the state, last first."""
        last = self._source.last_index
        step = max(1, (last - start) // _CONSERVATION_CHECKS)
        wanted = {*range(start + step, last, step), last, *self._agreed}
        wanted.update(log.snapshot_index for log in self._logs)
        return sorted((index for index in wanted if start <= index <= last), reverse=True)

    def _stop(self, replay: Replay, index: int) -> None:
        self._at_stop[index] = replay.digests()
        check_state(replay.canonical_pages(), f"at index {index}", self._findings)

    def _check_recorded(self, table: ExecutionTable, *, complete: bool) -> None:
        """Count what the sessions of the history executed without the history knowing."""
        for session, rows in table.sessions.items():
            unrecorded = rows.invoked_ns.count(NEVER)
            if unrecorded == len(rows.invoked_ns):
                continue
            self._findings.saw("executed, in no history", unrecorded)
            if complete and unrecorded:
                sequence = rows.first + rows.invoked_ns.index(NEVER)
                self._findings.add(
                    SOUND,
                    f"session {session} has {unrecorded} commands in the log that no history "
                    f"mentions, sequence {sequence} first",
                )

    def _check_durable(self, highest: int) -> None:
        """Check that as many nodes as a majority hold everything that was acknowledged."""
        held = sum(agreed >= highest for agreed in self._agreed)
        if held < self._majority:
            self._findings.add(
                DURABLE,
                f"index {highest} was acknowledged, {held} nodes hold it, a majority is "
                f"{self._majority}",
            )

    def _check_snapshot(self, log: NodeLog) -> None:
        """Check that a node's snapshot says what the log came to, and leads to the same end."""
        agreed = self._agreed[self._logs.index(log)]
        with opened(log.root) as node:
            assert node.meta is not None
            said = StateDigests(
                node.meta.index,
                node.meta.chain_digest,
                node.meta.state_digest,
                node.meta.ledger_digest,
                node.meta.page_count,
            )
            self._compare(log, log.snapshot_index, said, "its snapshot")
            pages = node.snapshot_pages()
            check_state(pages, f"{log.name}, its snapshot", self._findings)
            replay = Replay(node.genesis, pages)
            replay.feed(entry for entry in node.entries if entry.index <= agreed)
        if replay.venue.log_index > log.snapshot_index:
            self._compare(log, agreed, replay.digests(), "its snapshot and the log behind it")

    def _compare(self, log: NodeLog, index: int, mine: StateDigests, what: str) -> None:
        reached = self._at_stop.get(index)
        if reached is None:
            self._findings.saw("snapshots older than the log")
            return
        self._findings.saw("digests compared")
        if reached != mine:
            self._findings.add(
                AGREEMENT,
                f"{log.name}: {what} came to {_show(mine)}, {self._source.name} to "
                f"{_show(reached)}",
            )


def _show(digests: StateDigests) -> str:
    return (
        f"index {digests.index} chain {digests.chain.hex()[:16]} state {digests.state.hex()[:16]} "
        f"ledger {digests.ledger.hex()[:16]} with {digests.page_count} pages"
    )
