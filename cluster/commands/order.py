"""`quorumbook order`: orders by hand."""

from pathlib import Path
from secrets import randbelow
from typing import Any

import click

from client.batch import QuoteLeg
from client.records import OrderRecord
from cluster.clients import (
    NUMBER,
    NUMBER_OR_ALL,
    ORDER_ID,
    PRICE,
    SHARES,
    owner_of,
    read,
    trade,
)
from cluster.console import data_option, json_option, price, say_json, say_table, shares, usdc
from node.domain.codes import Code
from node.domain.terms import Intent, SelfTrade, Side, TimeInForce
from node.domain.units import PRICE_SCALE

_KINDS = {
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "post-only": TimeInForce.POST_ONLY,
}
_SELF_TRADES = {
    "resting": SelfTrade.CANCEL_RESTING,
    "taker": SelfTrade.CANCEL_TAKER,
    "both": SelfTrade.CANCEL_BOTH,
}


def _intent(buy: str | None, sell: str | None) -> Intent:
    if (buy is None) == (sell is None):
        raise click.UsageError("give either --buy or --sell")
    if buy is not None:
        return Intent[f"BUY_{buy.upper()}"]
    return Intent[f"SELL_{(sell or '').upper()}"]


@click.group("order", short_help="place, preview, cancel and list orders")
def command() -> None:
    """Place, preview, cancel and list orders.

    ACCOUNT is a name (its key lies in the cluster's folder) or a number (then the operator acts for
    it).

    Example: quorumbook order place alice --market 1 --buy yes --price 0.4 --shares 10
    """


@command.command("place")
@click.argument("account")
@click.option("--market", type=NUMBER, required=True)
@click.option("--buy", type=click.Choice(["yes", "no"]), help="What to buy.")
@click.option("--sell", type=click.Choice(["yes", "no"]), help="What to sell.")
@click.option(
    "--price",
    "limit",
    type=PRICE,
    required=True,
    help="USDC a share of what is bought or sold, e.g. 0.4.",
)
@click.option("--shares", "lots", type=SHARES, required=True, help="How many, e.g. 10 or 2.5.")
@click.option("--type", "kind", type=click.Choice(list(_KINDS)), default="gtc", show_default=True)
@click.option(
    "--client-order-id",
    type=ORDER_ID,
    help="Yours; a random one otherwise.",
)
@click.option(
    "--self-trade",
    type=click.Choice(list(_SELF_TRADES)),
    default="resting",
    show_default=True,
    help="What is cancelled when it meets an order of its own account.",
)
@click.option("--group", type=NUMBER_OR_ALL, default=0, help="An order group of the account's.")
@data_option
@json_option
def place(  # noqa: PLR0913 - what an order can say
    account: str,
    market: int,
    buy: str | None,
    sell: str | None,
    limit: int,
    lots: int,
    kind: str,
    client_order_id: int | None,
    self_trade: str,
    group: int,
    *,
    data: Path,
    as_json: bool,
) -> None:
    """Place a limit order of ACCOUNT.

    Example: quorumbook order place alice --market 1 --buy yes --price 0.4 --shares 10
    """
    intent = _intent(buy, sell)
    owner = owner_of(account)
    reply = trade(
        data,
        lambda client: client.orders.place(
            market,
            intent,
            limit,
            lots,
            time_in_force=_KINDS[kind],
            client_order_id=client_order_id,
            account=owner.account,
            self_trade=_SELF_TRADES[self_trade],
            group=group,
        ),
        owner.key,
    )
    if as_json:
        say_json({"order": reply.result, "filled_lots": reply.filled, "log_index": reply.log_index})
    else:
        click.echo(
            f"order {reply.result}: {shares(reply.filled)} of {shares(lots)} shares filled at once"
        )


@command.command("preview")
@click.argument("account")
@click.option("--market", type=NUMBER, required=True)
@click.option("--buy", type=click.Choice(["yes", "no"]), help="What to buy.")
@click.option("--sell", type=click.Choice(["yes", "no"]), help="What to sell.")
@click.option("--price", "limit", type=PRICE, required=True, help="USDC a share, e.g. 0.4.")
@click.option("--shares", "lots", type=SHARES, required=True, help="How many, e.g. 10 or 2.5.")
@click.option("--type", "kind", type=click.Choice(list(_KINDS)), default="gtc", show_default=True)
@data_option
@json_option
def preview(
    account: str,
    market: int,
    buy: str | None,
    sell: str | None,
    limit: int,
    lots: int,
    kind: str,
    *,
    data: Path,
    as_json: bool,
) -> None:
    """Say what an order of ACCOUNT would come to now; nothing changes.

    Example: quorumbook order preview alice --market 1 --buy yes --price 0.4 --shares 10
    """
    intent = _intent(buy, sell)
    owner = owner_of(account)
    seen = read(
        data,
        lambda client: client.queries.preview(
            market, intent, limit, lots, time_in_force=_KINDS[kind], account=owner.number
        ),
        owner.key,
    )
    if as_json:
        say_json(
            {
                **seen._asdict(),
                "code": seen.code.name,
                "fills": [{**fill._asdict(), "kind": fill.kind.name} for fill in seen.fills],
            }
        )
        return
    if seen.code != Code.OK:
        click.echo(f"would be rejected: {seen.code.name} (at log index {seen.log_index})")
        return
    click.echo(
        f"would fill {shares(seen.filled)} of {shares(lots)} shares at once for {usdc(seen.value)} "
        f"USDC and a fee of {usdc(seen.fee)}, and rest with {shares(seen.rested)}; then "
        f"{usdc(seen.cash_free)} USDC are free (at log index {seen.log_index})"
    )
    if seen.fills:
        rows = [(fill.kind.name, price(fill.price), shares(fill.lots)) for fill in seen.fills]
        say_table("fills", ("kind", "price", "shares"), rows)


@command.command("quote")
@click.argument("account")
@click.option("--market", type=NUMBER, required=True)
@click.option("--bid", type=(PRICE, SHARES), help="Buy YES: its price and how many shares.")
@click.option("--ask", type=(PRICE, SHARES), help="Offer YES at this price: buys NO at the rest.")
@click.option("--old-bid", type=ORDER_ID, default=0, help="Client id of the bid that it replaces.")
@click.option("--old-ask", type=ORDER_ID, default=0, help="Client id of the ask that it replaces.")
@data_option
@json_option
def quote(
    account: str,
    market: int,
    bid: tuple[int, int] | None,
    ask: tuple[int, int] | None,
    *,
    old_bid: int,
    old_ask: int,
    data: Path,
    as_json: bool,
) -> None:
    """Enter both sides of a quote of ACCOUNT, or one; all or nothing, and nothing that trades.

    Example: quorumbook order quote alice --market 1 --bid 0.4 10 --ask 0.45 10
    """
    if bid is None and ask is None:
        raise click.UsageError("give --bid, --ask or both")
    owner = owner_of(account)
    legs = [
        QuoteLeg(
            market=market,
            intent=intent,
            price=limit if intent == Intent.BUY_YES else PRICE_SCALE - limit,
            lots=lots,
            replaces=old,
            client_order_id=randbelow((1 << 63) - 1) + 1,
        )
        for intent, side, old in ((Intent.BUY_YES, bid, old_bid), (Intent.BUY_NO, ask, old_ask))
        if side is not None
        for limit, lots in [side]
    ]
    reply = trade(data, lambda client: client.orders.quote(legs, account=owner.account), owner.key)
    orders = [
        {"order_id": reply.result + place, "client_order_id": leg.client_order_id}
        for place, leg in enumerate(legs)
    ]
    if as_json:
        say_json({"orders": orders, "log_index": reply.log_index})
    else:
        for order in orders:
            click.echo(f"order {order['order_id']}, client order id {order['client_order_id']}")


@command.command("cancel")
@click.argument("account")
@click.option(
    "--market", type=NUMBER_OR_ALL, default=0, help="The order's market; with --all, only this one."
)
@click.option("--order", "order_id", type=ORDER_ID, help="The venue's order id.")
@click.option("--client-order-id", type=ORDER_ID, help="Your own id of the order.")
@click.option("--all", "everything", is_flag=True, help="Cancel all orders of the account.")
@click.option("--event", type=NUMBER_OR_ALL, default=0, help="With --all: only in its markets.")
@click.option(
    "--side",
    type=click.Choice(("bid", "ask")),
    help="With --all: only this side of the YES book; buying YES and selling NO are bids.",
)
@data_option
@json_option
def cancel(
    account: str,
    market: int,
    order_id: int | None,
    client_order_id: int | None,
    *,
    everything: bool,
    event: int,
    side: str | None,
    data: Path,
    as_json: bool,
) -> None:
    """Cancel an order of ACCOUNT, or all: in a market, an event, on one side.

    Example: quorumbook order cancel alice --market 1 --order 17
    """
    if everything == bool(order_id or client_order_id):
        raise click.UsageError("give --order, --client-order-id or --all")
    if not everything and (event or side):
        raise click.UsageError("--event and --side go with --all")
    if market and event:
        raise click.UsageError("give --market or --event, not both")
    if not everything and not market:
        raise click.UsageError("give the order's --market")
    owner = owner_of(account)
    ids = {"order_id": order_id or 0, "client_order_id": client_order_id or 0}
    if everything:
        chosen = Side[side.upper()] if side else None
        reply = trade(
            data,
            lambda client: client.orders.cancel_all(
                market, event=event, side=chosen, account=owner.account
            ),
            owner.key,
        )
    else:
        reply = trade(
            data,
            lambda client: client.orders.cancel(market, account=owner.account, **ids),
            owner.key,
        )
    if as_json:
        say_json({"result": reply.result, "closed": reply.filled, "log_index": reply.log_index})
    else:
        what = f"{reply.filled} orders cancelled at once" if everything else "cancelled"
        click.echo(f"{what} as of index {reply.log_index}")


@command.command("list")
@click.argument("account")
@click.option("--market", type=NUMBER_OR_ALL, default=0, help="Only in this market.")
@data_option
@json_option
def list_orders(account: str, market: int, *, data: Path, as_json: bool) -> None:
    """List the resting orders of ACCOUNT.

    Example: quorumbook order list alice --json
    """
    owner = owner_of(account)
    found = read(
        data, lambda client: client.queries.open_orders(owner.number, market=market), owner.key
    )
    if as_json:
        say_json([_as_dict(one) for one in found])
        return
    columns = ("order", "client order id", "market", "wants", "price", "left", "of")
    rows = [
        (
            one.order_id,
            one.client_order_id,
            one.market,
            _words(one.intent),
            price(one.price),
            shares(one.leaves),
            shares(one.lots),
        )
        for one in found
    ]
    say_table("", columns, rows)


def _words(intent: int) -> str:
    return Intent(intent).name.lower().replace("_", " ")


def _as_dict(order: OrderRecord) -> dict[str, Any]:
    return {
        "order": order.order_id,
        "client_order_id": order.client_order_id,
        "market": order.market,
        "intent": Intent(order.intent).name.lower(),
        "price": order.price,
        "lots": order.lots,
        "leaves": order.leaves,
    }
