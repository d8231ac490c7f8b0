"""`quorumbook log`: one node's Raft journal, read offline or beside the running node."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cluster.console import (
    FAILED,
    data_option,
    failures_explained,
    json_option,
    say_json,
    say_table,
)
from cluster.deployment import open_deployment


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
    from node.audit.log import log_info

    with failures_explained():
        deployment = open_deployment(data)
        deployment.member(number)
        with damage_explained():
            facts = log_info(deployment.folder(number))
    if as_json:
        say_json({"node": number, **facts})
    else:
        say_table(f"journal of node {number}", ("what", "value"), list(facts.items()))


@command.command("verify")
@click.argument("number", type=int)
@data_option
@json_option
def verify_log(number: int, *, data: Path, as_json: bool) -> None:
    """Check every record of node NUMBER's journal, and its snapshot for damage.

    Indexes without a gap, terms and stamps that never go back, groups that hold what their headers
    count. Code 1 when anything is wrong. Unlike `quorumbook verify` it replays nothing.

    Example: quorumbook log verify 2
    """
    from node.audit.directory import open_node
    from node.audit.log import entry_findings

    with failures_explained():
        deployment = open_deployment(data)
        deployment.member(number)
    with damage_explained(), TemporaryDirectory() as scratch:
        found = open_node(deployment.folder(number), Path(scratch))
    entries, snapshot = found.journal.entries, found.snapshot_index
    findings = entry_findings(found.entries)
    if as_json:
        facts = {"entries": entries, "snapshot_index": snapshot, "findings": findings}
        say_json({"node": number, "sound": not findings, **facts})
    elif not findings:
        click.echo(
            f"node {number}: {entries} entries and the snapshot at index {snapshot} are sound"
        )
    else:
        for finding in findings:
            click.echo(f"finding: {finding}")
    if findings:
        sys.exit(FAILED)


@command.command("dump")
@click.argument("number", type=int)
@click.option("--first", type=click.IntRange(min=0), default=0, help="Index to begin at.")
@click.option("--last", type=click.IntRange(min=0), help="Index to end with.")
@data_option
@json_option
def dump(number: int, first: int, last: int | None, *, data: Path, as_json: bool) -> None:
    """Print the entries of node NUMBER's journal, commands included, as one JSON object a line.

    Example: quorumbook log dump 1 --first 100 --last 110 | jq .group.commands
    """
    from node.audit.log import log_dump

    del as_json  # It is JSON already.
    with failures_explained():
        deployment = open_deployment(data)
        deployment.member(number)
    with damage_explained():
        for entry in log_dump(deployment.folder(number), first, last):
            say_json(entry)


@contextmanager
def damage_explained() -> Iterator[None]:
    """End with code 1 and one sentence when a node's files cannot be read."""
    from node.audit.verify import UNREADABLE

    try:
        yield
    except UNREADABLE as error:
        raise click.ClickException(str(error)) from error
