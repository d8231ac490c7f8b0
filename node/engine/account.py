"""An account: its cash, and the ways to its positions and orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain.terms import NET
from node.engine.bounds import Bounds
from node.engine.conduct import Conduct
from node.engine.fields import write_pair
from node.engine.pages import Page, Record
from node.engine.pause import Pause
from node.engine.stop import Stop

if TYPE_CHECKING:
    from node.engine.kinship import Kinship
    from node.engine.order import Order
    from node.engine.position import Position


class Account(Record):
    """Cash in micro-USDC, free and locked.

    Positions by market; resting orders by client order id.
    """

    def __init__(self, number: i64, mode: i64, address: bytes) -> None:
        """Make an empty account that is on no page yet."""
        self.number: i64 = number
        self.mode: i64 = mode
        self.is_net: bool = mode == NET
        self.address: bytes = address
        self.cash_free: i64 = 0
        self.cash_locked: i64 = 0
        self.stream_sequence: i64 = 0
        self.order_count: i64 = 0
        # Of them, those on the bid side; derived.
        self.bid_count: i64 = 0
        # Bids and asks with smaller ids are cancelled, whether or not the sweep has reached them.
        self.bid_watermark: i64 = 0
        self.ask_watermark: i64 = 0
        # The newest sweep that cancels in all of its markets, finished or not; derived.
        self.cancel_sweep: i64 = 0
        self.positions: dict[int, Position] = {}
        self.position_list: list[Position] = []
        self.orders_by_client: dict[int, Order] = {}
        # None unless it has subaccounts or is one.
        self.kinship: Kinship | None = None
        self.withdrawal_count: i64 = 0
        self.agent_count: i64 = 0
        # None unless it was ever doomed or paced, is bounded, is stopped.
        self.conduct: Conduct | None = None
        self.bounds: Bounds | None = None
        self.stop: Stop | None = None
        self.pause: Pause | None = None
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.number, self.mode)
        out.write(self.address)
        # 20 bytes of address and a 4-byte count fill three words.
        count = len(self.position_list)
        out.write(count.to_bytes(4, "little"))
        write_i64_le(out, self.cash_free)
        write_i64_le(out, self.cash_locked)
        write_i64_le(out, self.stream_sequence)
        write_i64_le(out, self.order_count)
        write_i64_le(out, self.bid_watermark)
        write_i64_le(out, self.ask_watermark)
