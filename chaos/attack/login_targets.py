"""Decoders around the login: what a node makes of strangers and clients, and clients of a node."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from chaos.attack.door_targets import client_frames, cut_of, node_frames
from chaos.attack.small_node import CLUSTER_ID, OPERATOR, TRADER, SilentTransport, SmallNode
from chaos.attack.target import BrokenPromiseError, Target
from client.connection import Connection as ClientConnection
from client.timing import ClientTiming
from node.protocol import encoding, handshake, messages
from node.protocol.login import login_statement

_ANSWER_BYTES_MAX: Final = 1 << 20
_TURNS: Final = 400


class OnALoop:
    """Runs the judging of a batch on one loop, and finds what only the loop heard of."""

    def __init__(self, judge: Callable[[SmallNode, bytes], None]) -> None:
        """Judge each input with `judge`."""
        self._judge = judge
        self._loop: asyncio.AbstractEventLoop | None = None
        self._node: SmallNode | None = None

    def __call__(self, inputs: Sequence[bytes]) -> None:
        """Judge `inputs`, and what they left behind on the loop."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._node = self._run(_make())
        assert self._node is not None
        self._run(self._all(self._node, inputs))

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - as the coroutine says
        assert self._loop is not None
        return self._loop.run_until_complete(work)

    async def _all(self, node: SmallNode, inputs: Sequence[bytes]) -> None:
        for data in inputs:
            self._judge(node, data)
        for _ in range(_TURNS):  # The loop answers a few questions a turn.
            await asyncio.sleep(0)
        uncaught, node.uncaught[:] = list(node.uncaught), []
        if uncaught:
            raise BrokenPromiseError(f"uncaught on the loop: {uncaught[0]}")


async def _make() -> SmallNode:
    return SmallNode()


def recorded_logins() -> list[bytes]:
    """Return logins that were good on some other connection, and what may be said beside them."""
    logins = []
    for key in (OPERATOR, TRADER):
        public = bytes(key.verify_key)
        for purpose, session, window in ((messages.TRADE, 0, 64), (messages.READ, 0, 0)):
            statement = login_statement(
                CLUSTER_ID, 1, b"n" * 32, 1, purpose, session, window, public
            )
            signature = key.sign(statement).signature
            logins.append(encoding.encode_login(1, purpose, session, window, public, signature))
    return [*logins, encoding.encode_heartbeat(), encoding.encode_logout()]


def _judge_stranger(node: SmallNode, data: bytes) -> None:
    """Let nobody in, and admit no command, whatever a stranger sends."""
    connection = node.connect()
    cut = cut_of(data)
    connection.data_received(data[:cut])
    connection.data_received(data[cut:])
    state = connection.handshake.state
    connection.connection_lost(None)
    if state in {handshake.OPENING, handshake.TRADING, handshake.READING}:
        raise BrokenPromiseError("a stranger was let in")
    if node.drop_commands():
        raise BrokenPromiseError("a stranger's command was admitted")


def _judge_client(node: SmallNode, data: bytes) -> None:
    """Answer a client that is in within bounds, or refuse, whatever it sends."""
    connection = node.connect()
    key = TRADER if cut_of(data) & 1 else OPERATOR
    connection.key = node.venue.key_by_public(bytes(key.verify_key))
    connection.handshake.state = handshake.AUTHENTICATING
    if cut_of(data) & 2:
        connection.handshake.take(handshake.READER_ACCEPTED)
        connection.accept_reading(node.venue.log_index)
    else:
        connection.handshake.take(handshake.SESSION_RESUMED)
        connection.accept_trading(2, 64, 6, node.venue.log_index)
    transport = connection._transport  # noqa: SLF001 - the seam of sockets
    assert isinstance(transport, SilentTransport)
    connection.data_received(data)
    connection.connection_lost(None)
    node.drop_commands()
    if transport.written > _ANSWER_BYTES_MAX:
        raise BrokenPromiseError(f"{transport.written} bytes were said to {len(data)}")


def _judge_node(node: SmallNode, data: bytes) -> None:
    """Demand that a client never raises, whatever its node sends."""
    del node
    connection = ClientConnection(ClientTiming())
    connection.connection_made(SilentTransport())
    cut = cut_of(data)
    connection.data_received(data[:cut])
    connection.data_received(data[cut:])
    connection.connection_lost(None)


def login_targets() -> list[Target]:
    """Return the decoders around the login."""
    gateway = ("connection", "session_opening", "queries", "feeds")
    door = tuple(f"node.gateway.{name}" for name in gateway)
    queries = [
        encoding.encode_query(place, subject, 1, 1, place & 1, 0, 0)
        for place, subject in enumerate(messages.Subject)
    ]
    subscribed = [
        encoding.encode_subscribe(feed, feed, stream, options, log_index, 0)
        for feed in messages.Feed
        for stream, options, log_index in ((0, 0, 0), (1, 0, 1), (1, 1, 0))
    ]
    return [
        Target(
            "login",
            "a stranger's bytes at the node",
            door,
            recorded_logins(),
            OnALoop(_judge_stranger),
        ),
        Target(
            "client",
            "a client's bytes after its login",
            door,
            client_frames() + queries + subscribed,
            OnALoop(_judge_client),
        ),
        Target(
            "client-connection",
            "a node's bytes at the client",
            ("client.connection",),
            node_frames(),
            OnALoop(_judge_node),
        ),
    ]
