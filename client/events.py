"""Events as values: decoded one at a time, when somebody looks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from node.domain import events as layout


class Header(NamedTuple):
    """What every event begins with.

    (log_index, ordinal) names it; stream_sequence is gapless within its stream.
    """

    kind: int
    log_index: int
    ordinal: int
    stream: int
    stream_sequence: int
    stamp_ns: int


class OrderRested(NamedTuple):
    """What is left of an order stands in the book."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    price: int
    leaves: int
    intent: int


class OrderFilled(NamedTuple):
    """An order traded; price and intent are the owner's, the fee is in micro-USDC."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    price: int
    lots: int
    leaves: int
    fill_id: int
    fee: int
    intent: int
    liquidity: int


class OrderReduced(NamedTuple):
    """An order became smaller."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    by: int
    leaves: int


class OrderAmended(NamedTuple):
    """An order has another price or size; unless it keeps its place it may fill, then rest."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    price: int
    lots: int
    leaves: int
    keeps_place: int


class OrderClosed(NamedTuple):
    """An order left the book other than by filling; `leaves` is what was not filled."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    reason: int
    leaves: int


class OrderGroupChanged(NamedTuple):
    """What a group of orders now is (`OrderGroupState`), its limit, and what it has filled."""

    header: Header
    number: int
    state: int
    limit: int
    filled: int


class Deposited(NamedTuple):
    """Cash came in."""

    header: Header
    amount: int
    cash_free: int
    cursor: int


class SetsChanged(NamedTuple):
    """A split (lots above 0) or a merge on request (below)."""

    header: Header
    market: int
    lots: int
    cash_free: int


class Redeemed(NamedTuple):
    """Shares of a settled market became cash."""

    header: Header
    market: int
    price: int
    yes: int
    no: int
    amount: int


class FeeReceived(NamedTuple):
    """A maker's share of its taker's fee; with order 0, what the fee account is given."""

    header: Header
    order_id: int
    client_order_id: int
    market: int
    fill_id: int
    amount: int


class Converted(NamedTuple):
    """NO of the named outcomes (a bit an ordinal) became cash and YES of the others."""

    header: Header
    event: int
    lots: int
    cash: int
    cash_free: int
    outcomes: bytes


class OutcomesMerged(NamedTuple):
    """YES of all outcomes of an event became cash."""

    header: Header
    event: int
    lots: int
    cash_free: int


class Fill(NamedTuple):
    """A public fill; the price is in YES terms."""

    header: Header
    fill_id: int
    price: int
    kind: int
    lots: int
    taker_side: int
    maker_order_id: int
    taker_order_id: int


class DepthChanged(NamedTuple):
    """A price level of the YES book now holds `lots`; 0 means that it is gone."""

    header: Header
    price: int
    side: int
    lots: int


class MarketStateChanged(NamedTuple):
    """A market moved on in its life; `price` is its resolution."""

    header: Header
    state: int
    price: int


class MarketCreated(NamedTuple):
    """A market came into being."""

    header: Header
    event: int
    tick: int
    taker_fee_bps: int
    maker_fee_bps: int
    name: bytes


class ScheduleChanged(NamedTuple):
    """What the orders that come from now on agree to pay."""

    header: Header
    schedule: int
    shape: int
    taker_bps: int
    maker_bps: int
    rebate_bps: int
    cap: int


class GridChanged(NamedTuple):
    """Which prices and sizes orders may have from now on."""

    header: Header
    tick: int
    edge: int
    edge_tick: int
    min_lots: int
    min_value: int


class MarketPaused(NamedTuple):
    """A fill at `price` would have moved the market too far: it pauses until then."""

    header: Header
    price: int
    until_ns: int


class GuardsChanged(NamedTuple):
    """How far orders and fills may be from the prices before them."""

    header: Header
    reference: int
    band: int
    move: int
    window_ns: int
    pause_ns: int


class MarketPauseSet(NamedTuple):
    """A market or its event is paused at a level from now on; 0 ends the pause of that scope."""

    header: Header
    scope: int
    level: int


class OutcomeNamed(NamedTuple):
    """A placeholder has a name from now on."""

    header: Header
    name: bytes


class MarketTimesSet(NamedTuple):
    """When a market opens and closes by itself, 0 for never."""

    header: Header
    opens_at_ns: int
    closes_at_ns: int


class AuctionPriced(NamedTuple):
    """At which YES price a called market is uncrossed; lots and surplus are those of its depth."""

    header: Header
    price: int
    lots: int
    surplus: int


class AuctionScheduled(NamedTuple):
    """When a market's call phase begins by itself, 0 for never."""

    header: Header
    begins_at_ns: int


class OtherEvent(NamedTuple):
    """An event that has no class here: its bytes behind the header."""

    header: Header
    body: bytes


Event = (
    OrderRested
    | OrderFilled
    | OrderReduced
    | OrderAmended
    | OrderClosed
    | OrderGroupChanged
    | Deposited
    | SetsChanged
    | Redeemed
    | Converted
    | OutcomesMerged
    | FeeReceived
    | Fill
    | DepthChanged
    | MarketStateChanged
    | MarketCreated
    | ScheduleChanged
    | GridChanged
    | MarketPaused
    | GuardsChanged
    | MarketPauseSet
    | MarketTimesSet
    | AuctionPriced
    | AuctionScheduled
    | OutcomeNamed
    | OtherEvent
)

_HEADER = struct.Struct("<4xhxxqiiqq")
_BODIES: dict[int, tuple[type[Event], struct.Struct]] = {
    layout.ORDER_RESTED: (OrderRested, struct.Struct("<40xqqiiqh6x")),
    layout.ORDER_FILLED: (OrderFilled, struct.Struct("<40xqqiiqqqqhxxi")),
    layout.ORDER_REDUCED: (OrderReduced, struct.Struct("<40xqqi4xqq")),
    layout.ORDER_AMENDED: (OrderAmended, struct.Struct("<40xqqiiqqi4x")),
    layout.ORDER_CLOSED: (OrderClosed, struct.Struct("<40xqqiiq")),
    layout.ORDER_GROUP_CHANGED: (OrderGroupChanged, struct.Struct("<40xiiqq")),
    layout.DEPOSITED: (Deposited, struct.Struct("<40xqqq")),
    layout.SETS_CHANGED: (SetsChanged, struct.Struct("<40xi4xqq")),
    layout.REDEEMED: (Redeemed, struct.Struct("<40xiiqqq")),
    layout.FEE_RECEIVED: (FeeReceived, struct.Struct("<40xqqi4xqq")),
    layout.CONVERTED: (Converted, struct.Struct("<40xi4xqqq128s")),
    layout.OUTCOMES_MERGED: (OutcomesMerged, struct.Struct("<40xi4xqq")),
    layout.OUTCOME_NAMED: (OutcomeNamed, struct.Struct("<40x64s")),
    layout.FILL: (Fill, struct.Struct("<40xqiiqi4xqq")),
    layout.DEPTH: (DepthChanged, struct.Struct("<40xiiq")),
    layout.MARKET_STATE: (MarketStateChanged, struct.Struct("<40xii")),
    layout.MARKET_CREATED: (MarketCreated, struct.Struct("<40xiiii64s")),
    layout.GRID_CHANGED: (GridChanged, struct.Struct("<40xiii4xqq")),
    layout.MARKET_PAUSED: (MarketPaused, struct.Struct("<40xi4xq")),
    layout.GUARDS_CHANGED: (GuardsChanged, struct.Struct("<40xiii4xqq")),
    layout.SCHEDULE_CHANGED: (ScheduleChanged, struct.Struct("<40xiiiii4xq")),
    layout.MARKET_PAUSE_SET: (MarketPauseSet, struct.Struct("<40xii")),
    layout.AUCTION_PRICED: (AuctionPriced, struct.Struct("<40xqqq")),
    layout.AUCTION_SCHEDULED: (AuctionScheduled, struct.Struct("<40xq")),
    layout.MARKET_TIMES_SET: (MarketTimesSet, struct.Struct("<40xqq")),
}


def parse_header(frames: bytes, offset: int = 0) -> Header:
    """Read the header of the event at `offset`."""
    return Header._make(_HEADER.unpack_from(frames, offset))


def parse_event(frames: bytes, offset: int = 0) -> Event:
    """Read the event at `offset`; one of a kind that is not known here gives an OtherEvent."""
    header = parse_header(frames, offset)
    known = _BODIES.get(header.kind)
    if known is None:
        length = int.from_bytes(frames[offset : offset + 4], "little")
        return OtherEvent(header, frames[offset + layout.EVENT_HEADER_SIZE : offset + length])
    kind, body = known
    return kind(header, *body.unpack_from(frames, offset))


def iterate_events(frames: bytes) -> Iterator[Event]:
    """Yield the events in `frames`, each decoded when it is asked for."""
    offset = 0
    while offset < len(frames):
        yield parse_event(frames, offset)
        offset += int.from_bytes(frames[offset : offset + 4], "little")
