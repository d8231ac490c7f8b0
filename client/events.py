"""Events as values: decoded one at a time, when somebody looks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from client import private_events, public_events, venue_events
from client.event_header import Header, parse_header
from node.domain import events as layout


class OtherEvent(NamedTuple):
    """An event of a kind that a newer venue has: its bytes behind the header."""

    header: Header
    body: bytes


Event = (
    private_events.OrderRested
    | private_events.OrderFilled
    | private_events.OrderReduced
    | private_events.OrderAmended
    | private_events.OrderClosed
    | private_events.OrderGroupChanged
    | private_events.Deposited
    | private_events.SetsChanged
    | private_events.Redeemed
    | private_events.FeeReceived
    | private_events.Converted
    | private_events.OutcomesMerged
    | private_events.Transferred
    | private_events.WithdrawalChanged
    | public_events.Fill
    | public_events.DepthChanged
    | public_events.MarketStateChanged
    | public_events.MarketCreated
    | public_events.ScheduleChanged
    | public_events.GridChanged
    | public_events.MarketPaused
    | public_events.GuardsChanged
    | public_events.MarketPauseSet
    | public_events.OutcomeNamed
    | public_events.MarketTimesSet
    | public_events.AuctionPriced
    | public_events.AuctionScheduled
    | public_events.ResolutionProposed
    | public_events.ResolutionDisputed
    | public_events.Attested
    | venue_events.AccountOpened
    | venue_events.SubaccountOpened
    | venue_events.EventCreated
    | venue_events.KeyGranted
    | venue_events.KeyRevoked
    | venue_events.Configured
    | venue_events.SessionOpened
    | venue_events.SessionRefused
    | venue_events.SessionEvicted
    | venue_events.CheckpointTaken
    | venue_events.PauseSet
    | venue_events.Stopped
    | venue_events.StopLifted
    | venue_events.AgentChanged
    | venue_events.BoundsChanged
    | OtherEvent
)

_BODIES: dict[int, tuple[type[Event], struct.Struct]] = {
    layout.ORDER_RESTED: (private_events.OrderRested, struct.Struct("<40xqqiiqh6x")),
    layout.ORDER_FILLED: (private_events.OrderFilled, struct.Struct("<40xqqiiqqqqhxxi")),
    layout.ORDER_REDUCED: (private_events.OrderReduced, struct.Struct("<40xqqi4xqq")),
    layout.ORDER_AMENDED: (private_events.OrderAmended, struct.Struct("<40xqqiiqqi4x")),
    layout.ORDER_CLOSED: (private_events.OrderClosed, struct.Struct("<40xqqiiq")),
    layout.ORDER_GROUP_CHANGED: (private_events.OrderGroupChanged, struct.Struct("<40xiiqq")),
    layout.DEPOSITED: (private_events.Deposited, struct.Struct("<40xqqq")),
    layout.SETS_CHANGED: (private_events.SetsChanged, struct.Struct("<40xi4xqq")),
    layout.REDEEMED: (private_events.Redeemed, struct.Struct("<40xiiqqq")),
    layout.FEE_RECEIVED: (private_events.FeeReceived, struct.Struct("<40xqqi4xqq")),
    layout.CONVERTED: (private_events.Converted, struct.Struct("<40xi4xqqq128s")),
    layout.OUTCOMES_MERGED: (private_events.OutcomesMerged, struct.Struct("<40xi4xqq")),
    layout.OUTCOME_NAMED: (public_events.OutcomeNamed, struct.Struct("<40x64s")),
    layout.FILL: (public_events.Fill, struct.Struct("<40xqiiqi4xqq")),
    layout.DEPTH: (public_events.DepthChanged, struct.Struct("<40xiiq")),
    layout.MARKET_STATE: (public_events.MarketStateChanged, struct.Struct("<40xii")),
    layout.MARKET_CREATED: (public_events.MarketCreated, struct.Struct("<40xiiii64s")),
    layout.GRID_CHANGED: (public_events.GridChanged, struct.Struct("<40xiii4xqq")),
    layout.MARKET_PAUSED: (public_events.MarketPaused, struct.Struct("<40xi4xq")),
    layout.GUARDS_CHANGED: (public_events.GuardsChanged, struct.Struct("<40xiii4xqq")),
    layout.SCHEDULE_CHANGED: (public_events.ScheduleChanged, struct.Struct("<40xiiiii4xq")),
    layout.MARKET_PAUSE_SET: (public_events.MarketPauseSet, struct.Struct("<40xii")),
    layout.AUCTION_PRICED: (public_events.AuctionPriced, struct.Struct("<40xqqq")),
    layout.AUCTION_SCHEDULED: (public_events.AuctionScheduled, struct.Struct("<40xq")),
    layout.MARKET_TIMES_SET: (public_events.MarketTimesSet, struct.Struct("<40xqq")),
    layout.TRANSFERRED: (private_events.Transferred, struct.Struct("<40xi4xqqq")),
    layout.WITHDRAWAL: (private_events.WithdrawalChanged, struct.Struct("<40xqqqi4x")),
    layout.RESOLUTION_PROPOSED: (public_events.ResolutionProposed, struct.Struct("<40xiiq32s")),
    layout.RESOLUTION_DISPUTED: (public_events.ResolutionDisputed, struct.Struct("<40xii32s")),
    layout.ATTESTED: (public_events.Attested, struct.Struct("<40xiiii32s")),
    layout.ACCOUNT_OPENED: (venue_events.AccountOpened, struct.Struct("<40xii20s4x")),
    layout.SUBACCOUNT_OPENED: (venue_events.SubaccountOpened, struct.Struct("<40xiiq")),
    layout.EVENT_CREATED: (venue_events.EventCreated, struct.Struct("<40xii64s")),
    layout.KEY_GRANTED: (venue_events.KeyGranted, struct.Struct("<40xiii4x32s")),
    layout.KEY_REVOKED: (venue_events.KeyRevoked, struct.Struct("<40xiii4x32s")),
    layout.CONFIGURED: (venue_events.Configured, struct.Struct("<40xi4xq")),
    layout.SESSION_OPENED: (venue_events.SessionOpened, struct.Struct("<40xiii4x32s")),
    layout.SESSION_REFUSED: (venue_events.SessionRefused, struct.Struct("<40xiii4x32s")),
    layout.SESSION_EVICTED: (venue_events.SessionEvicted, struct.Struct("<40xi4x")),
    layout.CHECKPOINT_TAKEN: (venue_events.CheckpointTaken, struct.Struct("<40x")),
    layout.PAUSE_SET: (venue_events.PauseSet, struct.Struct("<40xiii4x")),
    layout.STOPPED: (venue_events.Stopped, struct.Struct("<40xiiiiq")),
    layout.STOP_LIFTED: (venue_events.StopLifted, struct.Struct("<40xiiiiq")),
    layout.AGENT_CHANGED: (venue_events.AgentChanged, struct.Struct("<40xiiqqqq")),
    layout.BOUNDS_CHANGED: (venue_events.BoundsChanged, struct.Struct("<40xiii4x")),
}


def parse_event(frames: bytes, offset: int = 0) -> Event:
    """Read the event at `offset`; one of an unknown kind gives an OtherEvent."""
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
