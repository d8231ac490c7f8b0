"""`quorumbook down`: stop every node."""

from pathlib import Path

import click

from cluster.console import data_option, failures_explained, json_option, say_json
from cluster.deployment import open_deployment
from cluster.processes import stop_all


@click.command("down", short_help="stop every node of the cluster")
@data_option
@json_option
def command(*, data: Path, as_json: bool) -> None:
    """Stop every node of the cluster that runs on this machine; their data stays.

    Example: quorumbook down --data /tmp/book
    """
    with failures_explained():
        stopped = stop_all(open_deployment(data))
    if as_json:
        say_json({"stopped": stopped})
    elif stopped:
        click.echo(f"stopped nodes {', '.join(map(str, stopped))}")
    else:
        click.echo("no node was running")
