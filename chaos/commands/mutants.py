"""`python -m chaos mutants`: what the simulation can see."""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from statistics import median

import click

from chaos.commands.finite import FiniteRange
from chaos.commands.seeds import seeds_of
from chaos.disks.workplace import remove_leftovers
from chaos.invocation import invocation, invocation_given
from chaos.mutants.mutant import Mutant
from chaos.mutants.planting import plant
from chaos.mutants.registry import MUTANTS
from chaos.mutants.trial import InterruptedTrialError, Trials, Verdict
from chaos.report.publish import publish
from chaos.report.run_report import Figure, Moment, RunReport, Violation
from chaos.report.source_commit import source_commit
from chaos.report.target import TARGET_FILE
from chaos.unwinding import unwind_once
from cluster.console import say_table

_LEAST = 25
_CONTROL_SEEDS = 60
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
@click.option(
    "--seconds-each", type=FiniteRange(1), default=600.0, show_default=True, help="At most."
)
@click.option(
    "--keep-copy",
    type=click.Path(path_type=Path, file_okay=False),
    help="Plant the one bug of --only here, in a new folder that stays, with what to run there.",
)
@click.option("--list", "list_only", is_flag=True, help="Print what would be planted and stop.")
@click.option("--json", "json_file", type=TARGET_FILE, help="Write the report.")
@click.option("--html", "html_file", type=TARGET_FILE, help="And as a page.")
def command(
    only: str,
    seeds: range,
    processes: int,
    seconds_each: float,
    keep_copy: Path | None,
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
    if keep_copy is not None:
        _require_new(keep_copy, chosen)
    unwind_once()
    for folder in remove_leftovers():
        click.echo(f"removed what an earlier run left behind: {folder}")
    began_at = datetime.now(UTC).isoformat()
    report = RunReport("Planted bugs", invocation_given(), source_commit(), began_at)
    began = time.monotonic()
    trials = Trials(seeds, seconds_each)
    if keep_copy is None:
        verdicts = list(_tried(chosen, trials, processes, report.timeline))
    else:
        verdicts = [_kept(chosen[0], trials, keep_copy)]
        report.timeline = [_moment(verdicts[0], 0.0, time.monotonic() - began)]
    control = Trials(seeds[:_CONTROL_SEEDS], seconds_each)
    report.violations += _controls(chosen, control, processes)
    report.elapsed_seconds = time.monotonic() - began
    which = ("--only", only) if only else ()
    again = invocation("mutants", *which, "--seeds", f"{seeds.start}:{seeds.stop}")
    _fill_in(report, verdicts, again, whole=not only)
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


def _require_new(keep_copy: Path, chosen: Sequence[Mutant]) -> None:
    if len(chosen) != 1:
        raise click.UsageError("--keep-copy needs --only with one name")
    if keep_copy.exists() and any(keep_copy.iterdir()):
        raise click.UsageError(f"--keep-copy: {keep_copy} is not empty; name a new folder")


def _kept(mutant: Mutant, trials: Trials, folder: Path) -> Verdict:
    """Try one in a copy that stays, and say what shows its bug there."""
    plant(mutant, folder)
    verdict = trials.run_in(folder, mutant)
    _say(verdict)
    click.echo(f"the sources with {mutant.name} ({mutant.file}) stay in {folder}")
    if verdict.caught:
        there = quote(str(folder.absolute()))
        click.echo(f"line by line, what the bug does:\n  cd {there} && {verdict.reproduce}")
    return verdict


def _moment(verdict: Verdict, from_seconds: float, until_seconds: float) -> Moment:
    """Return when a bug was tried, for the picture: a lane for each part of the product."""
    mutant = verdict.mutant
    assert mutant is not None
    told = _finding(verdict) if verdict.caught else f"not seen in {verdict.seeds} seeds"
    return Moment(
        1e3 * from_seconds,
        mutant.area,
        "seen" if verdict.caught else "not seen",
        f"{mutant.name}: {told}",
        1e3 * until_seconds,
    )


def _say(verdict: Verdict) -> None:
    assert verdict.mutant is not None
    seen = _finding(verdict) if verdict.caught else f"NOT SEEN {verdict.what}"
    click.echo(f"{verdict.mutant.name:38} {seen}")


def _finding(verdict: Verdict) -> str:
    return f'seed {verdict.seed} violates "{verdict.invariant}"'


def _tried(
    chosen: Sequence[Mutant], trials: Trials, processes: int, timeline: list[Moment]
) -> Iterator[Verdict]:
    """Try all, some at a time, and yield the verdicts in order, telling each as it comes."""
    began = time.monotonic()

    def attempt(mutant: Mutant) -> Verdict:
        from_seconds = time.monotonic() - began
        verdict = trials.run(mutant)
        _say(verdict)
        timeline.append(_moment(verdict, from_seconds, time.monotonic() - began))
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


def _fill_in(report: RunReport, verdicts: list[Verdict], again: str, *, whole: bool) -> None:
    """Put figures, a row for each mutant, and survivors into the report."""
    caught = [verdict for verdict in verdicts if verdict.caught]
    report.seeds = sum(verdict.seeds for verdict in verdicts)
    report.seeds_per_minute = 60 * report.seeds / max(report.elapsed_seconds, 1e-9)
    enough = len(verdicts) >= _LEAST or not whole
    report.figures.append(
        Figure(
            "planted bugs caught",
            f"{len(caught)} of {len(verdicts)}",
            f"all of at least {_LEAST}" if whole else "all",
            len(caught) == len(verdicts) and enough,
            again,
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
                again,
            )
        )
    for verdict in verdicts:
        _add_row(report, verdict)


def _add_row(report: RunReport, verdict: Verdict) -> None:
    mutant = verdict.mutant
    assert mutant is not None
    again = invocation("mutants", "--only", mutant.name)
    if verdict.caught:
        value = _finding(verdict)
        again += f" --seeds {verdict.seed} --keep-copy mutant-{mutant.name}"
    else:
        value = f"not in {verdict.seeds}"
        what = f"{mutant.name} survives {verdict.seeds} seeds: {mutant.what}"
        told = f"{what}; {verdict.what}" if verdict.what else what
        report.violations.append(Violation("planted bugs are seen", told, again))
    name = f"{mutant.name} ({mutant.area})"
    report.figures.append(Figure(name, value, "seen", verdict.caught, again))
