"""`python -m chaos mutants`: what the simulation can see."""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import click

from chaos.commands.seeds import seeds_of
from chaos.interruption import unwind_once
from chaos.invocation import invocation, invocation_given
from chaos.mutants.mutant import Mutant
from chaos.mutants.registry import MUTANTS
from chaos.mutants.trial import InterruptedTrialError, Trials, Verdict
from chaos.report.publish import publish
from chaos.report.run_report import Figure, RunReport, Violation
from chaos.report.source_commit import source_commit
from chaos.report.target import TARGET_FILE
from cluster.console import say_table

_LEAST = 25
_CONTROL_SEEDS = 15
_MEDIAN_MOST = 50


@click.command()
@click.option("--only", default="", help="Only these, by comma; `guards-off` for the core's own.")
@click.option(
    "--seeds",
    metavar="A:B",
    callback=seeds_of,
    default="0:200",
    show_default=True,
    help="A:B, at most.",
)
@click.option("--processes", type=click.IntRange(1), default=os.cpu_count, show_default="cores")
@click.option("--seconds-each", type=float, default=600.0, show_default=True, help="At most.")
@click.option("--list", "list_only", is_flag=True, help="Print what would be planted and stop.")
@click.option("--json", "json_file", type=TARGET_FILE, help="Write the report.")
@click.option("--html", "html_file", type=TARGET_FILE, help="And as a page.")
def command(
    only: str,
    seeds: range,
    processes: int,
    seconds_each: float,
    list_only: bool,
    json_file: Path | None,
    html_file: Path | None,
) -> int:
    """Plant known bugs in a copy, one at a time, and count the seeds until each is seen.

    Example: .venv/bin/python -m chaos mutants --only fifo-broken,no-fdatasync
    """
    chosen = _chosen(only)
    if list_only:
        rows = [(one.name, one.area, one.what, " ".join(one.options)) for one in chosen]
        say_table("Planted bugs", ("name", "in", "what", "with"), rows)
        return 0
    unwind_once()
    began_at = datetime.now(UTC).isoformat()
    report = RunReport("Planted bugs", invocation_given(), source_commit(), began_at)
    began = time.monotonic()
    trials = Trials(seeds, seconds_each)
    verdicts = list(_tried(chosen, trials, processes))
    control = Trials(seeds[:_CONTROL_SEEDS], seconds_each)
    report.violations += _controls(chosen, control, processes)
    report.elapsed_seconds = time.monotonic() - began
    _fill_in(report, verdicts, whole=not only)
    return publish(report, json_file, html_file)


def _chosen(only: str) -> list[Mutant]:
    if not only:
        return list(MUTANTS.values())
    if only == "guards-off":
        return [mutant for mutant in MUTANTS.values() if mutant.guards_off]
    try:
        return [MUTANTS[name] for name in only.split(",")]
    except KeyError as error:
        raise click.BadParameter(
            f"there is no mutant {error}; --list shows all", param_hint="--only"
        ) from error


def _tried(chosen: Sequence[Mutant], trials: Trials, processes: int) -> Iterator[Verdict]:
    """Try all, some at a time, and yield the verdicts in order, telling each as it comes."""

    def attempt(mutant: Mutant) -> Verdict:
        verdict = trials.run(mutant)
        seen = f"seed {verdict.seeds}: {verdict.invariant}" if verdict.caught else "NOT SEEN"
        click.echo(f"{mutant.name:38} {seen} {'' if verdict.caught else verdict.what}")
        return verdict

    with ThreadPoolExecutor(processes) as pool:
        try:
            yield from pool.map(attempt, chosen)
        except (KeyboardInterrupt, InterruptedTrialError):
            trials.stop()
            raise click.Abort from None


def _controls(chosen: Sequence[Mutant], trials: Trials, processes: int) -> list[Violation]:
    """Run copies without a bug under each set of options; return what is wrong with any."""

    def control(options: tuple[str, ...]) -> Verdict:
        verdict = trials.run(None, options)
        held = verdict.seeds > 0 and not verdict.caught
        told = " ".join(options) or "all faults"
        click.echo(f"{'no bug':38} {'holds' if held else 'BROKEN'} ({told})")
        return verdict

    with ThreadPoolExecutor(processes) as pool:
        try:
            verdicts = list(pool.map(control, dict.fromkeys(one.options for one in chosen)))
        except (KeyboardInterrupt, InterruptedTrialError):
            trials.stop()
            raise click.Abort from None
    return [
        Violation("without a bug all seeds hold", verdict.what, verdict.reproduce)
        for verdict in verdicts
        if verdict.caught or not verdict.seeds
    ]


def _fill_in(report: RunReport, verdicts: list[Verdict], *, whole: bool) -> None:
    """Put figures, a row for each mutant, and survivors into the report."""
    caught = [verdict for verdict in verdicts if verdict.caught]
    report.seeds = sum(verdict.seeds for verdict in verdicts)
    enough = len(verdicts) >= _LEAST or not whole
    report.figures.append(
        Figure(
            "planted bugs caught",
            f"{len(caught)} of {len(verdicts)}",
            f"all of at least {_LEAST}",
            len(caught) == len(verdicts) and enough,
            report.command,
        )
    )
    if caught:
        middle = median(verdict.seeds for verdict in caught)
        report.figures.append(
            Figure(
                "seeds to detection, median",
                f"{middle:g}",
                f"within {_MEDIAN_MOST}",
                middle <= _MEDIAN_MOST,
                report.command,
            )
        )
    for verdict in verdicts:
        _add_row(report, verdict)


def _add_row(report: RunReport, verdict: Verdict) -> None:
    mutant = verdict.mutant
    assert mutant is not None
    again = invocation("mutants", "--only", mutant.name)
    if verdict.caught:
        value = f"{verdict.seeds}: {verdict.invariant}"
    else:
        value = f"not in {verdict.seeds}"
        what = f"{mutant.name} survives {verdict.seeds} seeds: {mutant.what}"
        told = f"{what}; {verdict.what}" if verdict.what else what
        report.violations.append(Violation("planted bugs are seen", told, again))
    name = f"{mutant.name} ({mutant.area})"
    report.figures.append(Figure(name, value, "seen", verdict.caught, again))
