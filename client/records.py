"""Records of state, as queries answer them."""

from __future__ import annotations

import struct
from typing import NamedTuple

from node.domain.limits import LIMIT_COUNT
from node.domain.units import NANOSECONDS_PER_SECOND


class AccountRecord(NamedTuple):
    """An account; cash is in micro-USDC."""

    number: int
    mode: int
    address: bytes
    positions: int
    cash_free: int
    cash_locked: int
    stream_sequence: int
    orders: int
    bid_watermark: int
    ask_watermark: int


class PositionRecord(NamedTuple):
    """An account's shares in one market, in lots."""

    number: int
    account: int
    market: int
    yes_free: int
    yes_locked: int
    no_free: int
    no_locked: int
    bid_watermark: int
    ask_watermark: int
    place: int


class OrderRecord(NamedTuple):
    """A resting order; the price is in the terms of its intent."""

    order_id: int
    client_order_id: int
    account: int
    market: int
    price: int
    intent: int
    time_in_force: int
    lots: int
    leaves: int
    fee_whole: int
    fee_rest: int
    rebate_rest: int
    expiry_ns: int
    key: int
    group: int
    flags: int
    schedule: int
    priority: int


class OrderGroupRecord(NamedTuple):
    """A group of an account's orders; `state` is of `OrderGroupState`.

    `buckets` are lots by seconds of the log's time: that of second n is at n mod 16, and `newest`
    the last that has any.
    """

    number: int
    account: int
    limit: int
    state: int
    watermark: int
    newest: int
    buckets: tuple[int, ...]

    def filled(self, now_ns: int) -> int:
        """Return the lots that count at a time of the log: of its second and the 15 before it."""
        oldest = now_ns // NANOSECONDS_PER_SECOND - len(self.buckets)
        seconds = range(max(oldest, self.newest - len(self.buckets)) + 1, self.newest + 1)
        return sum(self.buckets[second % len(self.buckets)] for second in seconds)


class ClearingRecord(NamedTuple):
    """Where a called market would clear: the YES price, what would be exchanged, what is left over.

    `surplus` is in lots that bid too much, or, below 0, that ask too much.
    """

    price: int
    lots: int
    surplus: int


class MarketRecord(NamedTuple):
    """A market."""

    number: int
    event: int
    state: int
    tick: int
    taker_fee_bps: int
    maker_fee_bps: int
    price: int
    sweeps: int
    collateral: int
    stream_sequence: int
    orders: int
    volume: int
    name: str


class EventRecord(NamedTuple):
    """An event, which groups markets."""

    number: int
    exclusive: int
    markets: int
    settled: int
    price_sum: int
    started: int
    collateral: int
    name: str


class LevelRecord(NamedTuple):
    """One level of a market's depth."""

    price: int
    side: int
    lots: int


class TreasuryRecord(NamedTuple):
    """The venue's totals, in micro-USDC where they are money."""

    deposits: int
    fees: int
    deposit_cursor: int
    collateral: int
    orders: int
    fills: int
    accounts: int
    events: int
    markets: int
    positions: int
    fee_account: int
    schedules: int
    withdrawn: int
    pending: int
    withdrawals: int


class ScheduleRecord(NamedTuple):
    """A fee schedule: rates in basis points, the cap in micro-USDC an order."""

    number: int
    shape: int
    taker_bps: int
    maker_bps: int
    rebate_bps: int
    cap: int


class RulesRecord(NamedTuple):
    """What trading in a market is bound to."""

    market: int
    schedule: int
    edge: int
    edge_tick: int
    min_lots: int
    min_value: int
    band: int
    move: int
    window_ns: int
    pause_ns: int


class StatusRecord(NamedTuple):
    """The venue itself, as the node that answers has applied it."""

    chain_digest: bytes
    log_index: int
    stamp_ns: int
    rules_version: int
    shard: int
    stream_sequence: int
    checkpoint_bytes: int
    commands: int
    sweep_head: int
    sweep_tail: int
    keys: int
    sessions: int
    limits: tuple[int, ...]


_ACCOUNT = struct.Struct("<ii20siqqqqqq")
_POSITION = struct.Struct("<qiiqqqqqqq")
_ORDER = struct.Struct("<qqiiihhqqqiiqiiiiq")
_ORDER_GROUP = struct.Struct("<iiqqqq16q")
_CLEARING = struct.Struct("<qqq")
_MARKET = struct.Struct("<iiiiiiiiqqqq64s")
_EVENT = struct.Struct("<iiiiiiq64s")
_LEVEL = struct.Struct("<iiq")
_TREASURY = struct.Struct("<qqqqqqiiiiiiqqq")
_SCHEDULE = struct.Struct("<iiiii4xq")
_RULES = struct.Struct("<iiiiqqiiqq")
_STATUS = struct.Struct(f"<32sqqiiqqqqqqq{LIMIT_COUNT}q")


def parse_accounts(records: bytes) -> list[AccountRecord]:
    """Read account records."""
    return [AccountRecord._make(fields) for fields in _ACCOUNT.iter_unpack(records)]


def parse_positions(records: bytes) -> list[PositionRecord]:
    """Read position records."""
    return [PositionRecord._make(fields) for fields in _POSITION.iter_unpack(records)]


def parse_orders(records: bytes) -> list[OrderRecord]:
    """Read order records."""
    return [OrderRecord._make(fields) for fields in _ORDER.iter_unpack(records)]


def parse_order_groups(records: bytes) -> list[OrderGroupRecord]:
    """Read records of order groups."""
    found = _ORDER_GROUP.iter_unpack(records)
    return [OrderGroupRecord._make((*fields[:6], fields[6:])) for fields in found]


def parse_clearings(records: bytes) -> list[ClearingRecord]:
    """Read records of where markets clear."""
    return [ClearingRecord._make(fields) for fields in _CLEARING.iter_unpack(records)]


def parse_markets(records: bytes) -> list[MarketRecord]:
    """Read market records."""
    return [
        MarketRecord._make((*fields[:-1], _name(fields[-1])))
        for fields in _MARKET.iter_unpack(records)
    ]


def parse_events(records: bytes) -> list[EventRecord]:
    """Read event records."""
    return [
        EventRecord._make((*fields[:-1], _name(fields[-1])))
        for fields in _EVENT.iter_unpack(records)
    ]


def parse_levels(records: bytes) -> list[LevelRecord]:
    """Read levels of depth."""
    return [LevelRecord._make(fields) for fields in _LEVEL.iter_unpack(records)]


def parse_treasury(record: bytes) -> TreasuryRecord:
    """Read the treasury."""
    return TreasuryRecord._make(_TREASURY.unpack(record))


def parse_schedules(records: bytes) -> list[ScheduleRecord]:
    """Read fee schedules."""
    return [ScheduleRecord._make(fields) for fields in _SCHEDULE.iter_unpack(records)]


def parse_rules(record: bytes) -> RulesRecord:
    """Read a market's rules."""
    return RulesRecord._make(_RULES.unpack(record))


def parse_status(record: bytes) -> StatusRecord:
    """Read the venue's own record."""
    fields = _STATUS.unpack(record)
    return StatusRecord._make((*fields[:12], fields[12:]))


def _name(raw: bytes) -> str:
    return raw.rstrip(b"\x00").decode()
