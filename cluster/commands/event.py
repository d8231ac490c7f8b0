"""`quorumbook event`: groups of markets."""

from pathlib import Path

import click

from client import Client
from client.records import EventRecord, MarketRecord
from cluster.clients import NAME, NUMBER, read, trade
from cluster.commands.market import COLUMNS, as_dict, row
from cluster.console import data_option, json_option, say_json, say_table
from cluster.deployment import DeploymentError


@click.group("event", short_help="create and show events, groups of markets")
def command() -> None:
    """Create and show events.

    Example: quorumbook event create "Who wins the race?" --exclusive
    """


@command.command("create")
@click.argument("name", type=NAME)
@click.option(
    "--exclusive/--independent",
    default=True,
    show_default=True,
    help="Whether exactly one market wins.",
)
@data_option
@json_option
def create(name: str, *, exclusive: bool, data: Path, as_json: bool) -> None:
    """Create an event called NAME.

    Example: quorumbook event create "Who wins the race?" --exclusive
    """
    number = trade(data, lambda client: client.admin.create_event(name, exclusive=exclusive)).result
    if as_json:
        say_json({"event": number, "name": name, "exclusive": exclusive})
    else:
        click.echo(f"event {number}: {name}")


@command.command("show")
@click.argument("event", type=NUMBER)
@data_option
@json_option
def show(event: int, *, data: Path, as_json: bool) -> None:
    """Show EVENT and its markets.

    Example: quorumbook event show 1
    """

    async def work(client: Client) -> tuple[EventRecord, list[MarketRecord]]:
        found = await client.queries.event(event)
        if found is None:
            raise DeploymentError(f"there is no event {event}")
        return found, await client.queries.markets(event)

    found, markets = read(data, work)
    if as_json:
        say_json({**_as_dict(found), "markets": [as_dict(one) for one in markets]})
    else:
        say_table(f"event {found.number}: {found.name}", COLUMNS, [row(one) for one in markets])


@command.command("list")
@data_option
@json_option
def list_events(*, data: Path, as_json: bool) -> None:
    """List all events.

    Example: quorumbook event list --json
    """
    found = read(data, lambda client: client.queries.events())
    if as_json:
        say_json([_as_dict(one) for one in found])
    else:
        rows = [
            (one.number, one.name, "yes" if one.exclusive else "no", one.markets, one.settled)
            for one in found
        ]
        say_table("", ("event", "name", "exclusive", "markets", "settled"), rows)


def _as_dict(event: EventRecord) -> dict[str, object]:
    return {
        "event": event.number,
        "name": event.name,
        "exclusive": bool(event.exclusive),
        "market_count": event.markets,
        "settled": event.settled,
    }
