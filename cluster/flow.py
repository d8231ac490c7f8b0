"""Recorded order flow: neutral rows, and the reader of the CSV form in which recordings are kept.

Columns: `t_ms,market,action,ref,side,price,lots`. `market` is the recording's own name of a runner;
`place` is a limit order named `ref`, `reduce` takes `lots` off it (and cancels it when nothing is
left), `take` is immediate or cancel. `side` and `price` are in YES terms: price units of 0.0001,
lots of 0.01 share.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from node.domain.units import MAX_LOTS, MAX_PRICE, MIN_PRICE

PLACE: Final = "place"
REDUCE: Final = "reduce"
TAKE: Final = "take"
BUY: Final = "buy"
SELL: Final = "sell"

COLUMNS: Final = ("t_ms", "market", "action", "ref", "side", "price", "lots")


class FlowRow(NamedTuple):
    """One action of one participant. `market` counts from 0 in order of first appearance.

    A take's `ref` is 0.
    """

    t_ms: int
    market: int
    action: str
    ref: int
    side: str
    price: int
    lots: int


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow and the names of its runners, by the market numbers of the rows."""

    name: str
    runners: tuple[str, ...]
    rows: tuple[FlowRow, ...]


class FlowError(Exception):
    """A recording cannot be read; the message names the file and the line."""

    def __init__(self, source: str, line: int, reason: str) -> None:
        place = f"{source}, line {line}" if line else source
        super().__init__(f"{place}: {reason}")


def read_flow(file: Path) -> Flow:
    """Return the recording in `file`, plain CSV or gzip.

    Raises FlowError when the file is missing or a line is not what the columns promise.
    """
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", newline="") as lines:
            runners: dict[str, int] = {}
            rows = tuple(_rows(str(file), lines, runners))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FlowError(str(file), 0, f"cannot be read: {error}") from error
    if not rows:
        raise FlowError(str(file), 1, "holds no rows")
    return Flow(file.name.partition(".")[0], tuple(runners), rows)


def write_flow(file: Path, rows: Iterable[FlowRow]) -> None:
    """Write `rows` as gzipped CSV that `read_flow` reads back."""
    with gzip.open(file, "wt", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([row.t_ms, row.market, row.action, row.ref or "", *row[4:]])


def _rows(source: str, lines: TextIO, runners: dict[str, int]) -> Iterator[FlowRow]:
    reader = csv.reader(lines)
    header = next(reader, [])
    if tuple(header) != COLUMNS:
        raise FlowError(source, 1, f"the columns are {header}, not {list(COLUMNS)}")
    for number, fields in enumerate(reader, start=2):
        try:
            t_ms, market, action, ref, side, price, lots = fields
            row = FlowRow(
                int(t_ms),
                runners.setdefault(market, len(runners)),
                action,
                int(ref or 0),
                side,
                int(price),
                int(lots),
            )
        except ValueError as error:
            raise FlowError(source, number, str(error)) from error
        _check(source, number, row)
        yield row


def _check(source: str, number: int, row: FlowRow) -> None:
    if row.action not in {PLACE, REDUCE, TAKE}:
        raise FlowError(source, number, f"the action {row.action!r} is not place, reduce or take")
    if row.side not in {BUY, SELL}:
        raise FlowError(source, number, f"the side {row.side!r} is not buy or sell")
    if not MIN_PRICE <= row.price <= MAX_PRICE:
        raise FlowError(source, number, f"price {row.price} is not in {MIN_PRICE}..{MAX_PRICE}")
    if not 1 <= row.lots <= MAX_LOTS:
        raise FlowError(source, number, f"{row.lots} lots are not in 1..{MAX_LOTS}")
    if row.action != TAKE and row.ref < 1:
        raise FlowError(source, number, f"a {row.action} needs a ref above 0")
