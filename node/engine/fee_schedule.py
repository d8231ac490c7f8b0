"""Fee schedules: what orders cost, numbered, and never changed once made."""

from librt.strings import BytesWriter, read_i64_le, write_i64_le
from mypy_extensions import i64

from node.domain import records
from node.domain.terms import SHAPED
from node.engine.fields import i32_at, write_pair
from node.engine.pages import Page, Record


class FeeSchedule(Record):
    """Rates in basis points of a base that `shape` names, for taker and maker.

    `rebate_bps` is the maker's share of the taker's fee, in 1/10,000; `cap` the most that one order
    pays, in micro-USDC, 0 for no cap.
    """

    def __init__(
        self, shape: i64, taker_bps: i64, maker_bps: i64, rebate_bps: i64, cap: i64
    ) -> None:
        """Make a schedule that has no number yet."""
        self.number: i64 = 0
        self.shape: i64 = shape
        self.taker_bps: i64 = taker_bps
        self.maker_bps: i64 = maker_bps
        self.rebate_bps: i64 = rebate_bps
        self.cap: i64 = cap
        self.bps_max: i64 = max(taker_bps, maker_bps)
        self.page: Page | None = None

    def terms(self) -> bytes:
        """Return what the schedule says, apart from its number: equal for equal ones."""
        out = BytesWriter()
        write_pair(out, self.shape, self.taker_bps)
        write_pair(out, self.maker_bps, self.rebate_bps)
        write_i64_le(out, self.cap)
        return out.getvalue()

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.number, self.shape)
        write_pair(out, self.taker_bps, self.maker_bps)
        write_i64_le(out, self.rebate_bps)
        write_i64_le(out, self.cap)


def read_schedule(value: bytes, at: i64) -> FeeSchedule:
    """Return the schedule that a SCHEDULE record holds."""
    schedule = FeeSchedule(
        i32_at(value, at + records.SCHEDULE_SHAPE),
        i32_at(value, at + records.SCHEDULE_TAKER_BPS),
        i32_at(value, at + records.SCHEDULE_MAKER_BPS),
        i32_at(value, at + records.SCHEDULE_REBATE_BPS),
        read_i64_le(value, at + records.SCHEDULE_CAP),
    )
    schedule.number = i32_at(value, at + records.SCHEDULE_NUMBER)
    return schedule


def no_fees() -> FeeSchedule:
    """Return a schedule without a number that costs nothing: what stands until one is known."""
    return FeeSchedule(SHAPED, 0, 0, 0, 0)
