"""Liveness: every request ends in time, and work goes on soon after a heal."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chaos.checkers.finding import LIVE, PROGRESS, Findings
from chaos.history import Operation, Outcome


class Calm(NamedTuple):
    """A time without faults and with a connected majority: from a heal to the next fault, in ns."""

    begin_ns: int
    end_ns: int


class _Progress:
    """What happened within the bound after one heal."""

    def __init__(self) -> None:
        self.asked = 0
        self.answered = 0


def check_liveness(
    history: Iterable[Operation], calms: Sequence[Calm], *, deadline_ns: int, bound_ns: int
) -> Findings:
    """Return which requests took longer than `deadline_ns`, and where work did not go on.

    `deadline_ns` holds always, faults or not. In a calm longer than `bound_ns`: something asked for
    must be answered within the bound of its begin, nothing may wait for longer than the bound, and
    what is asked for behind the first bound and before the last one must not end unknown. Shorter
    calms are counted and not judged. `calms` are in order and do not overlap.
    """
    findings = Findings()
    judged = [calm for calm in calms if calm.end_ns - calm.begin_ns > bound_ns]
    findings.saw("calms too short to judge", len(calms) - len(judged))
    findings.saw("calms", len(judged))
    progress = [_Progress() for _ in judged]
    begins = [calm.begin_ns for calm in judged]
    for operation in history:
        findings.saw("requests")
        _check_deadline(operation, deadline_ns, findings)
        place = bisect_right(begins, operation.invoked_ns) - 1
        # It may be asked for in one calm, or before it, and answered in another.
        for number in range(max(place, 0), len(judged)):
            if operation.returned_ns < begins[number] and operation.invoked_ns < begins[number]:
                break
            _check_calm(operation, judged[number], progress[number], bound_ns, findings)
    for calm, made in zip(judged, progress, strict=True):
        if made.asked and not made.answered:
            findings.add(
                PROGRESS,
                f"nothing was answered within {bound_ns} ns of {calm.begin_ns}, "
                f"{made.asked} requests waited",
            )
        findings.saw("calms with requests", bool(made.asked))
    findings.expect("requests")
    if judged:
        findings.expect("calms with requests")
    return findings


def _check_deadline(operation: Operation, deadline_ns: int, findings: Findings) -> None:
    if not operation.returned_ns:
        if operation.outcome != Outcome.UNKNOWN:
            findings.add(LIVE, f"{_name(operation)} ended {operation.outcome.name} at no time")
        findings.saw("requests never answered")
    elif operation.returned_ns - operation.invoked_ns > deadline_ns:
        waited = operation.returned_ns - operation.invoked_ns
        findings.add(LIVE, f"{_name(operation)} took {waited} ns, the deadline is {deadline_ns}")


def _check_calm(
    operation: Operation, calm: Calm, progress: _Progress, bound_ns: int, findings: Findings
) -> None:
    told = operation.outcome != Outcome.UNKNOWN
    until_ns = calm.begin_ns + bound_ns
    invoked_ns, returned_ns = operation.invoked_ns, operation.returned_ns
    if invoked_ns < until_ns and (returned_ns >= calm.begin_ns or not told):
        progress.asked += 1
        progress.answered += told and returned_ns <= until_ns
    if told:
        waited_ns = min(returned_ns, calm.end_ns) - max(invoked_ns, calm.begin_ns)
        if waited_ns > bound_ns:
            findings.add(
                PROGRESS,
                f"{_name(operation)} waited {waited_ns} ns of the calm from {calm.begin_ns}",
            )
    elif until_ns <= invoked_ns <= calm.end_ns - bound_ns:
        findings.add(PROGRESS, f"{_name(operation)} ended unknown in the calm from {calm.begin_ns}")


def _name(operation: Operation) -> str:
    return (
        f"client {operation.client} session {operation.session} sequence {operation.sequence}, "
        f"invoked at {operation.invoked_ns} ns,"
    )
