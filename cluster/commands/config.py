"""`quorumbook config`: whether a node's file can be used, and what it comes to."""

from pathlib import Path

import click
import msgspec

from cluster.console import failures_explained, json_option, say_json, say_table
from cluster.deployment import genesis_limits
from config import load_node, load_profile, profile_names
from node.domain.limits import Limit


@click.group("config", short_help="check a node's configuration")
def command() -> None:
    """Check configuration.

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
