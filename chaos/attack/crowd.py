"""A crowd at a node's door: held connections, slow readers, half-open logins, one flood.

All of it is clients' doing, in one process with a low priority: the processor that it takes from
the nodes on this machine it would not take from elsewhere.
"""

import asyncio
import resource
import socket
import struct
from collections import Counter
from typing import Final

from nacl.signing import SigningKey

from chaos.attack.flood import Flood
from client.connection import Address, RefusedMessage
from node.protocol import encoding, messages
from node.protocol.login import login_statement
from node.protocol.refusals import Refusal
from node.protocol.stream import NodeStream

CONNECT_AT_ONCE: Final = 64
BEAT_SECONDS: Final = 7.0
_PARTS: Final = 50
"""Into which the heartbeats of a crowd are divided."""
_CHALLENGE = struct.Struct("<12xi16s32s")
_TINY_BUFFER_BYTES: Final = 4_096
_PATIENCE_SECONDS: Final = 20.0


def raise_descriptors(wanted: int) -> int:
    """Let this process and its children open `wanted` files, or as many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return soft
    for limit in ((wanted, max(wanted, hard)), (min(wanted, hard), hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        except (OSError, ValueError):
            continue
        return limit[0]
    return soft


def source_address(place: int, per_address: int) -> str:
    """Return the loopback address that connection number `place` comes from."""
    number = 2 + place // per_address  # Down: so many from each, from 127.0.0.2 on.
    return f"127.0.{number >> 8}.{number & 255}"


class Member(asyncio.Protocol):
    """One connection of the crowd."""

    def __init__(self, crowd: "Crowd", *, logs_in: bool, reads: bool) -> None:
        """Log in or stay half-open; read, or subscribe to everything and read no more."""
        self._crowd = crowd
        self._logs_in = logs_in
        self._reads = reads
        self._stream = NodeStream()
        self.transport: asyncio.Transport | None = None
        self.settled = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Take the challenge and the answer; what comes later is not read."""
        self._stream.feed(data)
        for frame in self._stream.messages:
            self._message(int.from_bytes(frame[4:6], "little"), frame)

    def _message(self, kind: int, frame: bytes) -> None:
        if kind == messages.CHALLENGE and self._logs_in:
            assert self.transport is not None
            self.transport.write(self._crowd.login(frame))
        elif kind == messages.LOGIN_ACCEPTED:
            self._crowd.held[self] = None
            self._settle("accepted")
            self._stop_reading()
        elif kind == messages.REFUSED:
            reason = Refusal(RefusedMessage.parse(frame).reason).name
            self._crowd.refused[reason] += 1
            self._settle(reason)

    def _stop_reading(self) -> None:
        """Leave heartbeats to the system's buffers, and for a slow reader much more than that."""
        assert self.transport is not None
        if not self._reads:
            request = encoding.encode_subscribe(1, messages.MARKET_DATA, 0, 0, 0, 0)
            self.transport.write(request)
        self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the crowd."""
        del exc
        if self in self._crowd.held:
            del self._crowd.held[self]
            self._crowd.lost += 1
        if not self.settled.done():
            self._crowd.unanswered += 1
            self._settle("closed without a word")
        self.transport = None

    def _settle(self, words: str) -> None:
        if not self.settled.done():
            self.settled.set_result(words)


class Crowd:
    """Everybody at one node's door."""

    def __init__(self, address: Address, key: SigningKey, seed: str) -> None:
        """Come with `key`, which may read."""
        self._address = address
        self._key = key
        self._seed = seed
        self._tasks: list[asyncio.Task[None]] = []
        self._floods: list[Flood] = []
        self.held: dict[Member, None] = {}
        self.refused: Counter[str] = Counter()
        self.lost = 0
        """Connections that the node ended though they had been accepted."""
        self.unanswered = 0
        """Connections that ended without an answer: neither accepted nor refused by name."""
        self.failed = 0
        """Connections that could not be made at all."""
        self.half_open = 0
        """Logins that were begun and left."""

    def aim(self, address: Address) -> None:
        """Come to `address` from now on."""
        self._address = address

    def login(self, challenge: bytes) -> bytes:
        """Return a LOGIN for reading that answers `challenge`."""
        node, cluster_id, nonce = _CHALLENGE.unpack_from(challenge)
        public = bytes(self._key.verify_key)
        statement = login_statement(cluster_id, node, nonce, 1, messages.READ, 0, 0, public)
        signature = self._key.sign(statement).signature
        return encoding.encode_login(1, messages.READ, 0, 0, public, signature)

    async def hold(self, count: int, per_address: int) -> None:
        """Open `count` connections that log in, so many from each address, and keep them alive."""
        places = iter(range(count))

        async def work() -> None:
            for place in places:
                await self._join(source_address(place, per_address), logs_in=True, reads=True)

        self._tasks.append(asyncio.create_task(self._beat()))
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECT_AT_ONCE):
                group.create_task(work())

    async def read_slowly(self, count: int) -> None:
        """Open `count` connections that follow all markets and never read what comes."""
        for _ in range(count):
            await self._join("127.0.255.1", logs_in=True, reads=False)

    def keep_half_open(self, count: int) -> None:
        """Keep `count` connections that never log in; each comes again when it is refused."""

        async def work() -> None:
            while True:
                self.half_open += 1
                await self._join("127.0.255.2", logs_in=False, reads=True)

        self._tasks += [asyncio.create_task(work()) for _ in range(count)]

    async def let_flood_in(self, key: SigningKey, account: int, rate: int) -> None:
        """Log the client in that floods: once the door is full it would be one more outside."""
        flood = await Flood.at(self._address, key, account, rate, self._seed)
        self._floods.append(flood)
        self._tasks.append(asyncio.create_task(flood.wait()))

    def flood(self) -> None:
        """Send commands of one account at its rate, whether or not replies come."""
        self._tasks.append(asyncio.create_task(self._floods[-1].run()))

    @property
    def flooded(self) -> int:
        """Return how many commands of all floods were answered."""
        return sum(flood.answered for flood in self._floods)

    async def stop(self) -> None:
        """Leave, all at once and without a word."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        held, self.held = list(self.held), {}
        for member in held:
            if member.transport is not None:
                member.transport.abort()
        for flood in self._floods:
            flood.end()

    async def _join(self, source: str, *, logs_in: bool, reads: bool) -> None:
        """Connect and wait for the answer: accepted, or refused by name."""
        loop = asyncio.get_running_loop()
        connection = socket.socket()
        connection.settimeout(0)
        if not reads:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _TINY_BUFFER_BYTES)
        member: Member | None = None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                connection.bind((source, 0))
                await loop.sock_connect(connection, self._address)
                _, member = await loop.create_connection(
                    lambda: Member(self, logs_in=logs_in, reads=reads), sock=connection
                )
                await member.settled
        except (OSError, TimeoutError):
            self.failed += 1
            connection.close()
        finally:
            if not logs_in and member is not None and member.transport is not None:
                member.transport.abort()

    async def _beat(self) -> None:
        frame = encoding.encode_heartbeat()
        while True:
            held = list(self.held)
            part = -(-len(held) // _PARTS)  # Up: all within one period.
            for start in range(0, len(held), max(part, 1)):
                for member in held[start : start + part]:
                    if member.transport is not None:
                        member.transport.write(frame)
                await asyncio.sleep(BEAT_SECONDS / _PARTS)
            if not held:
                await asyncio.sleep(BEAT_SECONDS / _PARTS)
