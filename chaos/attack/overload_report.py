"""What an overload came to, as figures."""

from collections import Counter
from statistics import median
from typing import Final

from chaos.attack.options import AttackOptions
from chaos.attack.overload import FLOOD_FACTOR, RATE, TRADERS, Course, Phase, moments
from chaos.invocation import invocation
from chaos.report.run_report import Figure, RunReport, Violation

COMMAND: Final = invocation("attack", "overload")
RATIO_MAX: Final = 2.0
_MEBIBYTE: Final = 1 << 20


def add_course(report: RunReport, course: Course, options: AttackOptions, bound_bytes: int) -> None:
    """Add the figures, violations and the timeline of `course` to `report`."""
    report.timeline += moments(course)
    _add_latency(report, course)
    _add_outcomes(report, course)
    _add_crowd(report, course, options)
    _add_memory(report, course, bound_bytes)
    report.checks["elections under overload"] = max(course.terms) - min(course.terms)


def _add_latency(report: RunReport, course: Course) -> None:
    crowded, quiet = course.crowded(), course.quiet()
    ratios = course.ratios()
    report.figures.append(
        Figure(
            "others' p99 under overload",
            f"{median(ratios):.2f}x ({', '.join(f'{one:.2f}' for one in ratios)}): "
            f"{_p99_ms(crowded):.1f} ms crowded, {_p99_ms(quiet):.1f} ms quiet; p50 "
            f"{_p50_ms(crowded):.1f} and {_p50_ms(quiet):.1f} ms",
            f"up to {RATIO_MAX:.0f}x the quiet phases beside it, median",
            median(ratios) <= RATIO_MAX,
            COMMAND,
        )
    )


def _p99_ms(phases: list[Phase]) -> float:
    return median(phase.latency.p99_ns for phase in phases) / 1e6


def _p50_ms(phases: list[Phase]) -> float:
    return median(phase.latency.p50_ns for phase in phases) / 1e6


def _add_outcomes(report: RunReport, course: Course) -> None:
    cancels: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for phase in course.crowded():
        cancels += phase.cancels
        codes += phase.codes
    report.operations.acknowledged += codes["OK"]
    report.operations.rejected += codes.total() - codes["OK"]
    report.figures.append(
        Figure(
            "cancels under overload",
            f"{cancels['OK']:,} of {cancels.total():,} accepted "
            f"({TRADERS} clients at {RATE} commands a second)",
            "all",
            0 < cancels.total() == cancels["OK"],
            COMMAND,
        )
    )


def _add_crowd(report: RunReport, course: Course, options: AttackOptions) -> None:
    crowded = course.crowded()
    reached = min(phase.connections for phase in crowded)
    seconds = sum(phase.ended_ms - phase.began_ms for phase in crowded) / 1_000
    flooded = sum(phase.flooded for phase in crowded)
    refused: Counter[str] = Counter()
    for phase in crowded:
        refused.update(phase.crowd["refused"])
    report.faults["connections held"] = max(phase.crowd["held"] for phase in crowded)
    report.faults["half-open logins"] = sum(phase.crowd["half_open"] for phase in crowded)
    report.faults["slow readers"] = len(crowded) * max(1, options.connections // 200)
    report.faults["commands flooded"] = flooded
    report.figures.append(
        Figure(
            "connections at one node",
            f"{reached:,} at once, filled in "
            f"{median(phase.filling_seconds for phase in crowded):.1f} s; one client sent "
            f"{flooded / seconds:,.0f} commands a second",
            f"{options.connections:,}; one client at {FLOOD_FACTOR}x",
            reached >= 0.99 * options.connections
            and flooded >= 0.8 * seconds * RATE * FLOOD_FACTOR,
            COMMAND,
        )
    )
    unanswered = sum(phase.crowd["unanswered"] + phase.crowd["failed"] for phase in crowded)
    names = ", ".join(f"{name} {count:,}" for name, count in sorted(refused.items()))
    report.figures.append(
        Figure(
            "refused by name under overload",
            f"{refused.total():,} ({names or 'none'}); {unanswered} without a word",
            "every one",
            unanswered == 0,
            COMMAND,
        )
    )


def _add_memory(report: RunReport, course: Course, bound_bytes: int) -> None:
    before = max(course.quiet()[0].rss_bytes.values())
    most = max(max(phase.rss_bytes.values()) for phase in course.crowded())
    after = max(course.quiet()[-1].rss_bytes.values())
    report.figures.append(
        Figure(
            "memory of a node under overload",
            f"{most // _MEBIBYTE} MiB at most, {before // _MEBIBYTE} before and "
            f"{after // _MEBIBYTE} after",
            f"{(before + bound_bytes) // _MEBIBYTE} MiB: what its settings allow",
            most <= before + bound_bytes,
            COMMAND,
        )
    )
    if most > before + bound_bytes:
        report.violations.append(
            Violation("bounded memory", f"a node took {most // _MEBIBYTE} MiB", COMMAND)
        )
