"""A position: what one account owns of one market, and its resting orders there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.account import Account
from node.engine.fields import write_pair
from node.engine.order_list import OrderList
from node.engine.pages import Page, Record

if TYPE_CHECKING:
    from node.engine.market import Market
    from node.engine.order import Order


class Position(Record):
    """Lots of YES and NO, free and locked; its orders, a list a side of the YES book."""

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
        # What is left of its orders, in YES terms.
        self.open_bids: i64 = 0
        self.open_asks: i64 = 0
        self.bids: OrderList = OrderList()
        self.asks: OrderList = OrderList()
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
        write_i64_le(out, self.bids.watermark)
        write_i64_le(out, self.asks.watermark)
        write_i64_le(out, self.place)

    def listed(self, order: Order) -> OrderList:
        """Return the list that is of the order's side."""
        return self.bids if order.is_bid else self.asks

    def oldest(self) -> Order | None:
        """Return the oldest resting order of both sides, or None."""
        bid = self.bids.first
        ask = self.asks.first
        if bid is None or (ask is not None and ask.id < bid.id):
            return ask
        return bid
