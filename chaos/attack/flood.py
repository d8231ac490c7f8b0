"""One client that sends a hundred times as much as it should, at as little cost as can be.

The processor that it takes on this machine is taken from the nodes, so it writes frames that were
made before and counts replies by their bytes.
"""

import asyncio
import struct
from random import Random
from typing import Final

from nacl.signing import SigningKey

from chaos.attack.crowd_orders import orders
from client.connection import Address, RefusedMessage
from node.domain.replies import REPLY_SIZE
from node.protocol import messages
from node.protocol.command_frames import bytes_of_frames
from node.protocol.encoding import encode_heartbeat, encode_login
from node.protocol.login import login_statement
from node.protocol.refusals import Refusal
from node.protocol.stream import NodeStream

WINDOW: Final = 8_192
_PACE_SECONDS: Final = 0.005
_BEAT_SECONDS: Final = 3.0
_CHALLENGE = struct.Struct("<12xi16s32s")


class Flood(asyncio.Protocol):
    """A session of one key at the leader that ends when its connection does."""

    def __init__(self, key: SigningKey, account: int, rate: int, seed: str) -> None:
        """Send commands of `account` at `rate` a second, whether or not replies come."""
        self._key = key
        self._account = account
        self._rate = rate
        self._random = Random(seed)
        self._stream = NodeStream()
        self._transport: asyncio.Transport | None = None
        self._next = 0
        self.answered = 0
        self.sent = 0
        self.accepted = asyncio.get_running_loop().create_future()

    @classmethod
    async def at(
        cls, address: Address, key: SigningKey, account: int, rate: int, seed: str
    ) -> "Flood":
        """Connect to `address` and log in. Raises OSError, which says why, or TimeoutError."""
        loop = asyncio.get_running_loop()
        _, flood = await loop.create_connection(lambda: cls(key, account, rate, seed), *address)
        async with asyncio.timeout(20.0):
            await flood.accepted
        return flood

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Log in, then count replies."""
        stream = self._stream
        stream.feed(data)
        self.answered += len(stream.replies) // REPLY_SIZE  # Whole replies: nothing to round.
        for frame in stream.messages:
            kind = int.from_bytes(frame[4:6], "little")
            if kind == messages.CHALLENGE:
                self._log_in(frame)
            elif kind == messages.LOGIN_ACCEPTED:
                (self._next,) = struct.unpack_from("<q", frame, messages.ACCEPTED_NEXT_SEQUENCE)
                self.accepted.set_result(None)
            elif kind in {messages.REFUSED, messages.REDIRECT} and not self.accepted.done():
                self.accepted.set_exception(ConnectionError(_why(kind, frame)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Send no more."""
        self._transport = None
        if not self.accepted.done():
            self.accepted.set_exception(exc or ConnectionError("the flood was not let in"))

    def _log_in(self, challenge: bytes) -> None:
        node, cluster_id, nonce = _CHALLENGE.unpack_from(challenge)
        public = bytes(self._key.verify_key)
        statement = login_statement(cluster_id, node, nonce, 1, messages.TRADE, 0, WINDOW, public)
        signature = self._key.sign(statement).signature
        assert self._transport is not None
        self._transport.write(encode_login(1, messages.TRADE, 0, WINDOW, public, signature))

    async def wait(self) -> None:
        """Stay logged in until cancelled, and send no command."""
        while self._transport is not None:
            self._transport.write(encode_heartbeat())
            await asyncio.sleep(_BEAT_SECONDS)

    async def run(self) -> None:
        """Send until cancelled, or until the connection is lost."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        frames = b""
        while self._transport is not None:
            due = int((loop.time() - started) * self._rate)  # Down: none before it is due.
            due = min(due, self.answered + WINDOW)
            while self.sent < due and self._transport is not None:
                if not frames:
                    frames = orders(self._next, self._account, self._rate, self._random)
                    self._next += 2 * (self._rate // 2)  # As many as `orders` made.
                size = bytes_of_frames(frames, due - self.sent)
                chunk, frames = frames[:size], frames[size:]
                self._transport.write(chunk)
                self.sent += due - self.sent if frames else _frames_in(chunk)
            await asyncio.sleep(_PACE_SECONDS)

    def end(self) -> None:
        """Close without a word."""
        if self._transport is not None:
            self._transport.abort()


def _why(kind: int, frame: bytes) -> str:
    if kind == messages.REDIRECT:
        return "the flood was sent to another node: this one no longer leads"
    return f"the flood was not let in: {Refusal(RefusedMessage.parse(frame).reason).name}"


def _frames_in(chunk: bytes) -> int:
    """Return how many whole frames `chunk` holds."""
    count, offset = 0, 0
    while offset < len(chunk):
        offset += int.from_bytes(chunk[offset : offset + 4], "little")
        count += 1
    return count
