"""`quorumbook snapshot`: ask for a checkpoint, and see what each node holds."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import uvloop

from client import ClientError
from cluster.commands.log import damage_explained
from cluster.console import data_option, failures_explained, json_option, say_json, say_table
from cluster.deployment import Deployment, open_deployment
from cluster.flow_stage import StageError, execute
from cluster.replaying import operator_session


@click.group("snapshot", short_help="take and list snapshots")
def command() -> None:
    """Take and list the nodes' snapshots of the venue.

    Example: quorumbook snapshot create && quorumbook snapshot list
    """


@command.command("create")
@data_option
@json_option
def create(*, data: Path, as_json: bool) -> None:
    """Ask for a checkpoint: each node writes its snapshot at that one index, beside its work.

    A node that is still writing an earlier one begins when that is done, at a later index;
    `snapshot list` shows what is durable.

    Example: quorumbook snapshot create
    """
    with failures_explained(StageError, ClientError):
        index = uvloop.run(_checkpoint(open_deployment(data)))
    if as_json:
        say_json({"index": index})
    else:
        click.echo(
            f"a checkpoint at index {index} is asked for; `quorumbook snapshot list` shows it"
        )


@command.command("list")
@data_option
@json_option
def list_snapshots(*, data: Path, as_json: bool) -> None:
    """Show each node's durable snapshot, probed for damage; nodes may run meanwhile.

    Example: quorumbook snapshot list --json
    """
    from node.audit.directory import open_node

    rows = []
    with failures_explained():
        deployment = open_deployment(data)
    with damage_explained():
        for member in deployment.members:
            with TemporaryDirectory() as scratch:
                probe = open_node(deployment.folder(member.number), Path(scratch)).probe
            facts = asdict(probe) if probe is not None and probe.index else {"index": 0}
            rows.append({"node": member.number, **facts})
    if as_json:
        say_json(rows)
    else:
        columns = ("node", "index", "page_count", "size_bytes", "state_digest", "ledger_digest")
        say_table(
            "", columns, [[str(row.get(column, "-"))[:16] for column in columns] for row in rows]
        )


async def _checkpoint(deployment: Deployment) -> int:
    async with operator_session(deployment) as operator:
        return (await execute(operator, lambda out: out.checkpoint()))[0]
