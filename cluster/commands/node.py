"""`quorumbook node`: one node's process and its log."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import click

from cluster.console import data_option, failures_explained, json_option, say_json
from cluster.deployment import DeploymentError, open_deployment
from cluster.processes import await_stopped, signal_node, start_node

_FOLLOW_SECONDS = 0.2


@click.group("node", short_help="start, stop or kill one node; read its log")
def command() -> None:
    """Start, stop or kill one node of the cluster on this machine, or read its log.

    Example: quorumbook node kill 1 && quorumbook node start 1
    """


@command.command("start")
@click.argument("number", type=int)
@click.option(
    "--recover",
    is_flag=True,
    help="Rebuild damaged state from the peers; the node keeps its votes.",
)
@data_option
@json_option
def start(number: int, *, recover: bool, data: Path, as_json: bool) -> None:
    """Start node NUMBER, detached.

    Example: quorumbook node start 2 --recover
    """
    with failures_explained():
        deployment = open_deployment(data)
        deployment.member(number)
        process = start_node(deployment, number, recover=recover)
    if as_json:
        say_json({"node": number, "process": process})
    else:
        click.echo(f"node {number} runs as process {process}")


@command.command("stop")
@click.argument("number", type=int)
@data_option
@json_option
def stop(number: int, *, data: Path, as_json: bool) -> None:
    """Stop node NUMBER gracefully (SIGTERM) and wait until it has ended.

    Example: quorumbook node stop 2
    """
    _end(number, data, signal.SIGTERM, as_json=as_json)


@command.command("kill")
@click.argument("number", type=int)
@data_option
@json_option
def kill(number: int, *, data: Path, as_json: bool) -> None:
    """Kill node NUMBER (SIGKILL), as a crash would: nothing that was acknowledged may be lost.

    Example: quorumbook node kill 1
    """
    _end(number, data, signal.SIGKILL, as_json=as_json)


@command.command("logs")
@click.argument("number", type=int)
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="How many, from the end.",
)
@click.option("--follow", "-f", is_flag=True, help="Stay and show new lines until Ctrl-C.")
@data_option
@json_option
def logs(number: int, lines: int, *, follow: bool, data: Path, as_json: bool) -> None:
    """Show the end of node NUMBER's log: one JSON object a line, with or without --json.

    Example: quorumbook node logs 1 -n 100 | jq .event
    """
    del as_json  # The log is JSON already.
    with failures_explained():
        deployment = open_deployment(data)
        deployment.member(number)
        file = deployment.folder(number) / "log" / "node.jsonl"
        if not file.exists():
            raise DeploymentError(f"node {number} has not written a log yet")
    content = file.read_text(errors="replace").splitlines()
    for line in content[-lines:]:
        click.echo(line)
    if follow:
        for line in _followed(file):
            click.echo(line, nl=False)


def _end(number: int, data: Path, number_of_signal: signal.Signals, *, as_json: bool) -> None:
    with failures_explained():
        deployment = open_deployment(data)
        process = signal_node(deployment, number, number_of_signal)
        if await_stopped(deployment, [number]):
            raise DeploymentError(
                f"node {number} (process {process}) has not ended after {number_of_signal.name}"
            )
    if as_json:
        say_json({"node": number, "process": process, "signal": number_of_signal.name})
    else:
        click.echo(f"node {number} (process {process}) has ended")


def _followed(file: Path) -> Iterator[str]:
    with file.open(errors="replace") as opened:
        opened.seek(0, 2)
        while True:
            line = opened.readline()
            if line:
                yield line
            else:
                time.sleep(_FOLLOW_SECONDS)
