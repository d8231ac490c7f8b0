"""A report cut into titled tables: what a terminal prints and a page shows are the same cells."""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from chaos.report.distribution import distribution
from chaos.report.run_report import Figure, RunReport


class Mood(Enum):
    """How a row is to be read at a glance."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"


class Row(NamedTuple):
    """One line of a table."""

    cells: tuple[str, ...]
    mood: Mood = Mood.PLAIN


class Section(NamedTuple):
    """A titled table; `note` says what its emptiness means when there are no rows."""

    title: str
    columns: tuple[str, ...]
    rows: list[Row]
    note: str = ""


def sections(report: RunReport) -> list[Section]:
    """Return the tables of `report`, what matters most first; violations have their own form."""
    return [
        Section(
            "Figures",
            ("figure", "value", "goal", "met", "command"),
            [_figure(figure) for figure in report.figures],
        ),
        Section(
            "Operations",
            ("acknowledged", "rejected", "unknown", "reads"),
            _operations(report),
        ),
        Section("Found on them", ("lost", "duplicated", "altered", "diverged"), _found(report)),
        Section(
            "Times in ms",
            ("of", "count", "p50", "p90", "p99", "max"),
            [
                *_times("failover", report.failovers_ms),
                *_times("recovery", report.recoveries_ms),
            ],
        ),
        Section("Faults injected", ("kind", "times"), _counts(report.faults)),
        Section("Faults not felt", ("kind", "times"), _counts(report.unfelt)),
        Section(
            "Faults left out",
            ("kind", "why"),
            [Row(kind_and_reason) for kind_and_reason in sorted(report.left_out.items())],
        ),
        Section(
            "Invariants checked",
            ("invariant", "times"),
            [
                Row((name, _number(count)), Mood.PLAIN if count else Mood.BAD)
                for name, count in sorted(report.checks.items())
            ],
        ),
    ]


def facts(report: RunReport) -> list[tuple[str, str]]:
    """Return what identifies the run: name and value."""
    listed = [
        ("command", report.command),
        ("commit", report.commit),
        ("started", report.started),
        ("elapsed", duration(report.elapsed_seconds)),
    ]
    if report.core:
        listed.append(("core", report.core))
    if report.seeds:
        listed.append(("seeds", f"{report.seeds:,} ({report.seeds_per_minute:,.0f} a minute)"))
    if report.simulated_seconds:
        listed.append(("simulated", duration(report.simulated_seconds)))
    if report.trace:
        listed.append(("trace", report.trace))
    if report.work:
        told = (f"{count:,} {name}" for name, count in report.work.items())
        listed.append(("in it", ", ".join(told)))
    return listed


def verdict(report: RunReport) -> tuple[str, Mood]:
    """Return the run in one sentence, and whether it is good news."""
    missed = sum(not figure.met for figure in report.figures)
    parts = []
    if report.violations:
        parts.append(_several(len(report.violations), "invariant violation"))
    if missed:
        parts.append(_several(missed, "figure") + " short of the goal")
    if report.interrupted:
        told = ", ".join(parts) if parts else "every invariant held until then"
        return f"interrupted: {told}", Mood.BAD if parts else Mood.PLAIN
    if parts:
        return ", ".join(parts), Mood.BAD
    return "every invariant held", Mood.GOOD


def duration(seconds: float) -> str:
    """Return a length of time as people say it, to the tenth of a second below a minute."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _figure(figure: Figure) -> Row:
    return Row(
        (figure.name, figure.value, figure.goal, "yes" if figure.met else "NO", figure.command),
        Mood.GOOD if figure.met else Mood.BAD,
    )


def _operations(report: RunReport) -> list[Row]:
    counts = report.operations
    asked = (counts.acknowledged, counts.rejected, counts.unknown, counts.reads)
    return [Row(tuple(_number(count) for count in asked))] if any(asked) else []


def _found(report: RunReport) -> list[Row]:
    counts = report.operations
    wrong = (counts.lost, counts.duplicated, counts.altered, counts.diverged)
    if not any((*wrong, counts.acknowledged)):
        return []
    return [Row(tuple(_number(count) for count in wrong), Mood.BAD if any(wrong) else Mood.GOOD)]


def _times(name: str, times_ms: list[float]) -> Iterable[Row]:
    if times_ms:
        count, *rest = distribution(times_ms)
        yield Row((name, _number(count), *(f"{value:,.1f}" for value in rest)))


def _counts(counts: dict[str, int]) -> list[Row]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [Row((kind, _number(count))) for kind, count in ordered]
    if len(rows) > 1:
        rows.append(Row((f"all {len(rows)} kinds", _number(sum(counts.values())))))
    return rows


def _number(count: int) -> str:
    return f"{count:,}"


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
