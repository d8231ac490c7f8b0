"""The rules of a market: what trading in it costs and is bound to."""

from librt.strings import BytesWriter, read_i64_le, write_i64_le
from mypy_extensions import i64

from node.domain import records
from node.domain.units import PRICE_SCALE
from node.engine.fee_schedule import FeeSchedule
from node.engine.fields import i32_at, write_pair
from node.engine.pages import Page, Record


class MarketRules(Record):
    """What an operator may change while the market lives, apart from its state."""

    def __init__(self, market: i64, schedule: FeeSchedule) -> None:
        """Make the rules of a new market, which are on no page yet."""
        self.market: i64 = market
        # What the next order agrees to; those that rest keep theirs.
        self.schedule: FeeSchedule = schedule
        # Prices under `edge`, or as near to the other end, are multiples of the finer edge tick; 0
        # for a grid that is the same everywhere.
        self.edge: i64 = 0
        self.edge_tick: i64 = 0
        # Of any order in lots, and of one that crosses in micro-USDC, at its limit.
        self.min_lots: i64 = 0
        self.min_value: i64 = 0
        # How far from the reference an order's price may be; 0 for any.
        self.band: i64 = 0
        # How far fills may move within the window before the market pauses; 0 for any.
        self.move: i64 = 0
        self.window_ns: i64 = 0
        self.pause_ns: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.market, self.schedule.number)
        write_pair(out, self.edge, self.edge_tick)
        write_i64_le(out, self.min_lots)
        write_i64_le(out, self.min_value)
        write_pair(out, self.band, self.move)
        write_i64_le(out, self.window_ns)
        write_i64_le(out, self.pause_ns)

    def has_guards(self) -> bool:
        """Return whether the market's prices are watched."""
        return self.band != 0 or self.move != 0

    def is_edge_price(self, price: i64) -> bool:
        """Return whether a price, seen from YES or from NO, is on the grid of the edges."""
        if self.edge == 0 or self.edge <= price <= PRICE_SCALE - self.edge:
            return False
        return price % self.edge_tick == 0


def read_rules(value: bytes, at: i64, rules: MarketRules) -> None:
    """Take what a RULES record says, apart from the schedule."""
    rules.edge = i32_at(value, at + records.RULES_EDGE)
    rules.edge_tick = i32_at(value, at + records.RULES_EDGE_TICK)
    rules.min_lots = read_i64_le(value, at + records.RULES_MIN_LOTS)
    rules.min_value = read_i64_le(value, at + records.RULES_MIN_VALUE)
    rules.band = i32_at(value, at + records.RULES_BAND)
    rules.move = i32_at(value, at + records.RULES_MOVE)
    rules.window_ns = read_i64_le(value, at + records.RULES_WINDOW)
    rules.pause_ns = read_i64_le(value, at + records.RULES_PAUSE)
