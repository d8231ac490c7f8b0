"""`quorumbook up`.

Make a cluster when there is none, start its nodes, and stay to say when one ends.
"""

import time
from pathlib import Path

import click
from click.core import ParameterSource

from cluster.console import data_option, failures_explained, json_option, say_json
from cluster.deployment import (
    DEFAULT_BASE_PORT,
    Deployment,
    Plan,
    create_deployment,
    open_deployment,
)
from cluster.processes import Watch, await_leader, end_on_sigterm, start_node, stop_all, stop_nodes
from cluster.status import NodeStatus
from config import profile_names

_LOOK_EVERY_SECONDS = 0.25


@click.command("up", short_help="start a cluster on this machine")
@click.option(
    "--nodes",
    type=click.Choice(["3", "5"]),
    default="3",
    show_default=True,
    help="How many, when new.",
)
@click.option(
    "--base-port",
    type=int,
    default=DEFAULT_BASE_PORT,
    show_default=True,
    help="When new: node N uses base + 10 N (clients), + 1 (peers) and + 2 (HTTP).",
)
@click.option(
    "--profile",
    type=click.Choice(profile_names()),
    default="default",
    show_default=True,
    help="When new.",
)
@click.option(
    "--detach", is_flag=True, help="Return once a leader takes commands; `quorumbook down` ends it."
)
@data_option
@json_option
def command(
    nodes: str, base_port: int, profile: str, *, detach: bool, data: Path, as_json: bool
) -> None:
    """Start every node of the cluster in --data on this machine.

    Make the cluster first when there is none.

    Without --detach it stays, says when a node ends (starting it again is yours: `quorumbook node
    start N`), and stops the cluster on Ctrl-C.

    Example: quorumbook up --nodes 3 --data /tmp/book --detach
    """
    with failures_explained():
        deployment = _made_or_found(data, Plan(int(nodes), base_port, profile))
        started = [
            member.number
            for member in deployment.members
            if deployment.running(member.number) is None
        ]
        leader = _start(deployment, started)
    _say_up(deployment, leader, started, as_json=as_json)
    if not detach:
        _stay(deployment)


def _start(deployment: Deployment, numbers: list[int]) -> NodeStatus:
    """Start nodes and return who leads; on any failure or signal, stop those it started."""
    end_on_sigterm()
    try:
        for number in numbers:
            start_node(deployment, number)
        return await_leader(deployment, needed=numbers)
    except BaseException:
        stop_nodes(deployment, numbers)
        raise


def _say_ignored(deployment: Deployment) -> None:
    """Warn of options that count only for a new cluster, when this one was there already."""
    context = click.get_current_context()
    given = [
        f"--{name.replace('_', '-')}"
        for name in ("nodes", "base_port", "profile")
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        click.echo(
            f"the cluster in {deployment.root} exists, with {len(deployment.members)} nodes: "
            f"{', '.join(given)} ignored",
            err=True,
        )


def _made_or_found(data: Path, plan: Plan) -> Deployment:
    if data.exists() and any(data.glob("node-*/node.toml")):
        deployment = open_deployment(data)
        _say_ignored(deployment)
        return deployment
    return create_deployment(data, plan)


def _say_up(
    deployment: Deployment, leader: NodeStatus, started: list[int], *, as_json: bool
) -> None:
    if as_json:
        nodes = [
            {
                "node": member.number,
                "process": deployment.running(member.number),
                "client": str(member.client),
                "http": str(member.http),
            }
            for member in deployment.members
        ]
        say_json(
            {
                "data": str(deployment.root),
                "leader": leader.node,
                "started": started,
                "nodes": nodes,
            }
        )
        return
    for member in deployment.members:
        click.echo(
            f"node {member.number}: process {deployment.running(member.number)}, "
            f"clients {member.client}, status http://{member.http}/status"
        )
    click.echo(
        f"node {leader.node} leads in term {leader.term}; core {leader.build.form}; "
        f"data in {deployment.root}"
    )


def _stay(deployment: Deployment) -> None:
    """Say what happens to the nodes until Ctrl-C, or until the last one has been stopped."""
    watch = Watch(deployment, click.echo)
    try:
        while watch.look():
            time.sleep(_LOOK_EVERY_SECONDS)
    except KeyboardInterrupt:
        click.echo("stopping")
    finally:
        stop_all(deployment)
