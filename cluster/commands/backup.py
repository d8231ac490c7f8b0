"""`quorumbook backup`: one stopped node's data in a directory of its own, with a manifest."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cluster.commands.log import damage_explained
from cluster.console import data_option, failures_explained, json_option, say_json
from cluster.deployment import open_deployment

if TYPE_CHECKING:
    from node.audit.archive import BackupManifest

_DIRECTORY = click.Path(file_okay=False, path_type=Path)
_BACKUP = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group("backup", short_help="back a stopped node up, verify and restore backups")
def command() -> None:
    """Back a stopped node up; verify and restore backups. `quorumbook verify` replays them too.

    Example: quorumbook node stop 3 && quorumbook backup create 3 /backups/today
    """


@command.command("create")
@click.argument("number", type=int)
@click.argument("destination", type=_DIRECTORY)
@data_option
@json_option
def create(number: int, destination: Path, *, data: Path, as_json: bool) -> None:
    """Write a backup of the stopped node NUMBER to the new directory DESTINATION.

    It holds genesis, snapshot and journal, and no key and no configuration.

    Example: quorumbook backup create 3 /backups/today
    """
    from node.audit.archive import back_up

    with failures_explained():
        deployment = open_deployment(data)
        deployment.member(number)
    with damage_explained():
        _say("backed up", destination, back_up(deployment.folder(number), destination), as_json)


@command.command("verify")
@click.argument("backup", type=_BACKUP)
@json_option
def verify(backup: Path, *, as_json: bool) -> None:
    """Check that every byte of BACKUP is as it was written; code 1 names what differs.

    Example: quorumbook backup verify /backups/today
    """
    from node.audit.archive import verify_backup

    with damage_explained():
        _say("is sound", backup, verify_backup(backup), as_json)


@command.command("restore")
@click.argument("backup", type=_BACKUP)
@click.argument("target", type=_DIRECTORY)
@json_option
def restore(backup: Path, target: Path, *, as_json: bool) -> None:
    """Verify BACKUP and make the data directory TARGET from it, which must be empty or missing.

    It brings the node's votes along: let it take the place only of the node that it was made from,
    and only once that node's own data can never run again. `node.toml` and `cluster.key` are yours
    to put beside it.

    Example: quorumbook backup restore /backups/today .quorumbook/node-3
    """
    from node.audit.archive import restore_backup

    with damage_explained():
        _say("restored", target, restore_backup(backup, target), as_json)


def _say(done: str, where: Path, manifest: "BackupManifest", as_json: bool) -> None:  # noqa: FBT001 - printed, not decided upon
    if as_json:
        facts = {"size_bytes": manifest.size_bytes, "snapshot_index": manifest.snapshot_index}
        say_json({"directory": str(where), "files": len(manifest.files), **facts})
    else:
        click.echo(
            f"{where} {done}: {len(manifest.files)} files, {manifest.size_bytes:,} bytes, "
            f"snapshot at index {manifest.snapshot_index}"
        )
