"""Many seeds over the cores of this machine."""

import ctypes
import multiprocessing
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Final

from blake3 import blake3

from chaos.checkers.finding import LOST, TWICE
from chaos.report.run_report import Operations, RunReport, Violation
from chaos.simulation.cluster import REPLAY_EQUALS_LIVE
from chaos.simulation.invariants.clients import ExactlyOnce
from chaos.simulation.invariants.consensus import OneLog
from chaos.simulation.quiet_logs import silence
from chaos.simulation.seed_run import Case, SeedResult, run_case

_CHUNK: Final = 10
_AHEAD: Final = 4
"""Chunks that are handed out, for each process: none of them ever waits for work."""
_LOOK_SECONDS: Final = 0.2
_PR_SET_PDEATHSIG: Final = 1


class WorkerDiedError(Exception):
    """A process that ran seeds is gone: killed, out of memory, or crashed."""

    def __init__(self, running: Sequence[Case]) -> None:
        """Tell which seeds were on their way."""
        super().__init__(
            f"a worker process died while seeds {running[0].seed}:{running[-1].seed + 1} were "
            "running (killed, or out of memory?); what was done before them is in the report: run "
            "the rest again, with fewer --processes when memory is short"
        )


def run_cases(
    cases: Sequence[Case], processes: int, wanted: Callable[[], bool]
) -> Iterator[SeedResult]:
    """Run `cases` and yield their results in order, for as long as `wanted()` is true.

    Raises WorkerDiedError when a process that runs them is gone.
    """
    if processes == 1:
        silence()
        for case in cases:
            if not wanted():
                return
            yield run_case(case)
        return
    context = multiprocessing.get_context("fork")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processes, context, _begin_work)
    try:
        for results in _as_they_come(pool, cases, processes, wanted):
            for result in results:
                if not wanted():
                    return
                yield result
    finally:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        pool.shutdown(cancel_futures=True)


def _as_they_come(
    pool: ProcessPoolExecutor, cases: Sequence[Case], processes: int, wanted: Callable[[], bool]
) -> Iterator[list[SeedResult]]:
    """Yield what workers have done; ask `wanted()` also while they are at it."""
    chunks = (cases[at : at + _CHUNK] for at in range(0, len(cases), _CHUNK))
    running: deque[tuple[Sequence[Case], Future[list[SeedResult]]]] = deque()
    try:
        while wanted():
            for chunk in islice(chunks, processes * _AHEAD - len(running)):
                running.append((chunk, pool.submit(_run_chunk, chunk)))
            if not running:
                return
            try:
                results = running[0][1].result(_LOOK_SECONDS)
            except TimeoutError:
                continue
            running.popleft()
            yield results
    except BrokenProcessPool:
        # Chunks are handed out in order, so what was running is what comes first.
        unfinished = [case for chunk, _ in list(running)[:processes] for case in chunk]
        raise WorkerDiedError(unfinished) from None


def _begin_work() -> None:
    """Make this process a worker: the one that started it ends it, also by dying itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    silence()


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
        self.busiest: SeedResult | None = None
        """The run that held under the most kinds of faults: what a picture shows best."""
        self._began = time.monotonic()
        self._elapsed_before = report.elapsed_seconds

    def add(self, result: SeedResult) -> Violation | None:
        """Count one seed; return its violation, to be completed, when there is one."""
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
        told = f"{report.trace} {result.case.seed} {result.trace_hash}"
        report.trace = blake3(told.encode()).hexdigest(length=16)
        self._note_time()
        if result.held:
            if self.busiest is None or len(result.faults) > len(self.busiest.faults):
                self.busiest = result
            return None
        _count_loss(report.operations, result)
        case = result.case
        violation = Violation(result.invariant, result.what, case.command(), case.seed)
        report.violations.append(violation)
        return violation

    def _note_time(self) -> None:
        report = self.report
        report.elapsed_seconds = self._elapsed_before + time.monotonic() - self._began
        report.seeds_per_minute = 60 * report.seeds / max(report.elapsed_seconds, 1e-9)
