"""`quorumbook market`: binary markets and their life."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from client import Client, Reply
from client.life_records import TimesRecord
from client.records import MarketRecord
from cluster.clients import (
    FEE_BPS,
    NAME,
    NUMBER,
    NUMBER_OR_ALL,
    PRICE,
    SECONDS,
    SHARES,
    USDC,
    read,
    trade,
)
from cluster.console import data_option, json_option, price, say_json, say_table, shares
from cluster.deployment import DeploymentError
from cluster.market_table import COLUMNS, as_dict, row
from cluster.moments import TIME, at_text
from node.domain.units import NANOSECONDS_PER_SECOND, PRICE_SCALE


@click.group("market", short_help="create markets, open, halt, close, resolve, void and show them")
def command() -> None:
    """Create markets, lead them through their life, and show them.

    Example: quorumbook market create 1 "Red Rum" --open
    """


@command.command("create")
@click.argument("event", type=NUMBER)
@click.argument("name", type=NAME, required=False)
@click.option(
    "--tick",
    type=click.IntRange(1, PRICE_SCALE),
    default=1,
    show_default=True,
    help="Price units of 0.0001 between two prices.",
)
@click.option("--taker-fee-bps", type=FEE_BPS, default=0, show_default=True)
@click.option("--maker-fee-bps", type=FEE_BPS, default=0, show_default=True)
@click.option(
    "--open",
    "at_once",
    is_flag=True,
    help="Open it at once; an event takes no more markets after that.",
)
@data_option
@json_option
def create(
    event: int,
    name: str | None,
    tick: int,
    taker_fee_bps: int,
    maker_fee_bps: int,
    *,
    at_once: bool,
    data: Path,
    as_json: bool,
) -> None:
    """Create a market called NAME in EVENT; without a NAME, a placeholder of an augmented one.

    Example: quorumbook market create 1 "Red Rum" --tick 10 --taker-fee-bps 25
    """

    async def work(client: Client) -> int:
        fees = {"taker_fee_bps": taker_fee_bps, "maker_fee_bps": maker_fee_bps}
        number = (await client.admin.create_market(event, name or "", tick=tick, **fees)).result
        if at_once:
            await client.admin.open_market(number)
        return number

    number = trade(data, work)
    if as_json:
        say_json({"market": number, "event": event, "name": name, "open": at_once})
    else:
        click.echo(f"market {number}: {name or 'a placeholder'}{', open' if at_once else ''}")


@command.command("open")
@click.argument("market", type=NUMBER)
@data_option
@json_option
def open_market(market: int, *, data: Path, as_json: bool) -> None:
    """Let MARKET trade, for the first time or after a halt.

    Example: quorumbook market open 1
    """
    _advance(data, market, "open", lambda client: client.admin.open_market(market), as_json=as_json)


@command.command("halt")
@click.argument("market", type=NUMBER)
@data_option
@json_option
def halt(market: int, *, data: Path, as_json: bool) -> None:
    """Stop MARKET; its orders stay and can be cancelled.

    Example: quorumbook market halt 1
    """
    _advance(
        data, market, "halted", lambda client: client.admin.halt_market(market), as_json=as_json
    )


@command.command("close")
@click.argument("market", type=NUMBER)
@data_option
@json_option
def close(market: int, *, data: Path, as_json: bool) -> None:
    """End MARKET's trading for good; its orders are cancelled.

    Example: quorumbook market close 1
    """
    _advance(
        data, market, "closed", lambda client: client.admin.close_market(market), as_json=as_json
    )


@command.command("name")
@click.argument("market", type=NUMBER)
@click.argument("name", type=NAME)
@data_option
@json_option
def name_outcome(market: int, name: str, *, data: Path, as_json: bool) -> None:
    """Name MARKET, a placeholder of an augmented event: from then on it can be opened.

    Example: quorumbook market name 4 "Red Rum"
    """
    index = trade(data, lambda client: client.admin.name_outcome(market, name)).log_index
    if as_json:
        say_json({"market": market, "name": name, "log_index": index})
    else:
        click.echo(f"market {market} is called {name} as of index {index}")


@command.command("call")
@click.argument("market", type=NUMBER)
@click.option("--at", "begins", type=TIME, help="When the call begins by itself; else it does now.")
@click.option("--off", is_flag=True, help="Forget when the call was to begin by itself.")
@data_option
@json_option
def call_auction(market: int, *, begins: int | None, off: bool, data: Path, as_json: bool) -> None:
    """Have MARKET gather orders that may cross, until it opens and they meet at one price.

    It opens by `quorumbook market open` or at its opening time.

    Example: quorumbook market call 1
    """
    if off and begins:
        raise click.UsageError("--at and --off are opposites: give one of them")
    at = -1 if off else begins or 0
    call = trade(data, lambda client: client.admin.call_auction(market, begins_at_ns=at))
    if as_json:
        say_json({"market": market, "begins_at_ns": at, "log_index": call.log_index})
    elif at:
        click.echo(f"market {market} has its call as of index {call.log_index}")
    else:
        click.echo(f"market {market} is called as of index {call.log_index}")


@command.command("clearing")
@click.argument("market", type=NUMBER)
@data_option
@json_option
def show_clearing(market: int, *, data: Path, as_json: bool) -> None:
    """Show where MARKET would clear if it opened now.

    Example: quorumbook market clearing 1
    """
    found = read(data, lambda client: client.queries.clearing(market))
    if as_json:
        say_json({"market": market, **(found._asdict() if found else {})})
    elif found is None:
        click.echo(f"market {market}: no bid meets an ask")
    else:
        side = "bid" if found.surplus > 0 else "asked"
        rest = f", {shares(abs(found.surplus))} {side} in excess" if found.surplus else ""
        click.echo(f"market {market}: {shares(found.lots)} at {price(found.price)}{rest}")


@command.command("times")
@click.argument("market", type=NUMBER)
@click.option("--opens", type=TIME, help="When it opens by itself.")
@click.option("--closes", type=TIME, help="When it closes by itself.")
@data_option
@json_option
def market_times(
    market: int, *, opens: int | None, closes: int | None, data: Path, as_json: bool
) -> None:
    """Set when MARKET opens and closes by itself; a time that is left out is cleared.

    Example: quorumbook market times 1 --closes 2027-01-01T12:00:00Z
    """
    chosen = {"opens_at_ns": opens or 0, "closes_at_ns": closes or 0}
    index = trade(data, lambda client: client.admin.set_market_times(market, **chosen)).log_index
    if as_json:
        say_json({"market": market, **chosen, "log_index": index})
    else:
        click.echo(f"market {market} has its times as of index {index}")


@command.command("resolve")
@click.argument("market", type=NUMBER)
@click.argument("outcome", type=PRICE)
@data_option
@json_option
def resolve(market: int, outcome: int, *, data: Path, as_json: bool) -> None:
    """Settle the closed MARKET at the price OUTCOME of YES: 1 when it won, 0 when it lost.

    Example: quorumbook market resolve 1 1
    """
    _advance(
        data,
        market,
        "resolved",
        lambda client: client.admin.resolve_market(market, outcome),
        as_json=as_json,
    )


@command.command("void")
@click.argument("market", type=NUMBER)
@data_option
@json_option
def void(market: int, *, data: Path, as_json: bool) -> None:
    """Settle MARKET without a winner.

    Example: quorumbook market void 1
    """
    _advance(
        data, market, "voided", lambda client: client.admin.void_market(market), as_json=as_json
    )


@command.command("grid")
@click.argument("market", type=NUMBER)
@click.option("--tick", type=PRICE, required=True, help="Between two prices, e.g. 0.01.")
@click.option("--edge", type=PRICE, default=0, help="How near to 0 and 1 prices are finer.")
@click.option("--edge-tick", type=PRICE, default=0, help="Between two prices there, e.g. 0.001.")
@click.option("--min-shares", "min_lots", type=SHARES, default=0, help="Of any order.")
@click.option("--min-value", type=USDC, default=0, help="Of an order that crosses, in USDC.")
@data_option
@json_option
def grid(
    market: int,
    tick: int,
    edge: int,
    edge_tick: int,
    min_lots: int,
    min_value: int,
    *,
    data: Path,
    as_json: bool,
) -> None:
    """Set which prices and sizes orders in MARKET may have; those off the grid are cancelled.

    Example: quorumbook market grid 1 --tick 0.01 --edge 0.04 --edge-tick 0.001 --min-shares 5
    """
    least = {"min_lots": min_lots, "min_value": min_value}
    index = trade(
        data,
        lambda client: client.admin.set_grid(market, tick, edge=edge, edge_tick=edge_tick, **least),
    ).log_index
    if as_json:
        say_json({"market": market, "tick": tick, "edge": edge, "log_index": index})
    else:
        click.echo(f"market {market} has the tick {price(tick)} as of index {index}")


@command.command("guard")
@click.argument("market", type=NUMBER)
@click.option("--reference", type=PRICE, default=0, help="Until the next fill; 0 leaves it.")
@click.option("--band", type=PRICE, default=0, help="How far from the reference orders may be.")
@click.option("--move", type=PRICE, default=0, help="How far fills may move within the window.")
@click.option("--window", type=SECONDS, default=0, help="Seconds that count for the move.")
@click.option("--pause", type=SECONDS, default=0, help="Seconds that the market halts.")
@data_option
@json_option
def guard(
    market: int,
    reference: int,
    band: int,
    move: int,
    window: int,
    pause: int,
    *,
    data: Path,
    as_json: bool,
) -> None:
    """Set how far prices in MARKET may go: a band for orders, a pause for fills; 0 is none.

    Example: quorumbook market guard 1 --band 0.2 --move 0.1 --window 60 --pause 30
    """
    guards = {"reference": reference, "band": band, "move": move}
    spans = {
        "window_ns": window * NANOSECONDS_PER_SECOND,
        "pause_ns": pause * NANOSECONDS_PER_SECOND,
    }
    index = trade(data, lambda client: client.admin.set_guards(market, **guards, **spans)).log_index
    if as_json:
        say_json({"market": market, **guards, "log_index": index})
    else:
        click.echo(f"market {market} has new guards as of index {index}")


@command.command("show")
@click.argument("market", type=NUMBER)
@data_option
@json_option
def show(market: int, *, data: Path, as_json: bool) -> None:
    """Show MARKET, and when it opens and closes by itself if it does.

    Example: quorumbook market show 1 --json
    """

    async def work(client: Client) -> tuple[MarketRecord, TimesRecord]:
        found = await client.queries.market(market)
        if found is None:
            raise DeploymentError(f"there is no market {market}")
        return found, await client.queries.market_times(market) or TimesRecord(market, 0, 0)

    found, times = read(data, work)
    if as_json:
        chosen = {"opens_at_ns": times.opens_at_ns, "closes_at_ns": times.closes_at_ns}
        say_json({**as_dict(found), **chosen})
        return
    say_table("", COLUMNS, [row(found)])
    for what, at_ns in (("opens", times.opens_at_ns), ("closes", times.closes_at_ns)):
        if at_ns:
            click.echo(f"{what} by itself at {at_text(at_ns)}")


@command.command("list")
@click.option("--event", type=NUMBER_OR_ALL, default=0, help="Only this event's.")
@data_option
@json_option
def list_markets(event: int, *, data: Path, as_json: bool) -> None:
    """List markets.

    Example: quorumbook market list --event 1
    """
    found = read(data, lambda client: client.queries.markets(event))
    if as_json:
        say_json([as_dict(one) for one in found])
    else:
        say_table("", COLUMNS, [row(one) for one in found])


def _advance(
    data: Path,
    market: int,
    state: str,
    step: Callable[[Client], Awaitable[Reply]],
    *,
    as_json: bool,
) -> None:
    index = trade(data, step).log_index
    if as_json:
        say_json({"market": market, "state": state, "log_index": index})
    else:
        click.echo(f"market {market} is {state} as of index {index}")
