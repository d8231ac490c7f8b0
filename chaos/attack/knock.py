"""One connection of an attacker to a node's client port: any bytes out, frames in."""

import asyncio
import random as randomness
import struct
from types import TracebackType
from typing import Final, NamedTuple, Self

from nacl.signing import SigningKey

from node.domain.codes import Code
from node.domain.replies import REPLY
from node.protocol import messages, refusals
from node.protocol.encoding import encode_login
from node.protocol.login import login_statement

PATIENCE_SECONDS: Final = 15.0
"""Longer than a node waits for a login: who hears nothing for so long was not answered."""
_HEAD = struct.Struct("<ihh")
_CHALLENGE = struct.Struct("<12xi16s32s")
_REFUSED = struct.Struct("<8xiiqqq")
_REPLY = struct.Struct("<8xiiqqqq")


class Answer(NamedTuple):
    """What an attempt came to."""

    words: str
    """The refusal, the rejection, "closed", "redirected", or what was wrongly accepted."""
    accepted: bool = False
    refusal: int = 0
    """The number of the refusal that the node has counted; 0 when it was no refusal."""
    rejection: str = ""
    """The code with which the venue rejected a command."""
    logged: int = 0
    """How many `login_refused` the node owes its log for this."""
    peer_logged: int = 0
    """How many `peer_refused`."""


CLOSED: Final = Answer("closed")


_LOGGED: Final = frozenset(
    {
        refusals.VERSION_UNSUPPORTED,
        refusals.SIGNATURE_INVALID,
        refusals.KEY_UNKNOWN,
        refusals.KEY_REVOKED,
        refusals.SESSION_UNKNOWN,
        refusals.SESSION_NOT_YOURS,
        refusals.SESSION_NOT_OPENED,
        refusals.PURPOSE_INVALID,
        refusals.WINDOW_INVALID,
    }
)
"""The refusals that answer a login; a node logs them."""


class Knock:
    """A socket at a node, with its challenge read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wrap an open connection."""
        self._reader = reader
        self._writer = writer
        self.node = 0
        self.cluster_id = b""
        self.nonce = b""

    @classmethod
    async def at(cls, port: int, host: str = "127.0.0.1") -> Self:
        """Connect and read the challenge. Raises ConnectionError when there is none."""
        knock = cls(*await asyncio.open_connection(host, port))
        kind, frame = await knock.frame()
        if kind != messages.CHALLENGE:
            await knock.close()
            raise ConnectionError(f"a node began with a frame of type {kind}")
        knock.node, knock.cluster_id, knock.nonce = _CHALLENGE.unpack_from(frame)
        return knock

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """Close without a word."""
        self._writer.transport.abort()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    async def frame(self) -> tuple[int, bytes]:
        """Return the next frame but heartbeats, and its type; (0, b"") when the node has closed.

        Raises TimeoutError when the node says nothing.
        """
        while True:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    head = await self._reader.readexactly(_HEAD.size)
                    length, kind, _ = _HEAD.unpack(head)
                    frame = head + await self._reader.readexactly(length - _HEAD.size)
            except (asyncio.IncompleteReadError, ConnectionError):
                return 0, b""
            if kind != messages.HEARTBEAT:
                return kind, frame

    async def answer(self) -> Answer:
        """Return what the node says to what was sent."""
        try:
            kind, frame = await self.frame()
        except TimeoutError:
            return Answer("silence", accepted=True)
        if kind == 0:
            return CLOSED
        if kind == messages.REFUSED:
            return await self._refused(frame)
        if kind == messages.REDIRECT:
            return Answer("redirected")
        if kind == REPLY:
            return _replied(frame)
        return Answer(f"a frame of type {kind}", accepted=True)

    async def _refused(self, frame: bytes) -> Answer:
        reason, closing, *_ = _REFUSED.unpack_from(frame)
        name = refusals.Refusal(reason).name
        if closing:
            try:
                kind, _ = await self.frame()
            except TimeoutError:
                return Answer(f"{name}, but the connection stays", accepted=True)
            if kind:
                return Answer(f"{name}, and then a frame of type {kind}", accepted=True)
        return Answer(name, refusal=reason, logged=int(reason in _LOGGED))

    # Logging in.

    def login_frame(
        self,
        key: SigningKey,
        *,
        purpose: int = messages.TRADE,
        session: int = 0,
        window: int = 64,
        version: int = 1,
        node: int | None = None,
        cluster_id: bytes | None = None,
        nonce: bytes | None = None,
        signer: SigningKey | None = None,
    ) -> bytes:
        """Return a LOGIN of `key`; what is not given is as it should be."""
        public = bytes(key.verify_key)
        statement = login_statement(
            self.cluster_id if cluster_id is None else cluster_id,
            self.node if node is None else node,
            self.nonce if nonce is None else nonce,
            version,
            purpose,
            session,
            window,
            public,
        )
        signature = (signer or key).sign(statement).signature
        return encode_login(version, purpose, session, window, public, signature)

    async def log_in(
        self, key: SigningKey, *, purpose: int = messages.TRADE, session: int = 0, window: int = 64
    ) -> tuple[int, int]:
        """Log in as one may; return the session and its next sequence.

        Raises ConnectionError when the node does not accept it.
        """
        size = 0 if purpose == messages.READ else window
        self.send(self.login_frame(key, purpose=purpose, session=session, window=size))
        kind, frame = await self.frame()
        if kind != messages.LOGIN_ACCEPTED:
            raise ConnectionError(f"a login that is right was answered by a frame of type {kind}")
        number, _, next_sequence = struct.unpack_from("<iiq", frame, messages.ACCEPTED_SESSION)
        return number, next_sequence


def _replied(frame: bytes) -> Answer:
    _, code, *_ = _REPLY.unpack_from(frame)
    name = Code(code).name
    return Answer(name, accepted=code == Code.OK, rejection=name)


def flip_bit(random: randomness.Random, data: bytes, first: int, last: int) -> bytes:
    """Return `data` with one bit flipped between the bytes `first` and `last`."""
    changed = bytearray(data)
    changed[random.randrange(first, last)] ^= 1 << random.randrange(8)
    return bytes(changed)
