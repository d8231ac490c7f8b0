"""The times of a market: when a market opens and closes by itself."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.pages import Page, Record


class MarketTimes(Record):
    """Times of the log, 0 for none; a market without either has none."""

    def __init__(self, market: i64) -> None:
        """Make times that are not set and are on no page yet."""
        self.market: i64 = market
        self.opens_at: i64 = 0
        self.closes_at: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.market)
        write_i64_le(out, self.opens_at)
        write_i64_le(out, self.closes_at)
