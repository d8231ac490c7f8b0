"""`quorumbook status`: what each node says about itself, side by side."""

import sys
from pathlib import Path

import click
import msgspec

from cluster.console import (
    FAILED,
    data_option,
    failures_explained,
    json_option,
    say_json,
    say_table,
)
from cluster.deployment import Deployment, open_deployment
from cluster.status import NodeStatus, poll_status, stranger_at

_DIGITS = 12


@click.command("status", short_help="show what each node says about itself")
@data_option
@json_option
def command(*, data: Path, as_json: bool) -> None:
    """Show each node's role, log position and digests.

    Code 1 unless one of them leads and takes commands. A node of another cluster that answers at
    one of the addresses is named and not counted.

    Example: quorumbook status --json | jq .leader
    """
    with failures_explained():
        deployment = open_deployment(data)
        statuses = poll_status(deployment)
    leader = next(
        (s.node for s in statuses.values() if s is not None and s.role == "leader" and s.ready), 0
    )
    if as_json:
        say_json(
            {
                "leader": leader,
                "nodes": [_as_json(deployment, *one) for one in statuses.items()],
            }
        )
    else:
        _say(deployment, statuses)
    if not leader:
        sys.exit(FAILED)


def _as_json(deployment: Deployment, number: int, status: NodeStatus | None) -> dict[str, object]:
    if status is None:
        stranger = stranger_at(deployment, deployment.member(number))
        return {"node": number, "answers": False, **({"stranger": stranger} if stranger else {})}
    return {"answers": True, **msgspec.to_builtins(status)}


def _say(deployment: Deployment, statuses: dict[int, NodeStatus | None]) -> None:
    columns = (
        "node",
        "process",
        "role",
        "term",
        "applied",
        "commit",
        "last",
        "chain digest",
        "checkpoint",
        "ledger digest",
        "accounts",
        "markets",
        "orders",
        "commands",
        "core",
    )
    say_table(
        str(deployment.root),
        columns,
        [_row(deployment, number, status) for number, status in statuses.items()],
    )


def _row(deployment: Deployment, number: int, status: NodeStatus | None) -> list[object]:
    process = deployment.running(number) or "-"
    if status is None:
        stranger = stranger_at(deployment, deployment.member(number))
        return [number, process, stranger or "does not answer", *["-"] * 12]
    venue, checkpoint = status.venue, status.checkpoint
    return [
        number,
        process,
        status.words,
        status.term,
        status.applied_index,
        status.commit_index,
        status.last_index,
        status.chain_digest[:_DIGITS],
        checkpoint.index,
        checkpoint.ledger_digest[:_DIGITS] or "-",
        venue.accounts,
        venue.markets,
        venue.open_orders,
        venue.commands_applied,
        status.build.form,
    ]
