"""Recorded order flow, where there is any, as commands.

Rows are `t_ms,market,action,ref,side,price,lots`.

The files are no part of the project. QUORUMBOOK_FLOW_DIR names their folder.
"""

import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

from node.domain.terms import TimeInForce
from tests import commands as c

ROOT = Path(__file__).resolve().parent.parent
ACCOUNTS = 1_001
CASH = 10_000_000 * 1_000_000
TAKER = 1_001


def recorded_files() -> list[Path]:
    """Return the recorded files that are at hand, in order of name."""
    folder = os.environ.get("QUORUMBOOK_FLOW_DIR")
    folders = [Path(folder)] if folder else [ROOT.parent / "shared" / "data"]
    return sorted(path for folder in folders for path in folder.glob("*.csv.gz"))


def commands_of(path: Path) -> Iterator[c.Command]:
    """Yield a file's commands: markets in order of appearance, accounts from the refs.

    The accounts own no shares, so whoever sells YES at p buys NO at 1 - p.
    """
    markets: dict[str, int] = {}
    with gzip.open(path, "rt", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            market = markets.setdefault(row["market"], len(markets) + 1)
            lots = int(row["lots"])
            if row["action"] == "reduce":
                ref = int(row["ref"])
                yield c.Reduce(account_of(ref), market, lots, client_order_id=ref)
                continue
            buys = row["side"] == "buy"
            order = c.buy_yes if buys else c.buy_no
            price = int(row["price"]) if buys else 10_000 - int(row["price"])
            if row["action"] == "take":
                yield order(TAKER, market, price, lots, 10**12 + number, TimeInForce.IOC)
            else:
                ref = int(row["ref"])
                yield order(account_of(ref), market, price, lots, ref)


def account_of(ref: int) -> int:
    """Return the account that entered the order `ref`."""
    return ref % 1_000 + 1


def market_count(path: Path) -> int:
    """Return how many markets a file trades in."""
    return max(command.market for command in commands_of(path) if isinstance(command, c.Place))
