"""A client that sends exactly the bytes it is told to, for tests of what a node does with them."""

import asyncio
import struct
from dataclasses import dataclass
from typing import ClassVar

from nacl.signing import SigningKey

from node.protocol import messages
from node.protocol.encoding import encode_login
from node.protocol.login import login_statement

TRADE = messages.TRADE
READ = messages.READ


@dataclass(frozen=True)
class Refused:
    """What a REFUSED says."""

    reason: int
    closing: bool
    resend_from: int
    detail: int
    request: int


class RawClient:
    """One socket, and the frames that came over it.

    `close_all` at the end of a test closes what it left open.
    """

    _open: ClassVar[list["RawClient"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wrap an open connection."""
        self.reader = reader
        self.writer = writer
        self.nonce = b""
        self.cluster_id = b""
        self.node = 0
        self.session = 0
        self._open.append(self)

    @classmethod
    async def close_all(cls) -> None:
        """Close every client that was made since the last call."""
        clients, cls._open[:] = list(cls._open), []
        for client in clients:
            client.writer.transport.abort()
            await client.close()

    @classmethod
    async def connect(cls, port: int) -> "RawClient":
        """Connect and read the challenge."""
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        kind, frame = await client.frame()
        if kind == messages.CHALLENGE:
            client.node, client.cluster_id, client.nonce = struct.unpack_from("<i16s32s", frame, 12)
        return client

    @classmethod
    async def trader(
        cls, port: int, key: SigningKey, session: int = 0, window: int = 1_024
    ) -> "RawClient":
        """Connect and log in for trade."""
        client = await cls.connect(port)
        frame = await client.login(key, session=session, window=window)
        assert frame is not None
        client.session = struct.unpack_from("<i", frame, messages.ACCEPTED_SESSION)[0]
        return client

    @classmethod
    async def reader_of(cls, port: int, key: SigningKey) -> "RawClient":
        """Connect and log in for feeds and queries."""
        client = await cls.connect(port)
        assert await client.login(key, purpose=READ, window=0) is not None
        return client

    def login_frame(
        self,
        key: SigningKey,
        *,
        purpose: int = TRADE,
        session: int = 0,
        window: int = 1_024,
        node: int | None = None,
        nonce: bytes | None = None,
    ) -> bytes:
        """Return a signed LOGIN; `node` and `nonce` default to the challenge's."""
        public = bytes(key.verify_key)
        statement = login_statement(
            self.cluster_id,
            self.node if node is None else node,
            self.nonce if nonce is None else nonce,
            1,
            purpose,
            session,
            window,
            public,
        )
        return encode_login(1, purpose, session, window, public, key.sign(statement).signature)

    async def login(
        self, key: SigningKey, *, purpose: int = TRADE, session: int = 0, window: int = 1_024
    ) -> bytes | None:
        """Log in; return the LOGIN_ACCEPTED, or None when the answer was something else."""
        self.send(self.login_frame(key, purpose=purpose, session=session, window=window))
        kind, frame = await self.frame()
        return frame if kind == messages.LOGIN_ACCEPTED else None

    def send(self, frames: bytes) -> None:
        """Send bytes."""
        self.writer.write(frames)

    async def frame(self) -> tuple[int, bytes]:
        """Return the next frame and its type, heartbeats aside.

        (0, b"") at the end of the connection.
        """
        while True:
            try:
                async with asyncio.timeout(10):
                    head = await self.reader.readexactly(8)
                    length, kind, _ = struct.unpack("<ihh", head)
                    frame = head + await self.reader.readexactly(length - 8)
            except (asyncio.IncompleteReadError, ConnectionError):
                return 0, b""
            if kind != messages.HEARTBEAT:
                return kind, frame

    async def frames(self, count: int) -> list[tuple[int, bytes]]:
        """Return the next `count` frames."""
        return [await self.frame() for _ in range(count)]

    async def refused(self) -> Refused:
        """Return the next frame, which is a REFUSED."""
        kind, frame = await self.frame()
        assert kind == messages.REFUSED, (kind, frame)
        reason, closing, resend_from, detail, request = struct.unpack_from("<iiqqq", frame, 8)
        return Refused(reason, bool(closing), resend_from, detail, request)

    async def ended(self) -> bool:
        """Tell whether the node closed the connection and said nothing more."""
        return await self.frame() == (0, b"")

    async def close(self) -> None:
        """Close the socket and wait until it is."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


@dataclass(frozen=True)
class Reply:
    """What a reply frame says."""

    session: int
    code: int
    sequence: int
    log_index: int
    result: int
    filled: int


def parse_reply(frame: bytes) -> Reply:
    """Read a reply frame."""
    return Reply(*struct.unpack_from("<iiqqqq", frame, 8))
