"""`python -m chaos mutants`: what the simulation can see."""

import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import click

from chaos.mutants.mutant import Mutant
from chaos.mutants.registry import MUTANTS
from chaos.mutants.trial import Verdict, try_mutant, unseen
from chaos.report.publish import publish
from chaos.report.run_report import Figure, RunReport, Violation
from chaos.report.source_commit import source_commit
from cluster.console import say_table

_LEAST = 25
_CONTROL_SEEDS = 40
_MEDIAN_MOST = 50


@click.command()
@click.option("--only", default="", help="Only these, by comma; `guards-off` for the core's own.")
@click.option("--seeds", type=click.IntRange(1), default=200, show_default=True)
@click.option("--processes", type=click.IntRange(1), default=os.cpu_count, show_default="cores")
@click.option("--seconds-each", type=float, default=600.0, show_default=True, help="At most.")
@click.option("--list", "list_only", is_flag=True, help="Print what would be planted and stop.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the report.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="And as a page.")
def command(
    only: str,
    seeds: int,
    processes: int,
    seconds_each: float,
    list_only: bool,
    json_file: Path | None,
    html_file: Path | None,
) -> int:
    """Plant known bugs in a copy, one at a time, and count the seeds until each is seen.

    Example: python -m chaos mutants --only fifo-broken,no-fdatasync
    """
    chosen = _chosen(only)
    if list_only:
        rows = [(one.name, one.area, one.what) for one in chosen]
        say_table("Planted bugs", ("name", "in", "what"), rows)
        return 0
    line = "python -m chaos " + shlex.join(sys.argv[1:])
    report = RunReport("Planted bugs", line, source_commit(), datetime.now(UTC).isoformat())
    began = time.monotonic()

    def attempt(mutant: Mutant) -> Verdict:
        try:
            verdict = try_mutant(mutant, seeds, seconds_each)
        except subprocess.TimeoutExpired:
            verdict = unseen(mutant, 0, f"not done in {seconds_each:.0f} s")
        seen = f"seed {verdict.seeds}: {verdict.invariant}" if verdict.caught else "NOT SEEN"
        click.echo(f"{mutant.name:32} {seen} {'' if verdict.caught else verdict.what}")
        return verdict

    def control(options: tuple[str, ...]) -> Verdict:
        verdict = try_mutant(None, min(seeds, _CONTROL_SEEDS), seconds_each, options)
        told = " ".join(options) or "all faults"
        held = verdict.seeds > 0 and not verdict.caught
        click.echo(f"{'(no bug)':32} {'holds' if held else 'BROKEN'}, {told}")
        return verdict

    with ThreadPoolExecutor(processes) as pool:
        verdicts = list(pool.map(attempt, chosen))
        controls = list(pool.map(control, dict.fromkeys(one.options for one in chosen)))
    report.violations += [
        Violation("without a bug all seeds hold", verdict.what, verdict.reproduce)
        for verdict in controls
        if verdict.caught or not verdict.seeds
    ]
    report.elapsed_seconds = time.monotonic() - began
    _fill_in(report, verdicts, seeds, whole=not only)
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


def _fill_in(report: RunReport, verdicts: list[Verdict], seeds: int, *, whole: bool) -> None:
    """Put figures and survivors into the report."""
    caught = [verdict for verdict in verdicts if verdict.caught]
    report.seeds = sum(verdict.seeds for verdict in verdicts)
    for verdict in verdicts:
        assert verdict.mutant is not None
        report.checks[f"{verdict.mutant.name}, seeds to detection"] = verdict.seeds
        if not verdict.caught:
            what = f"{verdict.mutant.name} survives {seeds} seeds: {verdict.mutant.what}"
            again = f"python -m chaos mutants --only {verdict.mutant.name}"
            told = f"{what}; {verdict.what}" if verdict.what else what
            report.violations.append(Violation("planted bugs are seen", told, again))
    count = f"{len(caught)} of {len(verdicts)}"
    enough = len(verdicts) >= _LEAST or not whole
    report.figures.append(
        Figure(
            "planted bugs caught",
            count,
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
