"""`quorumbook keys`: Ed25519 keys as files that only their owner may read."""

from pathlib import Path

import click
from nacl.signing import SigningKey

from cluster.clients import OPERATOR, is_key_name, trade
from cluster.console import data_option, failures_explained, json_option, say_json, say_table
from cluster.deployment import DeploymentError, open_deployment, read_key, write_key
from node.domain.terms import Role

_ROLES = {role.name.lower(): role for role in Role if role is not Role.TRADER}
"""What a key can be besides a trader's, which comes with its account."""


@click.group("keys", short_help="make and show keys, give and take their roles")
def command() -> None:
    """Make and show the keys with which clients log in, and say what they may do.

    Example: quorumbook keys init alice
    """


@command.command("init")
@click.argument("name")
@data_option
@json_option
def init(name: str, *, data: Path, as_json: bool) -> None:
    """Make a key called NAME in the cluster's folder and print its public half.

    Example: quorumbook keys init alice
    """
    with failures_explained():
        if not is_key_name(name):
            raise DeploymentError(f"{name!r} is not a name of letters, digits, '-' and '_'")
        if name == OPERATOR:
            raise DeploymentError("the operator has a key already; choose another name")
        deployment = open_deployment(data)
        file = deployment.key_file(name)
        key = SigningKey.generate()
        try:
            write_key(file, key)
        except FileExistsError:
            raise DeploymentError(f"there is a key {file} already; it was left alone") from None
    public = bytes(key.verify_key).hex()
    if as_json:
        say_json({"name": name, "file": str(file), "public_key": public})
    else:
        click.echo(f"{file}: public key {public}")


@command.command("show")
@data_option
@json_option
def show(*, data: Path, as_json: bool) -> None:
    """List the keys in the cluster's folder by their public halves; never prints a secret.

    Example: quorumbook keys show --json
    """
    with failures_explained():
        deployment = open_deployment(data)
        files = [
            deployment.root / "operator.key",
            *sorted((deployment.root / "keys").glob("*.key")),
        ]
        keys = [(file.stem, bytes(read_key(file).verify_key).hex(), str(file)) for file in files]
    if as_json:
        say_json(
            [{"name": name, "public_key": public, "file": file} for name, public, file in keys]
        )
    else:
        say_table("", ("name", "public key", "file"), keys)


@command.command("grant")
@click.argument("name")
@click.argument("role", type=click.Choice(sorted(_ROLES)))
@data_option
@json_option
def grant(name: str, role: str, *, data: Path, as_json: bool) -> None:
    """Let the key called NAME act as ROLE.

    Example: quorumbook keys grant oracle resolver
    """
    public = _public_key(data, name)
    index = trade(data, lambda client: client.admin.grant_key(_ROLES[role], public)).log_index
    if as_json:
        say_json({"name": name, "role": role, "log_index": index})
    else:
        click.echo(f"{name} is a {role} as of index {index}")


@command.command("revoke")
@click.argument("name")
@data_option
@json_option
def revoke(name: str, *, data: Path, as_json: bool) -> None:
    """Let the key called NAME do nothing any more; its file and its resting orders stay.

    Example: quorumbook keys revoke oracle
    """
    public = _public_key(data, name)
    index = trade(data, lambda client: client.admin.revoke_key(public)).log_index
    if as_json:
        say_json({"name": name, "revoked": True, "log_index": index})
    else:
        click.echo(f"{name} is revoked as of index {index}")


def _public_key(data: Path, name: str) -> bytes:
    with failures_explained():
        file = open_deployment(data).key_file(name)
        if name == OPERATOR or not file.exists():
            raise DeploymentError(f"there is no key {name!r}; `quorumbook keys init` makes one")
        return bytes(read_key(file).verify_key)
