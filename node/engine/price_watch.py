"""Watching a market's prices: how far they have moved within a window that rolls in eighths.

Time is cut into slices of an eighth of the window. The window is the slice of now and the seven
before it, so it covers seven eighths of its length at least and all of it at most.
"""

from librt.strings import BytesWriter, read_i64_le, write_i64_le
from mypy_extensions import i64

from node.domain.records import WATCH_RANGES, WATCH_REFERENCE, WATCH_SLICE, WATCH_SLICES
from node.engine.fields import i32_at, write_pair
from node.engine.market_rules import MarketRules
from node.engine.pages import Page, Record


class PriceSpan:
    """The lowest and the highest price within a window, 0 for none, and how far apart they may be.

    A move of 0 lets every price in.
    """

    def __init__(self, low: i64, high: i64, move: i64) -> None:
        """Hold what the window has seen."""
        self.low: i64 = low
        self.high: i64 = high
        self.move: i64 = move

    def admits(self, price: i64) -> bool:
        """Return whether a fill at `price` stays within the move; if so, take it in."""
        if self.low == 0:
            self.low = price
            self.high = price
        low = min(self.low, price)
        high = max(self.high, price)
        if self.move != 0 and high - low > self.move:
            return False
        self.low = low
        self.high = high
        return True


class PriceWatch(Record):
    """The reference price of a market with guards, and the range of its fills by slices."""

    def __init__(self, rules: MarketRules) -> None:
        """Start without a reference and an empty window."""
        self.rules: MarketRules = rules
        # The price of the last fill, or what an operator has set; 0 for none.
        self.reference: i64 = 0
        # The newest slice that has anything, and each slice's range at its number mod 8.
        self.slice: i64 = 0
        self.lows: list[int] = [0] * WATCH_SLICES
        self.highs: list[int] = [0] * WATCH_SLICES
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.rules.market, self.reference)
        write_i64_le(out, self.slice)
        for place in range(WATCH_SLICES):
            write_pair(out, self.lows[place], self.highs[place])

    def slice_at(self, stamp_ns: i64) -> i64:
        """Return the number of the slice that a time of the log falls into."""
        if self.rules.move == 0:
            return 0
        return stamp_ns // (self.rules.window_ns // WATCH_SLICES)

    def span(self, stamp_ns: i64) -> PriceSpan:
        """Return what the window that ends now has seen."""
        now = self.slice_at(stamp_ns)
        low: i64 = 0
        high: i64 = 0
        number = max(self.slice - WATCH_SLICES, now - WATCH_SLICES) + 1
        while number <= self.slice:
            # Before the first window is full, places of slices that never were are empty.
            place = number % WATCH_SLICES
            lowest: i64 = self.lows[place]
            if lowest != 0:
                low = lowest if low == 0 else min(low, lowest)
                high = max(high, self.highs[place])
            number += 1
        return PriceSpan(low, high, self.rules.move)

    def note(self, price: i64, stamp_ns: i64) -> None:
        """Take in a fill; the page must be touched."""
        self.reference = price
        now = self.slice_at(stamp_ns)
        number = max(self.slice, now - WATCH_SLICES) + 1
        while number <= now:
            self.lows[number % WATCH_SLICES] = 0
            self.highs[number % WATCH_SLICES] = 0
            number += 1
        self.slice = now
        place = now % WATCH_SLICES
        lowest: i64 = self.lows[place]
        self.lows[place] = price if lowest == 0 else min(lowest, price)
        highest: i64 = self.highs[place]
        self.highs[place] = max(highest, price)

    def empty(self) -> None:
        """Forget what the window has seen; the page must be touched."""
        self.slice = 0
        for place in range(WATCH_SLICES):
            self.lows[place] = 0
            self.highs[place] = 0


def read_watch(value: bytes, at: i64, rules: MarketRules) -> PriceWatch:
    """Return the watch that a WATCH record holds."""
    watch = PriceWatch(rules)
    watch.reference = i32_at(value, at + WATCH_REFERENCE)
    watch.slice = read_i64_le(value, at + WATCH_SLICE)
    for place in range(WATCH_SLICES):
        start = at + WATCH_RANGES + 8 * place
        watch.lows[place] = i32_at(value, start)
        watch.highs[place] = i32_at(value, start + 4)
    return watch
