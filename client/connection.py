"""One connection to one node: the login, and frames to and fro."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from client.errors import LoginRefusedError
from node.domain.commands import FRAME_TYPE
from node.protocol import encoding, messages, refusals
from node.protocol.login import login_statement
from node.protocol.refusals import Refusal
from node.protocol.stream import NodeStream
from node.protocol.versions import choose_version

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from client.timing import ClientTiming

_CHALLENGE = struct.Struct("<8xhhi16s32sii")
_ACCEPTED = struct.Struct("<8xiiqqiihhhh")
_REFUSED = struct.Struct("<8xiiqqq")
_REDIRECT = struct.Struct("<8xii64s")


class Address(NamedTuple):
    """Where a node listens for clients."""

    host: str
    port: int


class RefusedMessage(NamedTuple):
    """What a REFUSED says."""

    reason: int
    closing: int
    resend_from: int
    detail: int
    request: int

    @classmethod
    def parse(cls, frame: bytes) -> RefusedMessage:
        """Read a REFUSED."""
        return cls._make(_REFUSED.unpack_from(frame))

    @property
    def refusal(self) -> Refusal:
        """The reason by name; an unknown number from a newer node counts as MESSAGE_INVALID."""
        try:
            return Refusal(self.reason)
        except ValueError:
            return Refusal.MESSAGE_INVALID


class RedirectedError(Exception):
    """The node does not lead; `leader` is who does, if it knows."""

    def __init__(self, leader: Address | None) -> None:
        """Keep the address."""
        super().__init__(f"redirected to {leader}")
        self.leader = leader


class LoginFailedError(Exception):
    """The login did not work here and now; another node or another time may do."""


class Accepted(NamedTuple):
    """What a LOGIN_ACCEPTED says."""

    session: int
    window: int
    next_sequence: int
    log_index: int
    key: int
    account: int
    role: int
    purpose: int
    version: int


class FrameTaker(Protocol):
    """Who gets what the node sends after the login. All calls come from the loop."""

    def take_replies(self, frames: bytes) -> None:
        """Take whole reply frames."""

    def take_events(self, frames: bytes) -> None:
        """Take whole event frames."""

    def take_message(self, kind: int, frame: bytes) -> None:
        """Take a session-layer message."""

    def take_loss(self, connection: Connection) -> None:
        """Note that the connection is gone."""


_PERMANENT = frozenset(
    {
        refusals.VERSION_UNSUPPORTED,
        refusals.SIGNATURE_INVALID,
        refusals.KEY_UNKNOWN,
        refusals.KEY_REVOKED,
        refusals.SESSION_NOT_YOURS,
        refusals.SESSION_UNKNOWN,
        refusals.SESSION_NOT_OPENED,
        refusals.WINDOW_INVALID,
        refusals.PURPOSE_INVALID,
    }
)
"""Reasons that trying again at the leader will not change; a follower may lag: see `Reader`."""


class Connection(asyncio.Protocol):
    """A socket to a node. `connect` gives one that is logged in."""

    def __init__(self, timing: ClientTiming) -> None:
        """Wait for `connection_made`."""
        self._timing = timing
        self._loop = asyncio.get_running_loop()
        self._stream = NodeStream()
        self._transport: asyncio.Transport | None = None
        self._challenge: asyncio.Future[bytes] = self._loop.create_future()
        self._answer: asyncio.Future[bytes] = self._loop.create_future()
        self._taker: FrameTaker | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._heard = self._loop.time()
        self.node = 0
        self.log_index = 0
        """The newest index that the node has told of, in a heartbeat or at login."""
        self.refused: RefusedMessage | None = None
        """The refusal with which the node ended the connection, if it did."""
        self.redirected: Address | None = None
        """Where the node sent us when it ended the connection, if it did."""

    @classmethod
    async def connect(
        cls,
        address: Address,
        key: SigningKey,
        taker: FrameTaker,
        timing: ClientTiming,
        *,
        purpose: int,
        session: int = 0,
        window: int = 0,
    ) -> tuple[Connection, Accepted]:
        """Connect to `address` and log in.

        Raises LoginFailedError or RedirectedError when another node should be tried,
        LoginRefusedError when not.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timing.connect):
                _, connection = await loop.create_connection(lambda: cls(timing), *address)
        except (OSError, TimeoutError, ValueError) as error:  # ValueError: a host that is no name.
            raise LoginFailedError(f"{address.host}:{address.port}: {error!r}") from error
        try:
            return connection, await connection.log_in(key, taker, purpose, session, window)
        except BaseException:
            connection.abort()
            raise

    async def log_in(
        self, key: SigningKey, taker: FrameTaker, purpose: int, session: int, window: int
    ) -> Accepted:
        """Answer the challenge and return what the node says to that; errors as in `connect`."""
        challenge = await self._awaited(self._challenge, self._timing.connect)
        oldest, newest, self.node, cluster_id, nonce, _, _ = _CHALLENGE.unpack_from(challenge)
        version = choose_version(oldest, newest)
        if not version:
            raise LoginRefusedError(Refusal.VERSION_UNSUPPORTED, newest)
        public = bytes(key.verify_key)
        signed = login_statement(
            cluster_id, self.node, nonce, version, purpose, session, window, public
        )
        signature = key.sign(signed).signature
        self._taker = taker
        self.write(encoding.encode_login(version, purpose, session, window, public, signature))
        frame = await self._awaited(self._answer, self._timing.login)
        accepted = Accepted._make(_ACCEPTED.unpack_from(frame)[:9])
        self.log_index = accepted.log_index
        self._schedule_beat()
        return accepted

    async def _awaited(self, future: asyncio.Future[bytes], seconds: float) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError as error:
            raise LoginFailedError(f"no answer to the login within {seconds} s") from error

    @property
    def is_open(self) -> bool:
        """Tell whether frames can be written."""
        return self._transport is not None and not self._transport.is_closing()

    def write(self, frames: bytes) -> None:
        """Send whole frames.

        Where nobody listens any more they are lost, and `take_loss` says so.
        """
        if self._transport is not None:
            self._transport.write(frames)

    def log_out(self) -> None:
        """Say goodbye and close."""
        self.write(encoding.encode_logout())
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close without a word."""
        if self._transport is not None:
            self._transport.abort()

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # A cast and no check: the transports of uvloop are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Sort the frames and hand them on.

        Messages first, so that a depth comes before what changes it.
        """
        self._heard = self._loop.time()
        stream = self._stream
        stream.feed(data)
        for frame in stream.messages:
            self._message(frame)
        taker = self._taker
        if taker is not None:
            if stream.replies:
                taker.take_replies(stream.replies)
            if stream.events:
                taker.take_events(stream.events)
        if stream.failed:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if self._beat is not None:
            self._beat.cancel()
        self._transport = None
        reason = self._reason(exc)
        for future in (self._challenge, self._answer):
            if not future.done():
                future.set_exception(reason)
                future.exception()  # Seen, even if nobody waits any more.
        if self._taker is not None:
            self._taker.take_loss(self)

    def _reason(self, exc: Exception | None) -> Exception:
        if self.redirected is not None:
            return RedirectedError(self.redirected if self.redirected.port else None)
        if self.refused is not None:
            if self.refused.reason in _PERMANENT:
                return LoginRefusedError(self.refused.refusal, self.refused.detail)
            return LoginFailedError(f"refused: {self.refused.refusal.name}")
        return LoginFailedError(f"connection lost: {exc!r}")

    def _message(self, frame: bytes) -> None:
        kind = int.from_bytes(frame[FRAME_TYPE : FRAME_TYPE + 2], "little")
        if kind == messages.CHALLENGE:
            _settle(self._challenge, frame)
        elif kind == messages.LOGIN_ACCEPTED:
            _settle(self._answer, frame)
        elif kind == messages.HEARTBEAT:
            self.log_index = int.from_bytes(frame[8:16], "little", signed=True)
        else:
            if kind == messages.REFUSED and RefusedMessage.parse(frame).closing:
                self.refused = RefusedMessage.parse(frame)
            elif kind == messages.REDIRECT:
                self.redirected = _leader_in(frame)
            if self._taker is not None:
                self._taker.take_message(kind, frame)

    def _schedule_beat(self) -> None:
        self._beat = self._loop.call_later(self._timing.heartbeat, self._send_beat)

    def _send_beat(self) -> None:
        if self._loop.time() - self._heard > self._timing.silence:
            self.abort()
            return
        self.write(encoding.encode_heartbeat())
        self._schedule_beat()


def _leader_in(frame: bytes) -> Address:
    """Return where a REDIRECT leads; nowhere when no connection could be made to what it says."""
    _, port, raw = _REDIRECT.unpack_from(frame)
    try:
        host = raw.rstrip(b"\x00").decode()
    except UnicodeDecodeError:
        return Address("", 0)
    return Address(host, port) if 0 < port < 1 << 16 else Address("", 0)


def _settle(future: asyncio.Future[bytes], frame: bytes) -> None:
    if not future.done():
        future.set_result(frame)
