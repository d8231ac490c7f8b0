"""Connections between the nodes of a cluster.

One a pair, dialled by the higher number, authenticated.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from node.consensus.errors import ConsensusError, PeerRefusedError
from node.consensus.peer_handshake import Handshake, PeerIdentity
from node.consensus.peer_messages import Message
from node.consensus.peer_wire import PeerWire

Address = tuple[str, int]
MAX_UNSENT_BYTES = 128 << 20
"""A peer that reads this slowly is cut off; it starts over from its log."""
MAX_STRANGERS = 64
"""Accepted connections that have not authenticated: the oldest makes room for one more."""


class PeerEvents(Protocol):
    """Who hears what happens on the connections. Whatever it raises ends the process."""

    def peer_connected(self, peer: int) -> None:
        """Hear that an authenticated connection to `peer` exists."""

    def peer_disconnected(self, peer: int) -> None:
        """Hear that it is gone."""

    def peer_said(self, peer: int, message: Message) -> None:
        """Take a message of `peer`."""

    def peer_paused(self) -> None:
        """Hear that all that arrived together was handed over."""

    def peer_refused(self, error: ConsensusError) -> None:
        """Hear that a connection was refused, by us or by the peer."""

    def failed(self, error: BaseException) -> None:
        """Stop the process: a handler raised."""


class PeerConnection(asyncio.Protocol):
    """One TCP or TLS connection, before and after its handshake."""

    def __init__(self, transport: "PeerTransport", peer: int | None) -> None:
        """Dial `peer`, or listen when it is None."""
        self._owner = transport
        self._handshake: Handshake | None = Handshake(
            transport.identity, peer, transport.random_bytes
        )
        self._wire: PeerWire | None = None
        self._stream: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.peer = peer
        self.closed = asyncio.Event()
        self._aborted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the handshake and its deadline."""
        assert self._handshake is not None
        self._stream = transport  # type: ignore[assignment]
        if self._aborted:
            self.abort()
            return
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream_write([self._handshake.start()])
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._owner.handshake_seconds, self.abort)

    def _stream_write(self, parts: list[bytes]) -> None:
        stream = self._stream
        if stream is not None and not stream.is_closing() and any(parts):
            stream.writelines(parts)

    def data_received(self, data: bytes) -> None:
        """Take bytes; anything that is not the protocol closes the connection."""
        try:
            if self._wire is None:
                data = self._shake_hands(data)
            if self._wire is not None and data:
                self._hand_over(data)
        except ConsensusError as error:
            self._refuse(error)
        except BaseException as error:  # noqa: BLE001 - a guard that raised has found a contradiction.
            self._owner.events.failed(error)

    def _shake_hands(self, data: bytes) -> bytes:
        handshake = self._handshake
        assert handshake is not None
        self._stream_write([handshake.receive(data)])
        if handshake.keys is None:
            return b""
        assert handshake.peer is not None
        assert self._deadline is not None
        self._deadline.cancel()
        self.peer = handshake.peer
        self._wire = PeerWire(handshake.keys)
        self._handshake = None
        self._owner.admit(self)
        return handshake.rest

    def _hand_over(self, data: bytes) -> None:
        assert self._wire is not None
        assert self.peer is not None
        events = self._owner.events
        for message in self._wire.receive(data):
            if not self._owner.is_current(self):
                return
            events.peer_said(self.peer, message)
        events.peer_paused()

    def _refuse(self, error: ConsensusError) -> None:
        if self._handshake is not None:
            self._stream_write([self._handshake.last_words])
        if isinstance(error, PeerRefusedError) or self._wire is not None:
            self._owner.events.peer_refused(error)
        if self._stream is not None:
            self._stream.close()
        self._owner.dismiss(self)

    def send(self, message: Message) -> None:
        """Send a message to the authenticated peer."""
        assert self._wire is not None
        assert self._stream is not None
        if self._stream.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.abort()
            return
        self._stream_write(self._wire.seal(message))

    def abort(self) -> None:
        """Close without sending what is still unsent."""
        self._aborted = True
        if self._stream is not None:
            self._stream.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner."""
        del exc
        if self._deadline is not None:
            self._deadline.cancel()
        self.closed.set()
        try:
            self._owner.dismiss(self)
        except BaseException as error:  # noqa: BLE001 - see data_received.
            self._owner.events.failed(error)


class PeerTransport:
    """Keeps a connection to every peer that can be reached, and says when that changes."""

    def __init__(
        self,
        identity: PeerIdentity,
        addresses: Mapping[int, Address],
        events: PeerEvents,
        *,
        handshake_seconds: float,
        dial_seconds: float,
        random_bytes: Callable[[int], bytes],
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
    ) -> None:
        """Connect `identity.node` with the nodes at the other `addresses`."""
        self.identity = identity
        self.events = events
        self.handshake_seconds = handshake_seconds
        self.random_bytes = random_bytes
        self._addresses = addresses
        self._dial_seconds = dial_seconds
        self._server_tls = server_tls
        self._client_tls = client_tls
        self._connections: dict[int, PeerConnection] = {}
        self._strangers: dict[PeerConnection, None] = {}
        """Oldest first."""
        self._server: asyncio.Server | None = None
        self._dialers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Listen and dial. Raises OSError when the address is taken."""
        loop = asyncio.get_running_loop()
        host, port = self._addresses[self.identity.node]
        self._server = await loop.create_server(self._accept, host, port, ssl=self._server_tls)
        for peer in self._addresses:
            if peer < self.identity.node:
                self._dialers.append(loop.create_task(self._keep_dialling(peer)))

    def _accept(self) -> PeerConnection:
        if len(self._strangers) >= MAX_STRANGERS:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.abort()
        connection = PeerConnection(self, None)
        self._strangers[connection] = None
        return connection

    async def _keep_dialling(self, peer: int) -> None:
        loop = asyncio.get_running_loop()
        host, port = self._addresses[peer]
        tls: dict[str, Any] = {}
        if self._client_tls is not None:
            tls = {"ssl": self._client_tls, "server_hostname": f"node-{peer}"}
        while True:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(self.handshake_seconds):
                    _stream, connection = await loop.create_connection(
                        lambda: PeerConnection(self, peer), host, port, **tls
                    )
                await connection.closed.wait()
            await asyncio.sleep(self._dial_seconds)

    def admit(self, connection: PeerConnection) -> None:
        """Take an authenticated connection in place of any older one of the same peer."""
        self._strangers.pop(connection, None)
        peer = connection.peer
        assert peer is not None
        older = self._connections.pop(peer, None)
        if older is not None:
            self.events.peer_disconnected(peer)
            older.abort()
        self._connections[peer] = connection
        self.events.peer_connected(peer)

    def is_current(self, connection: PeerConnection) -> bool:
        """Tell whether this is the connection in use for its peer."""
        return connection.peer is not None and self._connections.get(connection.peer) is connection

    def dismiss(self, connection: PeerConnection) -> None:
        """Forget a connection that is closed or closing."""
        self._strangers.pop(connection, None)
        if self.is_current(connection):
            assert connection.peer is not None
            del self._connections[connection.peer]
            self.events.peer_disconnected(connection.peer)

    def send(self, peer: int, message: Message) -> None:
        """Send `message` if `peer` is connected, else drop it."""
        connection = self._connections.get(peer)
        if connection is not None:
            connection.send(message)

    @property
    def connected(self) -> list[int]:
        """The peers connected now."""
        return sorted(self._connections)

    async def stop(self) -> None:
        """Stop listening and dialling and close all connections."""
        for task in self._dialers:
            task.cancel()
        await asyncio.gather(*self._dialers, return_exceptions=True)
        open_now = [*self._connections.values(), *self._strangers]
        for connection in open_now:
            connection.abort()
        for connection in open_now:
            await connection.closed.wait()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
