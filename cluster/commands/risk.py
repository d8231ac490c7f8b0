"""`quorumbook risk`: kill switches, bounds of accounts and markets, and agents."""

from pathlib import Path

import click

from client import Client
from client.accounts import Budget
from client.administration import Bounds
from client.life_records import PauseRecord, StopRecord
from cluster.clients import NUMBER, SHARES, USDC, owner_of, read, trade
from cluster.console import data_option, json_option, say_json, say_table
from node.domain.terms import PauseLevel, PauseScope, Scope, StopReason
from node.domain.units import MAX_SUPPLY, NANOSECONDS_PER_SECOND

SCOPES = click.Choice([scope.name.lower() for scope in Scope])
REASONS = click.Choice([reason.name.lower() for reason in StopReason])


@click.group("risk", short_help="stop and let go, bounds of accounts and markets, agents")
def command() -> None:
    """Stop and let go, bounds accounts and markets, and grant agents a budget.

    Example: quorumbook risk stop account 3 --reason risk
    """


@command.command("stop")
@click.argument("scope", type=SCOPES)
@click.argument("subject", type=click.IntRange(0), default=0)
@click.option("--reason", type=REASONS, default="request", show_default=True)
@click.option("--reference", type=int, default=0, help="Any number; it is kept in the log.")
@data_option
@json_option
def stop(
    scope: str, subject: int, reason: str, reference: int, *, data: Path, as_json: bool
) -> None:
    """Stop a key, an account, a market (SUBJECT is its number) or the venue.

    Nothing that adds risk is let in, and what works is closed.

    Example: quorumbook risk stop account 3 --reason risk --reference 4711
    """

    async def work(client: Client) -> int:
        what = (Scope[scope.upper()], subject, StopReason[reason.upper()])
        return (await client.accounts.stop(*what, reference=reference)).result

    _say_stops("stopped", scope, subject, trade(data, work), as_json=as_json)


@command.command("lift")
@click.argument("scope", type=SCOPES)
@click.argument("subject", type=click.IntRange(0), default=0)
@click.option("--reason", type=REASONS, default="request", show_default=True)
@click.option("--reference", type=int, default=0, help="Any number; it is kept in the log.")
@data_option
@json_option
def lift(
    scope: str, subject: int, reason: str, reference: int, *, data: Path, as_json: bool
) -> None:
    """Let what was stopped go on.

    Example: quorumbook risk lift account 3
    """

    async def work(client: Client) -> int:
        what = (Scope[scope.upper()], subject, StopReason[reason.upper()])
        return (await client.accounts.lift_stop(*what, reference=reference)).result

    _say_stops("lifted", scope, subject, trade(data, work), as_json=as_json)


def _say_stops(what: str, scope: str, subject: int, count: int, *, as_json: bool) -> None:
    if as_json:
        say_json({"scope": scope, "subject": subject, "stops": count})
    else:
        click.echo(f"{what}; {count} stops are on")


@command.command("show")
@data_option
@json_option
def show(*, data: Path, as_json: bool) -> None:
    """Show every stop and every pause that is on: what keeps orders out.

    Example: quorumbook risk show
    """

    async def work(client: Client) -> tuple[list[StopRecord], list[PauseRecord]]:
        return await client.queries.stops(), await client.queries.pauses()

    stops, pauses = read(data, work)
    stop_rows = [
        (
            Scope(one.scope).name.lower(),
            one.subject,
            StopReason(one.reason).name.lower(),
            one.by,
            one.reference,
            "closing" if one.closing else "closed",
        )
        for one in stops
    ]
    pause_rows = [
        (PauseScope(one.scope).name.lower(), one.subject, PauseLevel(one.level).name.lower())
        for one in pauses
    ]
    if as_json:
        say_json({"stops": stop_rows, "pauses": pause_rows})
        return
    columns = ("scope", "number", "reason", "by key", "reference", "its orders")
    say_table("stops", columns, stop_rows)
    say_table("pauses", ("scope", "number", "level"), pause_rows)


@command.command("bounds")
@click.argument("scope", type=click.Choice(["account", "market"]))
@click.argument("subject", type=NUMBER)
@click.option("--reduce-only", is_flag=True, help="Only what reduces a position; cancels orders.")
@click.option("--open-orders", type=click.IntRange(0), default=0, help="In the books at once.")
@click.option("--positions", type=click.IntRange(0), default=0, help="Markets with a position.")
@click.option("--order-size", type=SHARES, default=0, help="The largest order, in shares.")
@click.option("--order-value", type=USDC, default=0, help="The largest order, in USDC.")
@click.option("--position", type=SHARES, default=0, help="YES less NO, open orders counted.")
@data_option
@json_option
def bounds(
    scope: str,
    subject: int,
    open_orders: int,
    positions: int,
    order_size: int,
    order_value: int,
    position: int,
    *,
    reduce_only: bool,
    data: Path,
    as_json: bool,
) -> None:
    """Set all limits of an account, or of every account in a market; what is not given has none.

    Example: quorumbook risk bounds account 3 --position 500 --open-orders 20
    """
    limits = Bounds(reduce_only, open_orders, positions, order_size, order_value, position)
    trade(data, lambda client: client.admin.set_bounds(Scope[scope.upper()], subject, limits))
    if as_json:
        say_json({"scope": scope, "subject": subject, **limits._asdict()})
    else:
        click.echo(f"{scope} {subject} is bounded")


@command.command("agent")
@click.argument("account")
@click.argument("public_key")
@click.option("--order-value", type=USDC, default=MAX_SUPPLY, help="The largest order, in USDC.")
@click.option("--spend", type=USDC, default=MAX_SUPPLY, help="Within any window, in USDC.")
@click.option("--window", type=click.IntRange(1), default=86_400, help="In seconds.")
@click.option("--exposure", type=USDC, default=MAX_SUPPLY, help="Locked by its orders, in USDC.")
@click.option("--rate", type=click.IntRange(1), default=1_000, help="Orders a second.")
@data_option
@json_option
def agent(
    account: str,
    public_key: str,
    order_value: int,
    spend: int,
    window: int,
    exposure: int,
    rate: int,
    *,
    data: Path,
    as_json: bool,
) -> None:
    """Let PUBLIC_KEY (hex) trade for ACCOUNT within a budget that the venue keeps.

    Example: quorumbook risk agent alice $(cat agent.pub) --spend 50
    """
    owner = owner_of(account)
    try:
        key = bytes.fromhex(public_key)
    except ValueError as error:
        raise click.UsageError("a public key is 64 hexadecimal digits") from error
    if len(key) != 32:
        raise click.UsageError("a public key is 64 hexadecimal digits")
    budget = Budget(order_value, spend, window * NANOSECONDS_PER_SECOND, exposure, rate=rate)
    reply = trade(
        data,
        lambda client: client.accounts.set_agent(key, budget, account=owner.account),
        owner.key,
    )
    if as_json:
        say_json({"key": reply.result, **budget._asdict()})
    else:
        click.echo(f"key {reply.result} may trade for {account}")
