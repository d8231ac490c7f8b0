"""`quorumbook bench`: what a cluster of three does on this machine."""

from pathlib import Path
from typing import Any

import click

from client import ClientError
from cluster.benchmark import machine, measure_cluster
from cluster.console import failures_explained, json_option, say_json, say_table
from cluster.flow import FlowError, read_flow
from cluster.flow_generator import generate_flow
from cluster.flow_stage import StageError
from node._pure import build_form

COLUMNS = ("what", "core", "commands", "median a second", "all runs", "p50 ms", "p99 ms", "most ms")


@click.command("bench", short_help="measure throughput and latency")
@click.option(
    "--flow",
    "file",
    type=click.Path(path_type=Path),
    help="A recording; without one, a generated flow.",
)
@click.option(
    "--rows",
    type=click.IntRange(min=1_000),
    default=300_000,
    show_default=True,
    help="Of the generated flow.",
)
@click.option(
    "--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Of each load."
)
@json_option
def command(file: Path | None, rows: int, runs: int, *, as_json: bool) -> None:
    """Measure a durable cluster of three, in a folder of its own.

    The load generator runs beside it, and every node syncs to disk.

    Loads: pipelined through one connection and through many, and an open loop at 5,000 commands a
    second, in which latency counts from when a command was due. The engine alone is measured by
    `make bench`.

    Example: quorumbook bench --runs 5 --json
    """
    with failures_explained(FlowError, StageError, ClientError):
        flow = read_flow(file) if file is not None else generate_flow(rows)
        measured = measure_cluster(flow, runs, lambda text: None if as_json else click.echo(text))
    figures = [one.as_dict() for one in measured]
    if as_json:
        say_json(
            {"machine": machine(), "core": build_form(), "flow": flow.name, "cluster": figures}
        )
        return
    say_table(describe(machine()), COLUMNS, [row(build_form(), one) for one in figures])


def describe(facts: dict[str, Any]) -> str:
    """Return a machine as one line."""
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, "
        f"{facts['system']}, Python {facts['python']}"
    )


def row(form: str, figures: dict[str, Any]) -> tuple[object, ...]:
    """Return a load's figures as a row under COLUMNS."""
    return (
        f"cluster of three, {figures['load']}",
        form,
        f"{figures['commands']:,}",
        f"{figures['median_per_second']:,}",
        ", ".join(f"{speed:,}" for speed in figures["per_second"]),
        *(
            f"{figures[name] / 1e6:.2f}"
            for name in ("median_p50_ns", "median_p99_ns", "median_most_ns")
        ),
    )
