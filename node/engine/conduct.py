"""Conduct: which orders of an account or of a key are doomed, and when it may send again."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.fields import write_pair
from node.engine.pages import Page, Record


class Conduct(Record):
    """What is remembered of an account or a key that was stopped, or is paced.

    Orders with ids under the watermark are to be closed for `reason`, whether or not the sweep has
    reached them. `busy_until_ns` is when all that was sent has been paid for, at the pace allowed:
    a token bucket in one number.
    """

    def __init__(self, number: i64) -> None:
        """Make the conduct of `scope << 32 | subject`, without a blemish."""
        self.number: i64 = number
        self.watermark: i64 = 0
        self.reason: i64 = 0
        self.busy_until_ns: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.number)
        write_i64_le(out, self.watermark)
        write_pair(out, self.reason, 0)
        write_i64_le(out, self.busy_until_ns)

    def wait_ns(self, now_ns: i64, cost_ns: i64, burst_ns: i64) -> i64:
        """Return how long to wait before what costs `cost_ns` may be sent, 0 for not at all."""
        begins = max(self.busy_until_ns, now_ns)
        return max(begins + cost_ns - burst_ns - now_ns, 0)

    def pay(self, now_ns: i64, cost_ns: i64) -> None:
        """Note that something was sent; the page must be touched."""
        self.busy_until_ns = max(self.busy_until_ns, now_ns) + cost_ns
