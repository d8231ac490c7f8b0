"""`python -m chaos sim`: whole clusters from seeds."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from chaos.commands.seeds import seeds_of
from chaos.invocation import invocation_given
from chaos.report.publish import publish
from chaos.report.run_report import Figure, RunReport, Violation
from chaos.report.source_commit import source_commit
from chaos.report.target import TARGET_FILE
from chaos.simulation.campaign import Tally, run_cases
from chaos.simulation.faults.registry import FAULTS
from chaos.simulation.invariants.registry import INVARIANTS
from chaos.simulation.progress import Progress
from chaos.simulation.quiet_logs import silence
from chaos.simulation.seed_run import Case, SeedResult, kinds_named
from chaos.simulation.shrink import Shrinker
from chaos.simulation.timeline import lines, run_recorded

_SHRINK_RUNS = 200
_MANY = 500
"""From so many seeds on, every fault must have struck and every invariant looked."""


@click.command()
@click.option(
    "--seeds",
    metavar="A:B",
    callback=seeds_of,
    default="0:100",
    show_default=True,
    help="A:B, or one.",
)
@click.option("--nodes", type=click.Choice(["3", "5"]), default="3", show_default=True)
@click.option("--faults", default="", help="Only these kinds, by comma; `none` for none.")
@click.option("--seconds", type=float, default=0.0, help="Virtual seconds of faults; 0: drawn.")
@click.option("--keep", default="", help="Only these faults of the plan, by number.")
@click.option("--timeline", is_flag=True, help="Print what happened, line by line.")
@click.option("--shrink", is_flag=True, help="Make each failing case as small as possible.")
@click.option("--first", is_flag=True, help="Stop at the first violation.")
@click.option("--processes", type=click.IntRange(1), default=os.cpu_count, show_default="cores")
@click.option("--minutes", type=float, default=0.0, help="Stop after so long; 0: at the last seed.")
@click.option(
    "--state", type=click.Path(path_type=Path), help="Keep count here, and go on from it."
)
@click.option("--list-faults", is_flag=True, help="Print the kinds of faults and stop.")
@click.option("--json", "json_file", type=TARGET_FILE, help="Write the report.")
@click.option("--html", "html_file", type=TARGET_FILE, help="And as a page.")
def command(
    seeds: range,
    nodes: str,
    faults: str,
    seconds: float,
    keep: str,
    timeline: bool,
    shrink: bool,
    first: bool,
    processes: int,
    minutes: float,
    state: Path | None,
    list_faults: bool,
    json_file: Path | None,
    html_file: Path | None,
) -> int:
    """Simulate whole clusters, one a seed: the same seed is the same run, to the last byte.

    Example: .venv/bin/python -m chaos sim --seeds 0:1000
    """
    if list_faults:
        click.echo("\n".join(FAULTS))
        return 0
    kinds, kept = _kinds(faults), _kept(keep)
    cases = [Case(seed, int(nodes), seconds, kinds, kept) for seed in seeds]
    silence()
    title = f"Simulation of {nodes} nodes"
    report = RunReport(title, _command_line(), source_commit(), datetime.now(UTC).isoformat())
    if timeline and len(cases) == 1:
        return _show(cases[0], report, json_file, html_file)
    try:
        progress = Progress(state, report, cases)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    tally = Tally(progress.report)
    report = progress.report
    deadline = time.monotonic() + 60 * minutes if minutes else float("inf")

    def wanted() -> bool:
        return time.monotonic() < deadline and not (first and report.violations)

    for result in run_cases(progress.left(), processes, wanted):
        tally.add(result)
        progress.done()
        if not result.held:
            _tell(result, report, shrink=shrink)
    progress.save()
    if kinds is None and kept is None and report.seeds >= _MANY:
        report.figures = _figures(report)
    return publish(report, json_file, html_file)


def _kinds(faults: str) -> tuple[str, ...] | None:
    if not faults:
        return None
    names = [] if faults == "none" else faults.split(",")
    try:
        return kinds_named(names)
    except KeyError as error:
        raise click.BadParameter(
            f"there is no fault {error}; --list-faults shows all", param_hint="--faults"
        ) from error


def _kept(keep: str) -> tuple[int, ...] | None:
    if not keep:
        return None
    try:
        return () if keep == "none" else tuple(int(number) for number in keep.split(","))
    except ValueError as error:
        raise click.BadParameter("numbers, by comma", param_hint="--keep") from error


def _command_line() -> str:
    return invocation_given()


def _show(case: Case, report: RunReport, json_file: Path | None, html_file: Path | None) -> int:
    """Run one case with its timeline."""
    tally = Tally(report)
    result = run_recorded(case)
    tally.add(result)
    report.timeline = [one for one in result.timeline if one.lane != "log"]
    click.echo("\n".join(lines(result.timeline)))
    click.echo(f"trace {result.trace_hash}")
    return publish(report, json_file, html_file)


def _tell(found: SeedResult, report: RunReport, *, shrink: bool) -> None:
    """Tell of a violation at once: what broke, how to see it again, and how it came about."""
    case = found.case
    click.echo(f"\nseed {case.seed}: {found.invariant}: {found.what}")
    result = run_recorded(case)
    if (result.trace_hash, result.invariant) != (found.trace_hash, found.invariant):
        what = f"run again, it ends with {result.invariant or 'no violation'!r}: {result.what}"
        report.violations.append(Violation("one seed is one run", what, case.command(), case.seed))
    elif shrink:
        shrinker = Shrinker(result, _SHRINK_RUNS)
        smallest = shrinker.shrink().case
        click.echo(f"shrunk in {shrinker.runs} runs to {len(smallest.plan())} faults")
        result = run_recorded(smallest)
    click.echo(f"  {result.case.command()}")
    click.echo("\n".join(lines(result.timeline)[-60:]))


def _figures(report: RunReport) -> list[Figure]:
    """Return what many seeds must have come to: a check that never looks proves nothing."""
    struck = [kind for kind in FAULTS if report.faults.get(kind)]
    looked = [one.name for one in INVARIANTS if report.checks.get(one.name)]
    return [
        Figure(
            "kinds of faults that struck",
            f"{len(struck)} of {len(FAULTS)}",
            "all",
            len(struck) == len(FAULTS),
            report.command,
        ),
        Figure(
            "invariants that looked at something",
            f"{len(looked)} of {len(INVARIANTS)}",
            "all",
            len(looked) == len(INVARIANTS),
            report.command,
        ),
    ]
