"""`python -m chaos sim`: whole clusters from seeds."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from chaos.commands.end_request import EndRequest, interruptible
from chaos.commands.finite import FiniteRange
from chaos.commands.seeds import seeds_of
from chaos.invocation import invocation_given
from chaos.report.listener import listener_may_leave
from chaos.report.publish import publish
from chaos.report.run_report import Figure, RunReport
from chaos.report.source_commit import source_commit
from chaos.report.target import TARGET_FILE
from chaos.simulation.campaign import Tally, WorkerDiedError, run_cases
from chaos.simulation.cases import Cases
from chaos.simulation.faults.registry import FAULTS
from chaos.simulation.invariants.registry import INVARIANTS
from chaos.simulation.progress import Progress
from chaos.simulation.quiet_logs import silence
from chaos.simulation.seed_run import Case, kinds_named
from chaos.simulation.telling import Telling, picture
from chaos.simulation.timeline import lines, run_recorded

_MANY: Final = 500
"""From so many seeds on, every fault must have struck and every invariant looked."""
_MOST_SECONDS: Final = 600.0
_MOST_MINUTES: Final = 100_000.0
_LINES: Final = 60
"""What is printed of a violation's timeline at once: its end."""


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
@click.option("--faults", help="Only these kinds, by comma; `none` for none.")
@click.option(
    "--seconds",
    type=FiniteRange(0, _MOST_SECONDS),
    default=0.0,
    help="Virtual seconds of faults; 0: drawn.",
)
@click.option("--keep", help="Only these faults of one seed's plan, by number; `none` for none.")
@click.option("--timeline", is_flag=True, help="Print what happened in one seed, line by line.")
@click.option("--shrink", is_flag=True, help="Make each failing case as small as possible.")
@click.option("--first", is_flag=True, help="Stop at the first violation.")
@click.option(
    "--processes", type=click.IntRange(1, 1_024), default=os.cpu_count, show_default="cores"
)
@click.option(
    "--minutes",
    type=FiniteRange(0, _MOST_MINUTES),
    default=0.0,
    help="Stop after so long; 0: at the last seed.",
)
@click.option(
    "--state",
    type=TARGET_FILE,
    help="Keep count here, by commit, and go on from it; needs a clean git work tree.",
)
@click.option("--list-faults", is_flag=True, help="Print the kinds of faults and stop.")
@click.option("--json", "json_file", type=TARGET_FILE, help="Write the report.")
@click.option("--html", "html_file", type=TARGET_FILE, help="And as a page.")
def command(
    seeds: range,
    nodes: str,
    faults: str | None,
    seconds: float,
    keep: str | None,
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

    Ctrl-C and SIGTERM end it with what was done until then: code 130 or 143, or 1 when a violation
    is among it. Example: .venv/bin/python -m chaos sim --seeds 0:1000
    """
    if list_faults:
        click.echo("\n".join(FAULTS))
        return 0
    if len(seeds) > 1 and (timeline or keep is not None):
        raise click.UsageError("--timeline and --keep are about one seed: write --seeds 4711")
    if timeline and state is not None:
        raise click.UsageError("--timeline shows one run, --state counts many: choose one")
    case = Case(seeds.start, int(nodes), seconds, _kinds(faults))
    case = case._replace(kept=_kept(keep, case))
    silence()
    title = f"Simulation of {nodes} nodes"
    report = RunReport(title, invocation_given(), source_commit(), datetime.now(UTC).isoformat())
    progress = _progress(state, report, Cases(seeds, case))
    report = progress.report
    tally = Tally(report)
    with interruptible() as interruption:
        wanted = _wanted(progress, interruption, 60 * minutes, first=first)
        telling = Telling(report, _say, shrink=shrink, wanted=lambda: not interruption.asked)
        died = ""
        if timeline:
            _show(case, tally, telling)
        else:
            died = _run(progress, tally, telling, processes, wanted)
            report.interrupted = (interruption.asked or bool(died)) and bool(progress.left())
            if json_file is not None or html_file is not None:
                _draw(report, tally, case)
            if case.is_whole and report.seeds >= _MANY and not report.interrupted:
                report.figures = _figures(report)
            elif case.is_whole and report.seeds < _MANY:
                report.left_out |= _untouched(report)
        code = publish(report, json_file, html_file)
    if progress.trouble or died:
        raise click.ClickException("; ".join(filter(None, (progress.trouble, died))))
    return interruption.code if report.interrupted and report.held else code


def _progress(state: Path | None, report: RunReport, cases: Cases) -> Progress:
    """Return how far the campaign has come; say what the state holds of other commits."""
    try:
        progress = Progress(state, report, cases)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for other in progress.others:
        kept, broken = other.report, len(other.report.violations)
        told = "no violation" if not broken else f"{broken:,} violation{'s' * (broken > 1)}"
        click.echo(
            f"{state} keeps {kept.seeds:,} seeds of commit {kept.commit}, with {told}: they do "
            f"not count for {progress.report.commit}",
            err=True,
        )
    return progress


def _wanted(
    progress: Progress, interruption: EndRequest, seconds: float, *, first: bool
) -> Callable[[], bool]:
    """Return whether to go on: until asked to end or out of time, and with at least one seed."""
    report, before = progress.report, progress.report.seeds
    deadline = time.monotonic() + seconds if seconds else float("inf")

    def wanted() -> bool:
        if interruption.asked or progress.trouble or (first and report.violations):
            return False
        return report.seeds == before or time.monotonic() < deadline

    return wanted


def _kinds(faults: str | None) -> tuple[str, ...] | None:
    if faults is None:
        return None
    if not faults:
        raise click.BadParameter("names no kind; `none` is for no faults", param_hint="--faults")
    names = [] if faults == "none" else faults.split(",")
    try:
        return kinds_named(names)
    except KeyError as error:
        raise click.BadParameter(
            f"there is no fault {error}; --list-faults shows all", param_hint="--faults"
        ) from error


def _kept(keep: str | None, case: Case) -> tuple[int, ...] | None:
    """Return the numbers that `keep` names, each of which `case` has planned."""
    if keep is None:
        return None
    planned = [one.number for one in case.plan()]
    try:
        kept = () if keep == "none" else tuple(int(number) for number in keep.split(","))
    except ValueError as error:
        told = "numbers of planned faults, by comma, or `none`"
        raise click.BadParameter(told, param_hint="--keep") from error
    strange = [str(number) for number in kept if number not in planned]
    if strange:
        told = f"this run plans {len(planned)} faults, numbered from 0: no {', '.join(strange)}"
        raise click.BadParameter(told, param_hint="--keep")
    return kept


def _run(
    progress: Progress,
    tally: Tally,
    telling: Telling,
    processes: int,
    wanted: Callable[[], bool],
) -> str:
    """Run what is left, count it, tell of each violation at once, and keep the count.

    Returns how a worker died, if one did.
    """
    died = ""
    try:
        for result in run_cases(progress.left(), processes, wanted):
            violation = tally.add(result)
            progress.done()
            if violation is not None:
                shown = telling.tell(result, violation)
                _say("\n".join([f"  {violation.reproduce}", *lines(shown.timeline)[-_LINES:]]))
    except WorkerDiedError as error:
        died = str(error)
    progress.save()
    return died


def _show(case: Case, tally: Tally, telling: Telling) -> None:
    """Run one case with its timeline; a failing one as `telling` shows it best."""
    result = run_recorded(case)
    violation = tally.add(result)
    if violation is not None:
        result = telling.tell(result, violation)
    tally.report.timeline, tally.report.timeline_of = picture(result), f"seed {case.seed}"
    _say("\n".join([*lines(result.timeline), f"trace {result.trace_hash}"]))


def _draw(report: RunReport, tally: Tally, first: Case) -> None:
    """Put the picture of one seed into the report: of the first violation, or of a busy run."""
    if report.violations:
        violation = report.violations[0]
        report.timeline, report.timeline_of = violation.moments, f"seed {violation.seed}"
        return
    case = tally.busiest.case if tally.busiest is not None else first
    report.timeline = picture(run_recorded(case))
    report.timeline_of = f"seed {case.seed}, in which most kinds of faults struck"


def _say(text: str) -> None:
    with listener_may_leave():
        click.echo(text)


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


def _untouched(report: RunReport) -> dict[str, str]:
    """Return what a short run says nothing about."""
    found = {
        "faults that never struck": [kind for kind in FAULTS if not report.faults.get(kind)],
        "invariants that never looked": [
            one.name for one in INVARIANTS if not report.checks.get(one.name)
        ],
    }
    return {what: ", ".join(names) for what, names in found.items() if names}
