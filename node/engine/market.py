"""Events, and the binary markets that they group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain.terms import AUCTION, CLOSED, CREATED, RESOLVED, VOIDED
from node.engine.book_side import BookSide
from node.engine.bounds import Bounds
from node.engine.fields import write_pair
from node.engine.market_rules import MarketRules
from node.engine.market_times import MarketTimes
from node.engine.order_book import OrderBook
from node.engine.pages import Page, Record
from node.engine.pause import Pause
from node.engine.price_watch import PriceWatch
from node.engine.resolution import Resolution
from node.engine.stop import Stop

if TYPE_CHECKING:
    from node.engine.position import Position

NOBODY: Final = BookSide(True)
"""A side on which nothing ever rests."""


class Event(Record):
    """A group of markets.

    In an exclusive one exactly one outcome wins, so resolution prices sum to 10,000.
    """

    def __init__(self, number: i64, exclusive: i64, name: bytes) -> None:
        """Make an event without markets; `name` has 64 bytes."""
        self.number: i64 = number
        self.exclusive: i64 = exclusive
        self.name: bytes = name
        self.settled: i64 = 0
        self.price_sum: i64 = 0
        self.started: i64 = 0
        # What the shares of an exclusive event are worth together, whoever wins, in micro-USDC.
        self.collateral: i64 = 0
        self.markets: list[Market] = []
        # The pauses of the event and, once it is one of a venue's, of that.
        self.pause: Pause | None = None
        self.venue_pause: Pause | None = None
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.number, self.exclusive)
        write_pair(out, len(self.markets), self.settled)
        write_pair(out, self.price_sum, self.started)
        write_i64_le(out, self.collateral)
        out.write(self.name)


class Market(Record):
    """One question with a YES and a NO: its rules, its book, and what is outstanding."""

    def __init__(
        self,
        number: i64,
        event: Event,
        tick: i64,
        rules: MarketRules,
        name: bytes,
    ) -> None:
        """Make a market in state CREATED; `name` has 64 bytes."""
        self.number: i64 = number
        self.event: Event = event
        self.state: i64 = CREATED
        self.tick: i64 = tick
        self.rules: MarketRules = rules
        # There is one while the market has guards.
        self.watch: PriceWatch | None = None
        self.name: bytes = name
        # The price at which positions redeem, in YES terms; 0 until resolved.
        self.price: i64 = 0
        self.sweeps: i64 = 0
        # What the shares are worth together, in micro-USDC: 10,000 a complete set while the market
        # lives. In an exclusive event 0: the event has it.
        self.collateral: i64 = 0
        self.stream_sequence: i64 = 0
        self.order_count: i64 = 0
        self.volume: i64 = 0
        self.bounds: Bounds | None = None
        self.stop: Stop | None = None
        self.book: OrderBook = OrderBook()
        # The positions that are not paid out: oldest first, or oldest last once there is a price.
        self.positions: list[Position] = []
        self.times: MarketTimes | None = None
        self.pause: Pause | None = None
        self.resolution: Resolution | None = None
        # Resting orders that carry CANCEL_ON_PAUSE.
        self.flagged: i64 = 0
        self.page: Page | None = None

    def is_on_grid(self, price: i64) -> bool:
        """Return whether orders may have this price; what YES may have, NO may at the rest of 1."""
        return price % self.tick == 0 or self.rules.is_edge_price(price)

    def makers_for(self, is_bid: bool) -> BookSide:
        """Return the side that an arriving order trades with: nobody's in a call auction."""
        if self.state == AUCTION:
            return NOBODY
        return self.book.side(not is_bid)

    @property
    def is_alive(self) -> bool:
        """Return whether it has not closed."""
        return self.state != CLOSED and not self.is_settled

    @property
    def is_settled(self) -> bool:
        """Return whether its shares have become money, or are just becoming it."""
        return self.state == RESOLVED or self.state == VOIDED

    @property
    def is_named(self) -> bool:
        """Return whether it has a name: an outcome without one is a placeholder."""
        return self.name[0] != 0

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.number, self.event.number)
        write_pair(out, self.state, self.tick)
        write_pair(out, self.rules.schedule.taker_bps, self.rules.schedule.maker_bps)
        write_pair(out, self.price, self.sweeps)
        write_i64_le(out, self.collateral)
        write_i64_le(out, self.stream_sequence)
        write_i64_le(out, self.order_count)
        write_i64_le(out, self.volume)
        out.write(self.name)
