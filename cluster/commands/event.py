"""`quorumbook event`: groups of markets."""

from pathlib import Path

import click

from client import Client
from client.records import EventRecord, MarketRecord
from cluster.clients import NAME, NUMBER, read, trade
from cluster.console import data_option, json_option, say_json, say_table
from cluster.deployment import DeploymentError
from cluster.market_table import COLUMNS, as_dict, row
from node.domain.terms import EventKind


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
@click.option(
    "--augmented",
    is_flag=True,
    help="Exclusive; the first market is Other, and those behind may be named later.",
)
@data_option
@json_option
def create(name: str, *, exclusive: bool, augmented: bool, data: Path, as_json: bool) -> None:
    """Create an event called NAME.

    Example: quorumbook event create "Who wins the race?" --exclusive
    """
    kind = {"exclusive": exclusive or augmented, "augmented": augmented}
    number = trade(data, lambda client: client.admin.create_event(name, **kind)).result
    if as_json:
        say_json({"event": number, "name": name, **kind})
    else:
        click.echo(f"event {number}: {name}")


@command.command("resolve")
@click.argument("event", type=NUMBER)
@click.argument("winner", type=NUMBER)
@data_option
@json_option
def resolve(event: int, winner: int, *, data: Path, as_json: bool) -> None:
    """Settle the exclusive EVENT: its market WINNER at 1, all others at 0.

    Example: quorumbook event resolve 1 3
    """
    index = trade(data, lambda client: client.admin.resolve_event(event, winner)).log_index
    if as_json:
        say_json({"event": event, "winner": winner, "log_index": index})
    else:
        click.echo(f"event {event} is resolved as of index {index}: market {winner} has won")


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
        "augmented": event.exclusive == EventKind.AUGMENTED,
        "collateral_micro_usdc": event.collateral,
        "market_count": event.markets,
        "settled": event.settled,
    }
