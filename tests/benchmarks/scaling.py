"""Does anything grow with what rests? `python -m tests.benchmarks.scaling [ORDERS]`.

Prints what a command costs with 1,000 to ORDERS resting orders and with 10 to 10,000 markets, the
bytes of memory a resting order takes, and the longest group while a market full of orders closes,
and while one opens by a call.
Times are medians of groups of 500 commands; the last line is everything as JSON.
"""

import gc
import json
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter_ns

from cluster.console import say_table
from node._pure import build_form
from node.consensus.log_group import build_group
from node.domain import commands, terms
from tests.benchmarks.stage import Stage

ORDERS = 1_000_000
ACCOUNTS = 50
BOOKS = (1_000, 10_000, 100_000, 1_000_000)
MARKETS = (10, 100, 1_000, 10_000)
MEASURED_GROUPS = 40
LEVELS = 2_000
"""Bids rest at 1 to 2,000 units, so that a level holds up to 500 of a million orders."""

Figure = dict[str, object]


def main(arguments: list[str]) -> None:
    """Measure and print."""
    most = int(arguments[0]) if arguments else ORDERS
    say_table(f"what a command costs, {build_form()}", COLUMNS, [])
    books = [_book(size) for size in BOOKS if size <= most]
    markets = [_markets(number) for number in MARKETS]
    closing = _closing(most)
    opening = _opening(most)
    say_table("by resting orders", COLUMNS, [_row(one) for one in books])
    say_table("by markets", COLUMNS, [_row(one) for one in markets])
    say_table("closing a market", tuple(closing), [tuple(map(str, closing.values()))])
    say_table("opening by a call", tuple(opening), [tuple(map(str, opening.values()))])
    figures = {"books": books, "markets": markets, "closing": closing, "opening": opening}
    print(json.dumps({"form": build_form(), **figures}))


COLUMNS = ("orders", "markets", "place and cancel, ns", "place and fill, ns", "bytes an order")


def _row(figure: Figure) -> tuple[object, ...]:
    return tuple(figure.values())


def _book(size: int) -> Figure:
    """Measure with `size` orders in one market."""
    stage = Stage(ACCOUNTS, 1)
    before = _resident_bytes()
    _fill_book(stage, size)
    bytes_an_order = (_resident_bytes() - before) // size
    return {
        "orders": size,
        "markets": 1,
        "place_cancel_ns": _cost(stage, _place_and_cancel(lambda _: 1)),
        "place_fill_ns": _cost(stage, _place_and_fill(lambda _: 1)),
        "bytes_an_order": bytes_an_order if size >= 100_000 else None,
    }


def _markets(number: int) -> Figure:
    """Measure with so many markets, each with a few orders, taken in turn."""
    stage = Stage(ACCOUNTS, number)
    for market in range(1, number + 1):
        for bid in range(1, 6):
            _bid(stage, market, bid, next(CLIENT_ORDER_IDS))
    stage.run()
    return {
        "orders": 5 * number,
        "markets": number,
        "place_cancel_ns": _cost(stage, _place_and_cancel(lambda n: n % number + 1)),
        "place_fill_ns": _cost(stage, _place_and_fill(lambda n: n % number + 1)),
        "bytes_an_order": None,
    }


def _closing(orders: int) -> Figure:
    """Close a market full of orders."""
    stage = Stage(ACCOUNTS, 1)
    _fill_book(stage, orders)
    return {"orders": orders, **_sweep(stage, commands.MARKET_CLOSE)}


def _opening(orders: int) -> Figure:
    """Open a market for which a call has gathered orders, half of them bids; all of them fill."""
    stage = Stage(ACCOUNTS, 1)
    stage.frames.lifecycle(commands.MARKET_HALT, 1, 0)
    stage.frames.auction_call(1, 0)
    half = ACCOUNTS // 2
    for number in range(orders // 2):
        price, bidder = 5_000 + number % LEVELS, number % half
        terms_of_bid = (next(CLIENT_ORDER_IDS), price, terms.BUY_YES, terms.GTC, 10)
        terms_of_ask = (next(CLIENT_ORDER_IDS), price, terms.BUY_NO, terms.GTC, 10)
        stage.frames.place(bidder + 1, 1, *terms_of_bid)
        stage.frames.place(bidder + half + 1, 1, *terms_of_ask)
        if number % 10_000 == 0:
            stage.run()
    stage.run()
    figures = _sweep(stage, commands.MARKET_OPEN)
    assert stage.venue.state.treasury.fills == orders // 2
    return {"orders": orders, **figures}


def _sweep(stage: Stage, command: int) -> Figure:
    """Apply what begins a sweep; return how many groups it took, and how long they were."""
    gc.collect()
    gc.freeze()
    gc.disable()
    stage.frames.lifecycle(command, 1, 0)
    (first,) = stage.groups()
    spans = [_span_ns(stage, first)]
    while stage.venue.work_pending:
        spans.append(_span_ns(stage, build_group([], 0, stage.venue.stamp_ns + 1)))
    gc.enable()
    gc.unfreeze()
    spans.sort()
    return {
        "groups": len(spans),
        "ms_median": round(spans[len(spans) // 2] / 1e6, 2),
        "ms_p99": round(spans[len(spans) * 99 // 100] / 1e6, 2),
        "ms_max": round(spans[-1] / 1e6, 2),
    }


CLIENT_ORDER_IDS = count(1)


def _bid(stage: Stage, market: int, price: int, name: int) -> None:
    stage.frames.place(name % ACCOUNTS + 1, market, name, price, terms.BUY_YES, terms.GTC, 10)


def _fill_book(stage: Stage, size: int) -> None:
    for number in range(size):
        _bid(stage, 1, number % LEVELS + 1, next(CLIENT_ORDER_IDS))
        if number % 10_000 == 0:
            stage.run()
    stage.run()


def _place_and_cancel(market_of: Callable[[int], int]) -> Callable[[Stage, int], int]:
    def write(stage: Stage, number: int) -> int:
        name, market = next(CLIENT_ORDER_IDS), market_of(number)
        _bid(stage, market, number * 7 % LEVELS + 1, name)
        stage.frames.cancel(name % ACCOUNTS + 1, market, 0, name)
        return 2

    return write


def _place_and_fill(market_of: Callable[[int], int]) -> Callable[[Stage, int], int]:
    def write(stage: Stage, number: int) -> int:
        frames, market, name = stage.frames, market_of(number), next(CLIENT_ORDER_IDS)
        frames.place(1, market, name, 5_000, terms.BUY_YES, terms.GTC, 10)
        frames.place(2, market, next(CLIENT_ORDER_IDS), 5_000, terms.BUY_NO, terms.GTC, 10)
        return 2

    return write


def _cost(stage: Stage, write: Callable[[Stage, int], int]) -> int:
    """Return the median ns of a command over groups that `write` fills."""
    costs, number = [], 0
    gc.collect()
    gc.freeze()
    gc.disable()
    for _ in range(MEASURED_GROUPS):
        written = 0
        while written < 500:
            written += write(stage, number)
            number += 1
        (group,) = stage.groups()
        costs.append(_span_ns(stage, group) / written)
    gc.enable()
    gc.unfreeze()
    assert sum(stage.venue.rejections) == 0
    return round(median(costs))


def _span_ns(stage: Stage, group: bytes) -> int:
    begun = perf_counter_ns()
    stage.apply(group)
    return perf_counter_ns() - begun


def _resident_bytes() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4_096


if __name__ == "__main__":
    main(sys.argv[1:])
