"""`attack`: what strangers, broken peers and crowds can do to a node."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chaos.commands.finite import FiniteRange
from chaos.report.target import TARGET_FILE

if TYPE_CHECKING:
    from chaos.attack.options import AttackOptions
    from chaos.report.run_report import RunReport

_PARTS = ("fuzz", "authentication", "overload")


@click.command("attack")
@click.argument("part", type=click.Choice([*_PARTS, "all"]), default="all")
@click.option(
    "--executions",
    type=click.IntRange(1),
    default=100_000_000,
    show_default=True,
    help="Fuzz executions to reach, over all runs with the same --state.",
)
@click.option(
    "--seconds", type=FiniteRange(1), help="For fuzzing, and for overload: 60; quick: 10."
)
@click.option(
    "--attempts", type=click.IntRange(1), help="To get in: 12,000; quick: 600.", metavar="N"
)
@click.option(
    "--connections", type=click.IntRange(1), help="To hold: 10,000; quick: 500.", metavar="N"
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".quorumbook-attack"),
    show_default=True,
    help="Where counts and findings of fuzzing are kept from run to run.",
)
@click.option("--seed", default="1", show_default=True, help="Of the mutations of a new --state.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--target", "targets", multiple=True, help="Fuzz this decoder only; repeatable.")
@click.option("--engine", type=click.Choice(["mutation", "atheris"]), default="mutation")
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Feed one saved input to --target, and nothing else.",
)
@click.option("--base-port", type=click.IntRange(1_024, 60_000), default=17_400, show_default=True)
@click.option("--quick", is_flag=True, help="Small numbers, for a look and for CI.")
@click.option("--json", "json_file", type=TARGET_FILE)
@click.option("--html", "html_file", type=TARGET_FILE)
def command(
    part: str,
    executions: int,
    seconds: float | None,
    attempts: int | None,
    connections: int | None,
    state: Path,
    seed: str,
    jobs: int,
    targets: tuple[str, ...],
    engine: str,
    replay: Path | None,
    base_port: int,
    json_file: Path | None,
    html_file: Path | None,
    *,
    quick: bool,
) -> int:
    """Attack a node of our own on 127.0.0.0/8: fuzz its decoders, try to get in, crowd its door.

    Ends with code 1 when something got in, through, or came out uncaught. A run of fuzzing that
    its --seconds ended before the count was reached is no failure: the next one goes on.
    Example: .venv/bin/python -m chaos attack fuzz --seconds 60 --jobs 2
    """
    from chaos.attack.options import AttackOptions

    if replay is not None:
        return _replay(targets, replay)
    options = AttackOptions(
        state=state,
        seed=seed,
        executions=executions,
        seconds=seconds or (10.0 if quick else 60.0),
        attempts=attempts or (600 if quick else 12_000),
        connections=connections or (500 if quick else 10_000),
        jobs=jobs,
        engine=engine,
        targets=targets,
        base_port=base_port,
        quick=quick,
    )
    report = _run(part, options)
    return _publish(report, json_file, html_file)


def _run(part: str, options: "AttackOptions") -> "RunReport":
    from chaos.invocation import invocation, invocation_given
    from chaos.report.failure import failures_told
    from chaos.report.run_report import RunReport, Violation
    from chaos.report.source_commit import source_commit
    from chaos.unwinding import unwind_once

    unwind_once()
    started = datetime.now(UTC)
    report = RunReport(
        f"Attack: {part}",
        invocation_given(),
        source_commit(),
        started.isoformat(timespec="seconds"),
    )
    begun = time.monotonic()
    for one in _PARTS if part == "all" else (part,):
        again = invocation("attack", one)

        def violate(invariant: str, what: str, again: str = again) -> None:
            report.violations.append(Violation(invariant, what, again))

        with failures_told(violate):
            _one(one, options, report)
    report.elapsed_seconds = time.monotonic() - begun
    return report


def _one(part: str, options: "AttackOptions", report: "RunReport") -> None:
    if part == "fuzz":
        from chaos.attack.fuzz_run import fuzz

        fuzz(options, report, click.echo)
    elif part == "authentication":
        from chaos.attack.authentication import authenticate

        authenticate(options, report, click.echo)
    else:
        from chaos.attack.overload import overload

        overload(options, report, click.echo)


def _replay(targets: tuple[str, ...], file: Path) -> int:
    from chaos.attack.fuzz_run import replay

    if len(targets) != 1:
        raise click.UsageError("--replay needs one --target, the decoder that the input is for")
    replay(targets[0], file)
    click.echo(f"{targets[0]} kept its promises with {file}")
    return 0


def _publish(report: "RunReport", json_file: Path | None, html_file: Path | None) -> int:
    from chaos.attack.fuzz_run import REACHED
    from chaos.report.publish import publish

    code = publish(report, json_file, html_file)
    failed = [one for one in report.figures if not one.met and one.name != REACHED]
    return code if failed or not report.held else 0
