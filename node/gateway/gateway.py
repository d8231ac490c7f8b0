"""The gateway.

From sockets to records that wait for a group, and from replies and events back to sockets.
"""

import asyncio
from collections.abc import Callable

import structlog

from node.gateway.admission import Admission
from node.gateway.backpressure import Backpressure
from node.gateway.connection import Connection
from node.gateway.connection_register import ConnectionRegister
from node.gateway.counters import GatewayCounters
from node.gateway.feeds import Feeds
from node.gateway.gateway_limits import GatewayLimits
from node.gateway.heartbeats import Heartbeats
from node.gateway.listener import Listener
from node.gateway.presence import Presence
from node.gateway.queries import Queries
from node.gateway.refusal_log import RefusalLog
from node.gateway.reply_router import ReplyRouter
from node.gateway.seams import EventHistory, GatewayIdentity, Leadership, VenueView
from node.gateway.services import Services
from node.gateway.session_opening import SessionOpening
from node.protocol import refusals

log = structlog.get_logger("gateway")


class Gateway:
    """All clients of one node. Everything runs on the loop that `start` was called on.

    The composition root calls `take` when a group can be proposed, `publish` after each `apply`
    (before anything else runs), `leadership_lost` when this node ceases to lead, and
    `state_replaced` when a snapshot took the state's place.
    """

    def __init__(
        self,
        *,
        identity: GatewayIdentity,
        limits: GatewayLimits,
        view: VenueView,
        leadership: Leadership,
        history: EventHistory,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Compose the parts; nothing listens before `start`. Call it inside the running loop."""
        loop = asyncio.get_running_loop()
        self.limits = limits
        self.counters = GatewayCounters()
        self._view = view
        self._leadership = leadership
        self.admission = Admission(limits.turn_bytes, leadership.kick)
        replies = ReplyRouter(self.counters)
        register = ConnectionRegister(limits)
        self._services = Services(
            loop=loop,
            identity=identity,
            limits=limits,
            counters=self.counters,
            register=register,
            admission=self.admission,
            backpressure=Backpressure(limits, self.admission, self.counters),
            replies=replies,
            opening=SessionOpening(
                identity,
                limits,
                view,
                leadership,
                self.admission,
                replies,
                register,
                self.counters,
                RefusalLog(loop.time),
            ),
            feeds=Feeds(loop, limits, view, history, self.counters),
            queries=Queries(limits, view, leadership, self.counters),
            random_bytes=random_bytes,
        )
        self._listener = Listener(lambda: Connection(self._services))
        self._heartbeats = Heartbeats(loop, limits, register, view)
        self._presence = Presence(loop, view, leadership, self.admission, replies)

    async def start(self, host: str, port: int) -> int:
        """Listen and beat; return the port that was bound."""
        bound = await self._listener.start(host, port)
        self._heartbeats.start()
        self._presence.start()
        log.info("gateway_started", host=host, port=bound)
        return bound

    async def stop(self) -> None:
        """Say goodbye to every client and stop listening."""
        self._listener.close()
        self._heartbeats.stop()
        self._presence.stop()
        for connection in list(self._services.register.connections):
            connection.refuse(refusals.SHUTTING_DOWN)
        await self._services.opening.stop()
        await self._services.queries.stop()

    # What the composition root calls.

    def take(self, max_bytes: int) -> tuple[list[bytes], int] | None:
        """Return records that wait, at most `max_bytes` together, and their number.

        None when nothing waits.
        """
        taken = self.admission.take(max_bytes)
        self._services.backpressure.taken()
        return taken

    def publish(self, replies: bytes, events: bytes) -> None:
        """Send the outcome of the group just applied to whom it concerns."""
        if replies:
            self._services.replies.publish(replies)
        if events:
            for event in self._services.feeds.publish(events):
                self._services.opening.control(event)

    def leadership_lost(self) -> None:
        """Send traders to the new leader and forget what they were waiting for.

        Feeds and reads stay.
        """
        self.admission.clear()
        leader = self._leadership.leader_address()
        self._services.opening.leadership_lost()
        for connection in list(self._services.register.connections):
            if connection.session:
                connection.redirect(leader)

    def state_replaced(self) -> None:
        """Close the connections that follow feeds.

        A snapshot took the place of events that they never got.
        """
        for connection in self._services.feeds.connections():
            connection.refuse(refusals.STATE_REPLACED, self._view.log_index)
