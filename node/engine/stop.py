"""A stop: the kill switch of a key, an account, a market or the venue, while it is on."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.fields import write_pair
from node.engine.pages import Page, Record


class Stop(Record):
    """Who stopped what and why, and the sweep that closes what was working, 0 once it has."""

    def __init__(self, number: i64, reason: i64, by: i64, reference: i64) -> None:
        """Make the stop of `scope << 32 | subject` by the key `by`."""
        self.number: i64 = number
        self.reason: i64 = reason
        self.by: i64 = by
        self.reference: i64 = reference
        self.sweep: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.number)
        write_pair(out, self.reason, self.by)
        write_i64_le(out, self.reference)
        write_i64_le(out, self.sweep)
