"""`python -m chaos powerloss`: cut the power of a whole cluster, again and again."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import click

from chaos.report.target import TARGET_FILE

if TYPE_CHECKING:
    from chaos.disks.power_losses import DiskKind, Tally
    from chaos.report.run_report import RunReport

_CONTROL_TIMES: Final = 3
_TIMELINE_MOST: Final = 400
_EVIDENCE: Final = Path(".chaos-evidence")


@click.command("powerloss", short_help="cut the power of a node's disk, again and again")
@click.option("--times", type=click.IntRange(1), default=10, show_default=True, help="Losses.")
@click.option(
    "--disk",
    type=click.Choice(["fuse", "ext4"]),
    default="fuse",
    show_default=True,
    help="A disk of our own that forgets what was not synced, or a real ext4 that is shut down.",
)
@click.option(
    "--nodes", type=click.Choice(["3", "5"]), default="3", show_default=True, help="Nodes."
)
@click.option(
    "--without-fdatasync",
    is_flag=True,
    help="Take the journal's fdatasync away: acknowledgements must get lost, and code 1 follow.",
)
@click.option(
    "--control",
    type=click.IntRange(0),
    default=_CONTROL_TIMES,
    show_default=True,
    help="Losses without the fdatasync afterwards, to show that the test can fail.",
)
@click.option("--seed", type=int, default=None, help="Of everything that is drawn. [default: new]")
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, file_okay=False),
    default=_EVIDENCE,
    show_default=True,
    help="Where the data of a violation is kept.",
)
@click.option("--json", "json_file", type=TARGET_FILE)
@click.option("--html", "html_file", type=TARGET_FILE)
def command(
    *,
    times: int,
    disk: str,
    nodes: str,
    without_fdatasync: bool,
    control: int,
    seed: int | None,
    evidence: Path,
    json_file: Path | None,
    html_file: Path | None,
) -> int:
    """Cut the power of all nodes at once while clients trade, and look at what survived.

    All nodes are real processes; their data lies on one disk on which what was not synced is really
    lost. After each loss everything acknowledged must be on a majority of the disks, the nodes must
    start again and agree, and clients that ask again must get the same replies.

    Example: .venv/bin/python -m chaos powerloss --times 100 --disk ext4
    """
    from chaos.disks.forgetful_disk import DiskUnavailableError
    from chaos.disks.power_losses import DiskKind, PowerLosses, Scene
    from chaos.disks.workplace import workplace
    from chaos.report.publish import publish
    from chaos.unwinding import unwind_once

    unwind_once()
    drawn = time.time_ns() % 1_000_000 if seed is None else seed
    kind = DiskKind(disk)
    report = _begin(kind, drawn)
    began = time.monotonic()
    try:
        with workplace() as folder:
            scene = Scene(kind, int(nodes), drawn, without_fdatasync)
            click.echo(_opening(scene.without_fdatasync, times, kind, drawn))
            tally = PowerLosses(scene, folder, evidence, click.echo).run(times)
            _fill(report, tally, without_fdatasync=without_fdatasync, seed=drawn)
            if control and not without_fdatasync:
                scene = Scene(kind, int(nodes), drawn, without_fdatasync=True)
                click.echo(_opening(scene.without_fdatasync, control, kind, drawn))
                (folder / "control").mkdir()
                losses = PowerLosses(scene, folder / "control", evidence, click.echo)
                _add_control(report, losses.run(control), kind)
    except DiskUnavailableError as error:
        raise click.ClickException(f"there is no {disk} disk here: {error}") from error
    report.elapsed_seconds = time.monotonic() - began
    return publish(report, json_file, html_file)


def _opening(without_fdatasync: bool, times: int, kind: "DiskKind", seed: int) -> str:
    what = "without the journal's fdatasync" if without_fdatasync else "the product as it is"
    return f"{times} power losses on {kind}, seed {seed}, {what}"


def _begin(kind: "DiskKind", seed: int) -> "RunReport":
    from chaos.invocation import invocation_given
    from chaos.report.run_report import RunReport
    from chaos.report.source_commit import source_commit

    given = any(word.split("=")[0] == "--seed" for word in sys.argv)
    return RunReport(
        title=f"Power losses of a whole cluster on {kind}",
        command=invocation_given(*(() if given else ("--seed", str(seed)))),
        commit=source_commit(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _fill(report: "RunReport", tally: "Tally", *, without_fdatasync: bool, seed: int) -> None:
    from chaos.disks.power_losses import Outcome
    from chaos.report.run_report import Figure, Violation

    held, times = tally.outcomes[Outcome.HELD], tally.times
    without = "without the journal's fdatasync, " if without_fdatasync else ""
    report.operations = tally.operations
    report.faults = dict(tally.faults)
    report.checks = dict(tally.checks)
    report.recoveries_ms = tally.recoveries_ms
    report.timeline = tally.moments[:_TIMELINE_MOST]
    report.figures += [
        Figure(
            f"{without}power losses that lost nothing acknowledged",
            f"{held} of {times}",
            "all",
            held == times,
            report.command,
        ),
        Figure(
            "seconds a power loss, all included",
            f"{tally.seconds / times:.1f}",
            "-",
            met=True,
            command=report.command,
        ),
    ]
    if tally.recoveries_ms:
        middle, worst = median(tally.recoveries_ms), max(tally.recoveries_ms)
        report.figures.append(
            Figure(
                "from starting all nodes to serving",
                f"median {middle:,.0f} ms, longest {worst:,.0f} ms",
                "-",
                met=True,
                command=report.command,
            )
        )
    report.violations += [
        Violation(
            "no acknowledged command is lost",
            f"time {number}: {what}",
            report.command,
            seed,
            details,
        )
        for number, what, details in tally.findings
    ]


def _add_control(report: "RunReport", tally: "Tally", kind: "DiskKind") -> None:
    """Say whether the same test finds the loss where there is one."""
    from chaos.disks.power_losses import Outcome
    from chaos.invocation import invocation
    from chaos.report.run_report import Figure

    lost, held = tally.outcomes[Outcome.LOST], tally.outcomes[Outcome.HELD]
    words = ("powerloss", "--disk", str(kind), "--without-fdatasync")
    report.figures.append(
        Figure(
            "without the journal's fdatasync, power losses that broke the promise",
            f"{tally.times - held} of {tally.times}, {lost} of them with "
            f"{tally.operations.lost:,} acknowledged commands lost",
            "some, with losses",
            lost > 0,
            invocation(*words, "--times", str(tally.times)),
        )
    )
