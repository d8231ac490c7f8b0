"""A position: what one account owns of one market, and its resting orders there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.account import Account
from node.engine.fields import write_pair
from node.engine.pages import Page, Record

if TYPE_CHECKING:
    from node.engine.market import Market
    from node.engine.order import Order


class Position(Record):
    """Lots of YES and NO, free and locked. Its orders form a list, oldest first."""

    def __init__(self, number: i64, account: Account, market: Market) -> None:
        """Make an empty position that is on no page yet."""
        self.number: i64 = number
        self.place: i64 = 0
        self.account: Account = account
        self.market: Market = market
        self.yes_free: i64 = 0
        self.yes_locked: i64 = 0
        self.no_free: i64 = 0
        self.no_locked: i64 = 0
        # Orders with smaller ids are cancelled, whether or not the sweep has reached them.
        self.watermark: i64 = 0
        # What is left of its orders, in YES terms.
        self.open_bids: i64 = 0
        self.open_asks: i64 = 0
        self.first_order: Order | None = None
        self.last_order: Order | None = None
        # How many of them carry CANCEL_ON_PAUSE.
        self.flagged: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.number)
        write_pair(out, self.account.number, self.market.number)
        write_i64_le(out, self.yes_free)
        write_i64_le(out, self.yes_locked)
        write_i64_le(out, self.no_free)
        write_i64_le(out, self.no_locked)
        write_i64_le(out, self.watermark)
        write_i64_le(out, self.place)

    def append(self, order: Order) -> None:
        """Put the newest resting order at the end of the list."""
        last = self.last_order
        order.older = last
        if last is None:
            self.first_order = order
        else:
            last.newer = order
        self.last_order = order

    def unlink(self, order: Order) -> None:
        """Take a resting order out of the list, leaving no reference cycle behind."""
        older = order.older
        newer = order.newer
        if older is None:
            self.first_order = newer
        else:
            older.newer = newer
        if newer is None:
            self.last_order = older
        else:
            newer.older = older
        order.older = None
        order.newer = None
