"""`quorumbook depth`: a market's book, added up by price."""

from itertools import zip_longest
from pathlib import Path

import click

from cluster.clients import NUMBER, read
from cluster.console import data_option, json_option, price, say_json, say_table, shares


@click.command("depth", short_help="show a market's book by price")
@click.argument("market", type=NUMBER)
@click.option(
    "--levels", type=click.IntRange(1, 2_000), default=10, show_default=True, help="Of each side."
)
@data_option
@json_option
def command(market: int, levels: int, *, data: Path, as_json: bool) -> None:
    """Show the best prices of MARKET in YES terms, and how many shares stand at each.

    Example: quorumbook depth 1 --levels 5
    """
    depth = read(data, lambda client: client.queries.depth(market))
    bids, asks = depth.bids[:levels], depth.asks[:levels]
    if as_json:
        sides = {
            "bids": [[one.price, one.lots] for one in bids],
            "asks": [[one.price, one.lots] for one in asks],
        }
        say_json({"market": market, "log_index": depth.log_index, **sides})
        return
    rows = []
    for bid, ask in zip_longest(bids, asks):
        left = (shares(bid.lots), price(bid.price)) if bid is not None else ("", "")
        right = (price(ask.price), shares(ask.lots)) if ask is not None else ("", "")
        rows.append((*left, *right))
    say_table(
        f"market {market} at index {depth.log_index}", ("shares", "bid", "ask", "shares"), rows
    )
