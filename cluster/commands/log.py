"""`quorumbook log`: one node's Raft journal, read offline or beside the running node."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cluster.console import data_option, failures_explained, json_option, say_json, say_table
from cluster.deployment import Deployment, open_deployment


@click.group("log", short_help="look into a node's journal offline")
def command() -> None:
    """Look into a node's Raft journal; the node may run meanwhile.

    Example: quorumbook log info 1
    """


@command.command("info")
@click.argument("number", type=int)
@data_option
@json_option
def info(number: int, *, data: Path, as_json: bool) -> None:
    """Show what the journal of node NUMBER holds: indexes, term, vote, sizes.

    Example: quorumbook log info 1 --json
    """
    with failures_explained():
        deployment = open_deployment(data)
        deployment.member(number)
        with damage_explained():
            facts = _read(deployment, number)
    if as_json:
        say_json({"node": number, **facts})
    else:
        say_table(f"journal of node {number}", ("what", "value"), list(facts.items()))


@command.command("verify")
@click.argument("number", type=int)
@data_option
@json_option
def verify_log(number: int, *, data: Path, as_json: bool) -> None:
    """Check every record of node NUMBER's journal and its snapshot for damage.

    Code 1 when there is any.

    Unlike `quorumbook verify` it replays nothing.

    Example: quorumbook log verify 2
    """
    from node.audit.directory import open_node

    with failures_explained():
        deployment = open_deployment(data)
        deployment.member(number)
    with damage_explained(), TemporaryDirectory() as scratch:
        found = open_node(deployment.folder(number), Path(scratch))
    entries, snapshot = found.journal.entries, found.meta.index if found.meta else 0
    if as_json:
        say_json({"node": number, "sound": True, "entries": entries, "snapshot_index": snapshot})
    else:
        click.echo(
            f"node {number}: {entries} entries and the snapshot at index {snapshot} are sound"
        )


@contextmanager
def damage_explained() -> Iterator[None]:
    """End with code 1 and one sentence when a node's files cannot be read."""
    from node.audit.verify import UNREADABLE

    try:
        yield
    except UNREADABLE as error:
        raise click.ClickException(str(error)) from error


def _read(deployment: Deployment, number: int) -> dict[str, object]:
    from node.audit.directory import read_journal

    summary, _ = read_journal(deployment.folder(number) / "journal")
    return dict(summary._asdict())
