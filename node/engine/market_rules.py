"""The rules of a market: what trading in it costs and is bound to."""

from librt.strings import BytesWriter
from mypy_extensions import i64

from node.engine.fee_schedule import FeeSchedule
from node.engine.fields import write_pair
from node.engine.pages import Page, Record


class MarketRules(Record):
    """What an operator may change while the market lives, apart from its state."""

    def __init__(self, market: i64, schedule: FeeSchedule) -> None:
        """Make the rules of a new market, which are on no page yet."""
        self.market: i64 = market
        # What the next order agrees to; those that rest keep theirs.
        self.schedule: FeeSchedule = schedule
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.market, self.schedule.number)
