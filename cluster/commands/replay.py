"""`quorumbook replay`: send recorded order flow to a running cluster."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import click
import uvloop

from client import ClientError
from cluster.bulk_session import WINDOW
from cluster.commands.log import damage_explained
from cluster.console import (
    FAILED,
    data_option,
    failures_explained,
    json_option,
    say_json,
    say_table,
)
from cluster.deployment import Deployment, DeploymentError, open_deployment
from cluster.flow import Flow, FlowError, read_flow
from cluster.flow_rejections import Rejection, explain_rejections, orders_in_question
from cluster.flow_stage import StageError
from cluster.processes import await_leader
from cluster.replaying import CONNECTIONS_MAX, Pace, ReplayResult, replay_flow


@click.command("replay", short_help="send recorded order flow to the cluster")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--connections",
    type=click.IntRange(1, CONNECTIONS_MAX),
    default=1,
    show_default=True,
    help="Sessions; several share the participants, and only each one's order is kept.",
)
@click.option(
    "--window",
    type=click.IntRange(16, WINDOW),
    default=WINDOW,
    show_default=True,
    help="Most commands unanswered in a session.",
)
@click.option(
    "--rate",
    type=click.IntRange(min=0),
    default=0,
    help="Commands a second; 0, the default, is as fast as it goes.",
)
@click.option(
    "--save-replies",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep every reply as received, for `verify --acknowledgements`.",
)
@data_option
@json_option
def command(
    file: Path,
    connections: int,
    window: int,
    rate: int,
    save_replies: Path | None,
    *,
    data: Path,
    as_json: bool,
) -> None:
    """Replay FILE (CSV, plain or gzip): make its event, markets and accounts, then send every row.

    One broker session sends all rows in the file's order, so that two fresh clusters end with equal
    ledgers. Rejections are counted and explained by what the log did to their orders; code 1 when
    there is one that neither flow nor log explains, or when the log no longer reaches back to it.

    Example: quorumbook replay race.csv.gz --save-replies replies.bin && quorumbook verify
    --acknowledgements replies.bin
    """
    with failures_explained(FlowError, StageError, ClientError), ExitStack() as stack:
        flow = read_flow(file)
        deployment = open_deployment(data)
        # Opened before anything is sent: the replies cannot be had twice.
        kept = stack.enter_context(_opened(save_replies)) if save_replies is not None else None
        result = uvloop.run(replay_flow(deployment, flow, Pace(connections, rate, window)))
        if kept is not None:
            kept.write(b"".join(result.replies))
            kept.flush()
        rejections = _explained(deployment, result)
    if as_json:
        say_json(as_dict(flow, result, rejections))
    else:
        _say(flow, result, rejections)
    if not all(one.why for one in rejections):
        sys.exit(FAILED)


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("wb")
    except OSError as error:
        raise DeploymentError(f"{file} cannot be written: {error.strerror}") from error


def _explained(deployment: Deployment, result: ReplayResult) -> list[Rejection]:
    """Explain the rejections by the leader's log, replayed offline beside it."""
    from node.audit.executions import Executions
    from node.audit.verify import replay_log

    accounts = result.stage.accounts
    executions = Executions(orders_in_question(result.sent, accounts))
    if executions:
        leader = await_leader(deployment).node
        with damage_explained():
            replay_log(deployment.folder(leader), executions.observe)
    return explain_rejections(result.sent, accounts, executions)


def as_dict(flow: Flow, result: ReplayResult, rejections: Sequence[Rejection]) -> dict[str, object]:
    """Return a replay's result as JSON types."""
    return {
        "flow": flow.name,
        "event": result.stage.event,
        "markets": list(result.stage.markets),
        "commands": result.commands,
        "seconds": round(result.seconds, 4),
        "per_second": result.per_second,
        "latency_ns": result.latency._asdict(),
        "reconnections": result.reconnections,
        "codes": dict(result.codes),
        "rejections": [one._asdict() for one in rejections],
        "unexplained": [one.code for one in rejections if not one.why],
    }


def _say(flow: Flow, result: ReplayResult, rejections: Sequence[Rejection]) -> None:
    latency = result.latency
    click.echo(
        f"{flow.name}: event {result.stage.event} with {len(result.stage.markets)} markets; "
        f"{result.commands} commands in {result.seconds:.2f} s, {result.per_second} a second; "
        f"acknowledged after p50 {latency.p50_ns / 1e6:.2f} ms, p99 {latency.p99_ns / 1e6:.2f} ms, "
        f"at most {latency.most_ns / 1e6:.2f} ms"
    )
    rows = [(one.code, one.commands, one.why or "NOT EXPLAINED") for one in rejections]
    say_table("rejections" if rows else "no rejections", ("code", "commands", "why"), rows)
