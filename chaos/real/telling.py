"""The report of a run."""

from datetime import datetime
from typing import Final

from chaos.real.campaign import Course
from chaos.real.catalogue import CATALOGUE
from chaos.real.diary import Diary
from chaos.report.run_report import Figure, RunReport
from chaos.report.source_commit import source_commit

_ACKNOWLEDGED_GOAL: Final = 1_000_000
_KINDS_GOAL: Final = 25
_LONG_MINUTES: Final = 10.0
"""A run shorter than this is not asked for the figures of a long one."""
_SHORT_KINDS_GOAL: Final = 12
_SHORT_MINUTES: Final = 2.0


def report_of(course: Course, command: str, started: datetime, elapsed_seconds: float) -> RunReport:
    """Return the report of a run that has ended; `command` is the whole command line of it."""
    diary = course.diary
    report = RunReport(
        _title(course),
        command,
        source_commit(),
        started.isoformat(timespec="seconds"),
        elapsed_seconds,
        operations=course.operations,
        faults=dict(sorted(diary.faults.items())),
        unfelt=dict(sorted(diary.unfelt.items())),
        left_out=left_out(course),
        failovers_ms=course.failovers_ms,
        recoveries_ms=course.recoveries_ms,
        checks={
            "progress of a connected majority": course.looks,
            **course.checks,
            **diary.checks,
            "rounds that converged and were judged": course.judged,
        },
        violations=diary.violations,
        timeline=diary.moments,
        interrupted=course.interrupted,
    )
    report.figures = _figures(course, diary.reproduce)
    return report


def _title(course: Course) -> str:
    """Return what was done and how much of it, so that a short run does not pass for a long one."""
    site = "on loopback, without root" if course.abilities.rootless else "in namespaces"
    name = "real"
    if course.interrupted or course.failed:
        name += ", interrupted" if course.interrupted else ", ended by an error"
    rounds = f"{course.judged} round{'' if course.judged == 1 else 's'} judged"
    kinds = f"{len(course.diary.faults)} of {len(course.kinds)} kinds of faults"
    return f"{name}: {course.campaign.nodes} nodes {site}, {rounds}, {kinds}"


def left_out(course: Course) -> dict[str, str]:
    """Return the kinds that never struck, and why."""
    chosen = {kind.name for kind in course.kinds}
    reasons = {}
    for name, kind in sorted(CATALOGUE.items()):
        lacking = course.abilities.lack(kind.needs)
        if lacking:
            reasons[name] = lacking
        elif name not in chosen:
            reasons[name] = "not asked for"
        elif name not in course.diary.faults:
            reasons[name] = _why_not(course.diary, name)
    return reasons


def _why_not(diary: Diary, name: str) -> str:
    if diary.unfelt[name]:
        return f"tried {diary.unfelt[name]} times, but not felt"
    if diary.unsuitable[name]:
        return f"drawn {diary.unsuitable[name]} times, but the scene never suited it"
    return "its turn did not come before the time was over"


def _figures(course: Course, command: str) -> list[Figure]:
    """Return the goals; of a run that was cut short, only what must never be."""
    if not course.judged:
        return []
    found = course.operations
    acknowledged = found.acknowledged + found.rejected
    kinds = len(course.diary.faults)
    wrong = found.lost + found.duplicated + found.altered + found.diverged
    long = course.campaign.minutes >= _LONG_MINUTES and not course.abilities.rootless
    broken = [
        Figure(
            "lost, duplicated, altered, diverged",
            f"{found.lost}, {found.duplicated}, {found.altered}, {found.diverged}",
            "0",
            wrong == 0,
            command,
        )
    ]
    if course.interrupted or course.failed:
        return broken
    figures = [
        *broken,
        Figure(
            "acknowledged commands",
            f"{acknowledged:,} ({found.rejected:,} of them rejected)",
            f"{_ACKNOWLEDGED_GOAL:,}" if long else "at least 1",
            acknowledged >= (_ACKNOWLEDGED_GOAL if long else 1),
            command,
        ),
    ]
    if course.campaign.minutes >= _SHORT_MINUTES and len(course.kinds) >= _SHORT_KINDS_GOAL:
        goal = min(_KINDS_GOAL if long else _SHORT_KINDS_GOAL, len(course.kinds))
        figures.append(
            Figure("kinds of faults injected", f"{kinds}", f"{goal}", kinds >= goal, command)
        )
    return figures
