"""Who is connected: every connection of this node, counted in all and by address."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from node.protocol import refusals

if TYPE_CHECKING:
    from node.gateway.connection import Connection
    from node.gateway.gateway_limits import GatewayLimits


class ConnectionRegister:
    """The connections that are there, within the bounds of `limits`."""

    def __init__(self, limits: GatewayLimits) -> None:
        """Start with none."""
        self._limits = limits
        self._by_address: Counter[str] = Counter()
        self.connections: dict[Connection, str] = {}

    def admit(self, connection: Connection, address: str) -> int:
        """Register `connection` and return 0, or return the refusal if there are too many."""
        if len(self.connections) >= self._limits.connections:
            return refusals.TOO_MANY_CONNECTIONS
        if self._by_address[address] >= self._limits.connections_per_address:
            return refusals.TOO_MANY_FROM_ADDRESS
        self.connections[connection] = address
        self._by_address[address] += 1
        return refusals.NONE

    def forget(self, connection: Connection) -> None:
        """Make room: the connection is gone."""
        address = self.connections.pop(connection, None)
        if address is None:
            return
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
