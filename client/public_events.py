"""What happens in one market: events of public streams."""

from __future__ import annotations

from typing import NamedTuple

from client.event_header import Header


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


class ResolutionProposed(NamedTuple):
    """What a market will come to at `final_at_ns` if nobody disputes it."""

    header: Header
    price: int
    round: int
    final_at_ns: int
    evidence: bytes


class ResolutionDisputed(NamedTuple):
    """What was proposed must be decided, in a new round; key 0 is the venue itself."""

    header: Header
    key: int
    round: int
    evidence: bytes


class Attested(NamedTuple):
    """A resolver's word on a market, and how many now say the same."""

    header: Header
    key: int
    round: int
    price: int
    agreeing: int
    evidence: bytes
