"""Market data: streams of executions and markets, and a book that follows one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from client.events import Event, iterate_events
from client.public_events import DepthChanged
from client.records import parse_levels
from node.domain.terms import BID
from node.protocol import messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from client.reader import Reader
    from client.subscription import Subscription


class LocalBook:
    """A market's YES book by price, as of one sequence of its stream. Sizes are in lots."""

    def __init__(self, market: int) -> None:
        """Start empty, before any sequence."""
        self.market = market
        self.sequence = 0
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}

    def reset(self, sequence: int, levels: bytes) -> None:
        """Become what `levels` says the book was at `sequence`."""
        self.sequence = sequence
        self.bids = {}
        self.asks = {}
        for level in parse_levels(levels):
            (self.bids if level.side == BID else self.asks)[level.price] = level.lots

    def apply(self, event: Event) -> None:
        """Follow one event of the market's stream; older ones than the book change nothing."""
        sequence = event.header.stream_sequence
        if sequence <= self.sequence:
            return
        self.sequence = sequence
        if isinstance(event, DepthChanged):
            side = self.bids if event.side == BID else self.asks
            if event.lots:
                side[event.price] = event.lots
            else:
                side.pop(event.price, None)

    @property
    def best_bid(self) -> int | None:
        """The highest price that somebody bids for YES."""
        return max(self.bids, default=None)

    @property
    def best_ask(self) -> int | None:
        """The lowest price at which somebody offers YES."""
        return min(self.asks, default=None)


class BookFeed:
    """A local book and the stream that keeps it up to date, over reconnections too."""

    def __init__(self, subscription: Subscription) -> None:
        """Follow `subscription`, which asks for depth first."""
        self._subscription = subscription
        self.book = LocalBook(subscription.stream)
        self._take_levels()

    def _take_levels(self) -> None:
        subscription = self._subscription
        if subscription.levels is not None:
            self.book.reset(subscription.levels_sequence, subscription.levels)
            subscription.levels = None

    async def updates(self) -> AsyncIterator[Event]:
        """Yield the market's events, each after the book has followed it."""
        while True:
            frames = await self._subscription.batch()
            if not frames and self._subscription.levels is None:
                return
            self._take_levels()
            for event in iterate_events(frames):
                self.book.apply(event)
                yield event

    async def until(self, sequence: int) -> LocalBook:
        """Return the book once it has got to `sequence`."""
        if self.book.sequence < sequence:
            async for _ in self.updates():
                if self.book.sequence >= sequence:
                    break
        return self.book

    def close(self) -> None:
        """Follow no more."""
        self._subscription.close()


class MarketData:
    """Subscriptions. Each survives reconnections without gaps or repetitions."""

    def __init__(self, reader: Reader) -> None:
        """Subscribe through `reader`."""
        self._reader = reader

    async def executions(self, account: int = 0) -> Subscription:
        """Follow the private stream of an account, by default one's own.

        A broker's 0 means all accounts.
        """
        await self._reader.connected()
        stream = account or self._reader.account
        return await self._reader.subscribe(messages.EXECUTIONS, stream)

    async def market(self, market: int = 0) -> Subscription:
        """Follow the public stream of a market, 0 for all: fills, depth and its life."""
        return await self._reader.subscribe(messages.MARKET_DATA, market)

    async def venue(self) -> Subscription:
        """Follow the venue's own stream; only for brokers and operators."""
        return await self._reader.subscribe(messages.VENUE, 0)

    async def book(self, market: int) -> BookFeed:
        """Follow a market's depth: the whole of it first, and then what changes."""
        subscription = await self._reader.subscribe(messages.MARKET_DATA, market, with_depth=True)
        return BookFeed(subscription)
