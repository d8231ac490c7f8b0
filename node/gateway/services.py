"""The parts of the gateway that every connection works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from node.gateway.admission import Admission
    from node.gateway.backpressure import Backpressure
    from node.gateway.connection_register import ConnectionRegister
    from node.gateway.counters import GatewayCounters
    from node.gateway.feeds import Feeds
    from node.gateway.gateway_limits import GatewayLimits
    from node.gateway.queries import Queries
    from node.gateway.reply_router import ReplyRouter
    from node.gateway.seams import GatewayIdentity
    from node.gateway.session_opening import SessionOpening


@dataclass(slots=True)
class Services:
    """What a connection may call; made once by `Gateway`."""

    loop: AbstractEventLoop
    identity: GatewayIdentity
    limits: GatewayLimits
    counters: GatewayCounters
    register: ConnectionRegister
    admission: Admission
    backpressure: Backpressure
    replies: ReplyRouter
    opening: SessionOpening
    feeds: Feeds
    queries: Queries
    random_bytes: Callable[[int], bytes]
