"""`python -m chaos measure`: print the figures, each against its goal."""

import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from chaos.invocation import invocation, invocation_given
from chaos.measure.effort import Effort
from chaos.report.run_report import RunReport
from chaos.report.target import TARGET_FILE
from chaos.unwinding import unwind_once
from client import ClientError
from cluster.deployment import DeploymentError
from cluster.flow_stage import StageError
from config import ConfigError

FIGURES: Final = ("failover", "pauses", "recovery", "damage", "limping")


@click.command("measure", short_help="print the figures, each against its goal")
@click.argument("figure", type=click.Choice([*FIGURES, "all"]), default="all")
@click.option("--quick", is_flag=True, help="Few repetitions: does it work, not how well.")
@click.option("--times", type=click.IntRange(min=1), help="How often each fault is injected.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of what is drawn.")
@click.option("--json", "json_file", type=TARGET_FILE, help="Write the report.")
@click.option("--html", "html_file", type=TARGET_FILE, help="Write it as a page.")
def command(
    figure: str,
    *,
    quick: bool,
    times: int | None,
    seed: int,
    json_file: Path | None,
    html_file: Path | None,
) -> int:
    """Measure FIGURE (failover, pauses, recovery, damage, limping; all of them unless named).

    Real node processes on loopback, real clients, files in a temporary folder; all of it is gone
    afterwards, also when interrupted.

    Example: .venv/bin/python -m chaos measure failover --times 50 --json failover.json
    """
    from chaos.measure.arena import UnusableError
    from chaos.report.failure import failures_told
    from chaos.report.publish import publish
    from chaos.report.source_commit import source_commit
    from node._pure import build_form

    unwind_once()
    report = RunReport(
        "The figures",
        invocation_given(),
        source_commit(),
        datetime.now(UTC).isoformat("T", "seconds"),
    )
    report.core = build_form()
    if report.core == "pure":
        report.left_out["compiled core"] = "this is the core in pure Python: run `make build`"
        _say("the core runs in pure Python, several times slower: run `make build` in this folder")
    began = time.monotonic()
    known = (UnusableError, StageError, ClientError, DeploymentError, ConfigError)
    chosen = FIGURES if figure == "all" else (figure,)
    for name in chosen:
        line = _command_line(name, quick=quick, times=times, seed=seed)
        effort = Effort(report, line, _say, quick, times, seed)
        with failures_told(effort.violation, *known):
            import_module(f"chaos.measure.{name}").measure(effort)
        report.elapsed_seconds = time.monotonic() - began
    return publish(report, json_file, html_file)


def _command_line(figure: str, *, quick: bool, times: int | None, seed: int) -> str:
    words = ["--quick"] if quick else []
    words += ["--times", str(times)] if times is not None else []
    words += ["--seed", str(seed)] if seed != 1 else []
    return invocation("measure", figure, *words)


def _say(text: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr)
