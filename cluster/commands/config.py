"""`quorumbook config`: whether a node's file can be used; and the limits of the venue."""

from pathlib import Path

import click
import msgspec

from cluster.clients import trade
from cluster.console import (
    data_option,
    failures_explained,
    json_option,
    say_json,
    say_table,
)
from cluster.deployment import genesis_limits
from config import load_node, load_profile, profile_names
from node.domain.limits import Limit


@click.group("config", short_help="check a node's configuration, set limits of the venue")
def command() -> None:
    """Check a node's configuration, and set limits of the venue, which are in its log.

    Example: quorumbook config check .quorumbook/node-1/node.toml
    """


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--profile",
    type=click.Choice(profile_names()),
    help="Check a shipped profile instead of a file.",
)
@json_option
def check(file: Path | None, profile: str | None, *, as_json: bool) -> None:
    """Check a node's FILE, or a profile, and print every setting it comes to.

    Code 1 names what is wrong and where.

    Example: quorumbook config check --profile production
    """
    if (file is None) == (profile is None):
        raise click.UsageError("give either a FILE or --profile")
    with failures_explained():
        if file is not None:
            settings = msgspec.to_builtins(load_node(file))
        else:
            assert profile is not None
            settings = msgspec.to_builtins(load_profile(profile))
            settings["genesis"] = {
                limit.name.lower(): value
                for limit, value in zip(Limit, genesis_limits(profile), strict=True)
            }
    if as_json:
        say_json(settings)
    else:
        say_table(
            str(file or f"profile {profile}"), ("setting", "value"), sorted(_flat("", settings))
        )


@command.command("limit")
@click.argument("name", type=click.Choice([limit.name.lower() for limit in Limit]))
@click.argument("value", type=click.IntRange(0, (1 << 63) - 1))
@data_option
@json_option
def set_limit(name: str, value: int, *, data: Path, as_json: bool) -> None:
    """Set the limit NAME of the venue to VALUE, on all nodes at the same place of the log.

    Example: quorumbook config limit resolver_quorum 2
    """
    limit = Limit[name.upper()]
    index = trade(data, lambda client: client.admin.configure(limit, value)).log_index
    if as_json:
        say_json({"limit": name, "value": value, "log_index": index})
    else:
        click.echo(f"{name} is {value} as of index {index}")


def _flat(path: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            row
            for key, inner in value.items()
            for row in _flat(f"{path}.{key}" if path else key, inner)
        ]
    if isinstance(value, list):
        return [
            row for number, inner in enumerate(value) for row in _flat(f"{path}[{number}]", inner)
        ]
    return [(path, str(value))]
