"""Heartbeats to all connections, one a period, and the end of those that fell silent."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from node.protocol.encoding import encode_heartbeat

if TYPE_CHECKING:
    import asyncio

    from node.gateway.connection import Connection
    from node.gateway.connection_register import ConnectionRegister
    from node.gateway.gateway_limits import GatewayLimits
    from node.gateway.seams import VenueView

BEATS: Final = 16
"""Parts into which the heartbeats of one period are divided: ten thousand at once would hold up
the loop."""


class Heartbeats:
    """Beats `BEATS` times a period and reaches each connection once, however many there are."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: GatewayLimits,
        register: ConnectionRegister,
        view: VenueView,
    ) -> None:
        """Stand still until `start`."""
        self._loop = loop
        self._limits = limits
        self._register = register
        self._view = view
        self._timer: asyncio.TimerHandle | None = None
        self._round: deque[Connection] = deque()
        self._part = 0
        self._beats = 0

    def start(self) -> None:
        """Beat from now on."""
        delay = self._limits.heartbeat_ms / 1_000 / BEATS
        self._timer = self._loop.call_later(delay, self._beat_again)

    def stop(self) -> None:
        """Beat no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _beat_again(self) -> None:
        self.beat()
        self.start()

    def beat(self) -> None:
        """Send a part of this period's heartbeats; every `BEATS`th call begins a period."""
        if self._beats == 0:
            self._round = deque(self._register.connections)
            self._part = -(-len(self._round) // BEATS)  # Rounds up: a round ends in its period.
        self._beats = (self._beats + 1) % BEATS
        if not self._round:
            return
        frame = encode_heartbeat(self._view.log_index, self._view.stamp_ns)
        now = self._loop.time()
        for _ in range(min(self._part, len(self._round))):
            self._round.popleft().heartbeat(frame, now)
