"""Many seeds over the cores of this machine."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence

from chaos.checkers.finding import LOST, TWICE
from chaos.report.run_report import Operations, RunReport, Violation
from chaos.simulation.cluster import REPLAY_EQUALS_LIVE
from chaos.simulation.invariants.clients import ExactlyOnce
from chaos.simulation.invariants.consensus import OneLog
from chaos.simulation.quiet_logs import silence
from chaos.simulation.seed_run import Case, SeedResult, run_case

_CHUNK = 10


def run_cases(
    cases: Sequence[Case], processes: int, wanted: Callable[[], bool]
) -> Iterator[SeedResult]:
    """Run `cases` and yield their results in order, for as long as `wanted()` is true."""
    if processes == 1:
        silence()
        for case in cases:
            if not wanted():
                return
            yield run_case(case)
        return
    chunks = [cases[at : at + _CHUNK] for at in range(0, len(cases), _CHUNK)]
    context = multiprocessing.get_context("fork")
    with context.Pool(processes, initializer=silence) as pool:
        for results in pool.imap(_run_chunk, chunks):
            yield from results
            if not wanted():
                pool.terminate()
                return


def _run_chunk(cases: Sequence[Case]) -> list[SeedResult]:
    return [run_case(case) for case in cases]


def _count_loss(operations: Operations, result: SeedResult) -> None:
    """Count what a violation means for clients; a seed ends at its first one."""
    if result.what.startswith(LOST):
        operations.lost += 1
    elif result.what.startswith(TWICE):
        operations.duplicated += 1
    elif result.invariant == ExactlyOnce.name:
        operations.altered += 1
    elif result.invariant in {OneLog.name, REPLAY_EQUALS_LIVE}:
        operations.diverged += 1


class Tally:
    """Adds results up into a report."""

    def __init__(self, report: RunReport) -> None:
        """Add to `report`."""
        self.report = report
        self._began = time.monotonic()
        self._elapsed_before = report.elapsed_seconds

    def add(self, result: SeedResult) -> None:
        """Count one seed."""
        report = self.report
        report.seeds += 1
        report.simulated_seconds += result.simulated_seconds
        report.operations.acknowledged += result.acknowledged
        report.operations.rejected += result.rejected
        report.operations.unknown += result.unknown
        report.operations.reads += result.reads
        report.failovers_ms += result.failovers_ms
        for counts, more in (
            (report.work, result.work),
            (report.faults, result.faults),
            (report.checks, result.checks),
        ):
            for kind, count in more.items():
                counts[kind] = counts.get(kind, 0) + count
        if not result.held:
            _count_loss(report.operations, result)
            report.violations.append(
                Violation(result.invariant, result.what, result.case.command(), result.case.seed)
            )
        self.note_time()

    def note_time(self) -> None:
        """Bring the report's times up to date."""
        report = self.report
        report.elapsed_seconds = self._elapsed_before + time.monotonic() - self._began
        report.seeds_per_minute = 60 * report.seeds / max(report.elapsed_seconds, 1e-9)
