"""State as canonical records, read from pages without the engine.

An audit that reused the engine's own objects would share its mistakes: here only the layouts of
`node.domain.records` are trusted, and every number is a Python integer, which cannot wrap.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Final, NamedTuple, TypeVar

from node.domain.identifiers import NAME_SIZE
from node.domain.records import (
    ACCOUNT,
    ACCOUNT_SIZE,
    EVENT,
    EVENT_SIZE,
    GROUP,
    GROUP_SIZE,
    MARKET,
    MARKET_SIZE,
    ORDER,
    ORDER_SIZE,
    PAGE_SHIFT,
    POSITION,
    POSITION_SIZE,
    RULES,
    RULES_SIZE,
    SCHEDULE,
    SCHEDULE_SIZE,
    TREASURY,
    TREASURY_SIZE,
    VENUE,
    WITHDRAWAL,
    WITHDRAWAL_SIZE,
)
from node.domain.terms import BUY_NO, BUY_YES, SELL_NO
from node.domain.units import NANOSECONDS_PER_SECOND, PRICE_SCALE

_KEY: Final = Struct(">hq")
_VENUE: Final = Struct("<32sqqii")
_TREASURY: Final = Struct("<6q6i3q")
_EVENT: Final = Struct(f"<6iq{NAME_SIZE}s")
_MARKET: Final = Struct(f"<8i4q{NAME_SIZE}s")
_ACCOUNT: Final = Struct("<2i20si6q")
_POSITION: Final = Struct("<q2i7q")
_ORDER: Final = Struct("<2q3i2h3q2iq4iq")
_SCHEDULE: Final = Struct("<5i4xq")
_RULES: Final = Struct("<4i2q2i2q")
_WITHDRAWAL: Final = Struct("<qi4xq")
_GROUP: Final = Struct("<2i4q16q")

assert _TREASURY.size == TREASURY_SIZE
assert _EVENT.size == EVENT_SIZE
assert _MARKET.size == MARKET_SIZE
assert _ACCOUNT.size == ACCOUNT_SIZE
assert _POSITION.size == POSITION_SIZE
assert _ORDER.size == ORDER_SIZE
assert _SCHEDULE.size == SCHEDULE_SIZE
assert _RULES.size == RULES_SIZE
assert _WITHDRAWAL.size == WITHDRAWAL_SIZE
assert _GROUP.size == GROUP_SIZE


class VenueRecord(NamedTuple):
    """Where the venue stands; the rest of its record is not money."""

    chain_digest: bytes
    log_index: int
    stamp_ns: int
    rules_version: int
    shard: int


class TreasuryRecord(NamedTuple):
    """Money that belongs to no account, and the counters that hand out ids."""

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


class EventRecord(NamedTuple):
    """A group of markets."""

    number: int
    exclusive: int
    markets: int
    settled: int
    price_sum: int
    started: int
    collateral: int
    name: bytes


class MarketRecord(NamedTuple):
    """A market's rules and what it holds for its shares."""

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
    name: bytes


class AccountRecord(NamedTuple):
    """An account's cash."""

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
    """What an account owns of a market, in lots."""

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
    """A resting order; `price` is in its owner's terms."""

    id: int
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

    @property
    def is_bid(self) -> bool:
        """Return whether it stands on the bid side of the YES book."""
        return self.intent in (BUY_YES, SELL_NO)

    @property
    def is_buy(self) -> bool:
        """Return whether it locks cash rather than shares."""
        return self.intent in (BUY_YES, BUY_NO)

    @property
    def yes_price(self) -> int:
        """Return its price in YES terms."""
        return PRICE_SCALE - self.price if self.intent in (BUY_NO, SELL_NO) else self.price


class ScheduleRecord(NamedTuple):
    """A fee schedule; orders and markets name it by its number."""

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


class WithdrawalRecord(NamedTuple):
    """Money that is to leave and waits for an answer."""

    id: int
    account: int
    amount: int


class GroupRecord(NamedTuple):
    """A limit to what some orders of an account fill together."""

    number: int
    account: int
    limit: int
    state: int
    watermark: int
    newest: int
    buckets: tuple[int, ...]

    @classmethod
    def of_fields(cls, *fields: int) -> "GroupRecord":
        """Return the record of these fields, the buckets one by one."""
        return cls._make((*fields[:6], fields[6:]))

    def filled(self, now_ns: int) -> int:
        """Return the lots that count at a time: of its second and the 15 before it."""
        oldest = max(now_ns // NANOSECONDS_PER_SECOND, self.newest) - len(self.buckets)
        seconds = range(oldest + 1, self.newest + 1)
        return sum(self.buckets[second % len(self.buckets)] for second in seconds)


class CanonicalState(NamedTuple):
    """The records that money and orders consist of, in order of their numbers."""

    venue: VenueRecord | None
    treasury: TreasuryRecord
    events: list[EventRecord]
    markets: list[MarketRecord]
    accounts: list[AccountRecord]
    positions: list[PositionRecord]
    orders: list[OrderRecord]
    schedules: list[ScheduleRecord]
    rules: list[RulesRecord]
    withdrawals: list[WithdrawalRecord]
    groups: list[GroupRecord]


class CanonicalStateError(ValueError):
    """Pages that no venue encodes.

    A record on the wrong page, of the wrong size, or out of order.
    """


def read_state(pages: Iterable[tuple[bytes, bytes]]) -> CanonicalState:
    """Return the records in `pages` (key order); kinds without money or orders are skipped.

    Raises CanonicalStateError when a page has a broken record, or records out of order or on the
    wrong page.
    """
    by_kind: dict[int, list[tuple[int, bytes]]] = {}
    for key, content in pages:
        kind, number = _KEY.unpack(key)
        by_kind.setdefault(kind, []).append((number, content))
    venue = [content for _, content in by_kind.get(VENUE, [])]
    treasury = _records(by_kind, TREASURY, _TREASURY, TreasuryRecord, lambda _: 0)
    return CanonicalState(
        VenueRecord(*_VENUE.unpack_from(venue[0])) if venue else None,
        treasury[0] if treasury else TreasuryRecord(*(0,) * len(TreasuryRecord._fields)),
        _records(by_kind, EVENT, _EVENT, EventRecord, lambda event: event.number),
        _records(by_kind, MARKET, _MARKET, MarketRecord, lambda market: market.number),
        _records(by_kind, ACCOUNT, _ACCOUNT, AccountRecord, lambda account: account.number),
        _records(by_kind, POSITION, _POSITION, PositionRecord, lambda position: position.number),
        _records(by_kind, ORDER, _ORDER, OrderRecord, lambda order: order.id),
        _records(by_kind, SCHEDULE, _SCHEDULE, ScheduleRecord, lambda schedule: schedule.number),
        _records(by_kind, RULES, _RULES, RulesRecord, lambda rules: rules.market),
        _records(by_kind, WITHDRAWAL, _WITHDRAWAL, WithdrawalRecord, lambda request: request.id),
        _records(
            by_kind,
            GROUP,
            _GROUP,
            GroupRecord.of_fields,
            lambda group: group.account << 32 | group.number,
        ),
    )


_Record = TypeVar("_Record", bound=tuple[object, ...])


def _records(
    by_kind: dict[int, list[tuple[int, bytes]]],
    kind: int,
    layout: Struct,
    make: Callable[..., _Record],
    number_of: Callable[[_Record], int],
) -> list[_Record]:
    records: list[_Record] = []
    last = -1
    for page, content in by_kind.get(kind, []):
        if not content or len(content) % layout.size:
            raise CanonicalStateError(
                f"page {page} of kind {kind} has {len(content)} bytes, not records of {layout.size}"
            )
        for fields in layout.iter_unpack(content):
            record = make(*fields)
            number = number_of(record)
            if number <= last or number >> PAGE_SHIFT != page:
                raise CanonicalStateError(
                    f"page {page} of kind {kind} holds number {number} behind {last}"
                )
            last = number
            records.append(record)
    return records
