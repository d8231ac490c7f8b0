"""`quorumbook group`: orders that together fill so many shares within fifteen seconds."""

from pathlib import Path

import click

from client import Client
from client.records import OrderGroupRecord
from cluster.clients import NUMBER, SHARES, owner_of, read, trade
from cluster.console import data_option, json_option, say_json, say_table, shares
from node.domain.terms import OrderGroupState


@click.group("group", short_help="limit what groups of orders fill in fifteen seconds")
def command() -> None:
    """Limit what orders of ACCOUNT fill together within fifteen seconds.

    An order joins a group as it is placed: `quorumbook order place ... --group 1`. When the group
    has filled its limit, all its orders are cancelled, and it takes none until it is reset.

    Example: quorumbook group limit alice 1 100
    """


@command.command("limit")
@click.argument("account")
@click.argument("number", type=NUMBER)
@click.argument("size", type=SHARES)
@data_option
@json_option
def limit(account: str, number: int, size: int, *, data: Path, as_json: bool) -> None:
    """Let group NUMBER of ACCOUNT fill SIZE shares; make the group if there is none.

    Example: quorumbook group limit alice 1 100
    """
    owner = owner_of(account)
    trade(data, lambda client: client.groups.limit(number, size, account=owner.account), owner.key)
    if as_json:
        say_json({"group": number, "limit_lots": size})
    else:
        click.echo(f"group {number}: at most {shares(size)} shares in 15 s")


@command.command("reset")
@click.argument("account")
@click.argument("number", type=NUMBER)
@data_option
@json_option
def reset(account: str, number: int, *, data: Path, as_json: bool) -> None:
    """Forget what group NUMBER of ACCOUNT has filled, and let it take orders again.

    Example: quorumbook group reset alice 1
    """
    owner = owner_of(account)
    trade(data, lambda client: client.groups.reset(number, account=owner.account), owner.key)
    _say(number, "reset", as_json=as_json)


@command.command("trigger")
@click.argument("account")
@click.argument("number", type=NUMBER)
@data_option
@json_option
def trigger(account: str, number: int, *, data: Path, as_json: bool) -> None:
    """Cancel the orders of group NUMBER of ACCOUNT, and take none until it is reset.

    Example: quorumbook group trigger alice 1
    """
    owner = owner_of(account)
    trade(data, lambda client: client.groups.trigger(number, account=owner.account), owner.key)
    _say(number, "triggered", as_json=as_json)


@command.command("delete")
@click.argument("account")
@click.argument("number", type=NUMBER)
@data_option
@json_option
def delete(account: str, number: int, *, data: Path, as_json: bool) -> None:
    """Cancel the orders of group NUMBER of ACCOUNT and forget the group.

    Example: quorumbook group delete alice 1
    """
    owner = owner_of(account)
    trade(data, lambda client: client.groups.delete(number, account=owner.account), owner.key)
    _say(number, "deleted", as_json=as_json)


@command.command("list")
@click.argument("account")
@data_option
@json_option
def list_groups(account: str, *, data: Path, as_json: bool) -> None:
    """List the groups of ACCOUNT with what they have filled.

    Example: quorumbook group list alice --json
    """
    owner = owner_of(account)

    async def work(client: Client) -> tuple[list[OrderGroupRecord], int]:
        found = await client.queries.order_groups(owner.number)
        return found, (await client.queries.status(linearizable=True)).stamp_ns

    found, now_ns = read(data, work, owner.key)
    rows = [
        (one.number, OrderGroupState(one.state).name.lower(), one.filled(now_ns), one.limit)
        for one in found
    ]
    if as_json:
        names = ("group", "state", "filled_lots", "limit_lots")
        say_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    columns = ("group", "state", "filled", "of")
    say_table("", columns, [(*row[:2], shares(row[2]), shares(row[3])) for row in rows])


def _say(number: int, what: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"group": number, "done": what})
    else:
        click.echo(f"group {number}: {what}")
