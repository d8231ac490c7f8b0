"""A client that asks again: after each reconnection it sends what was acknowledged once more.

Each reply must be the one that it got the first time, byte for byte.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from nacl.signing import SigningKey

from chaos.disks.remembered_session import TIMING
from chaos.history import Operation, as_seen
from client.connection import Accepted, Address, Connection
from client.errors import ClientError
from client.leader_finder import LeaderFinder
from client.replies import parse_replies
from node.domain.replies import REPLY_SEQUENCE, REPLY_SIZE
from node.protocol import messages

WINDOW: Final = 64
_CONNECT_SECONDS: Final = 5.0


class Witness:
    """One session that sends one command at a time and repeats the last ones when it comes back."""

    def __init__(
        self, client: int, addresses: Sequence[Address], key: SigningKey, frames: list[bytes]
    ) -> None:
        """Send `frames`, numbered from 1, in this order."""
        self._client = client
        self._key = key
        self._finder = LeaderFinder(addresses, TIMING, Random(client))
        self._frames = frames
        self._connection: Connection | None = None
        self._changed = asyncio.Event()
        self._looked_at = asyncio.Event()
        self.number = 0
        self._invoked_ns: list[int] = []
        self._replies: list[bytes] = []
        self._returned_ns: list[int] = []
        self.trading = False
        self.repeated = 0
        """Replies that came again and were the same."""
        self.contradictions: list[str] = []
        """Replies that came again and were not, and logins that were refused for good."""

    @property
    def is_settled(self) -> bool:
        """Whether it is connected, and all that it sent has a reply."""
        asked = self._connection is not None
        return asked and len(self._replies) == len(self._invoked_ns)

    async def settled(self) -> None:
        """Return when all that it sent has a reply, or when a contradiction was found."""
        while not (self.is_settled or self.contradictions):
            self._looked_at.clear()
            await self._looked_at.wait()

    async def run(self) -> None:
        """Send and repeat until cancelled."""
        try:
            while not self.contradictions:
                self._changed.clear()
                if self._connection is None:
                    await self._reconnect()
                self._send_next()
                await self._changed.wait()
        finally:
            if self._connection is not None:
                self._connection.abort()

    def go(self, *, trading: bool) -> None:
        """Begin or stop to send new commands."""
        self.trading = trading
        self._note()

    async def _reconnect(self) -> None:
        try:
            connection, accepted = await self._finder.find(self._log_in, _CONNECT_SECONDS)
        except ClientError as error:
            if "no node let us in" not in str(error):
                self.contradictions.append(f"session {self.number} was refused: {error}")
            self._note()
            return
        self.number = accepted.session
        self._connection = connection
        self._looked_at.set()
        again = max(0, len(self._replies) - WINDOW + 1)
        connection.write(b"".join(self._frames[again : len(self._invoked_ns)]))

    async def _log_in(self, address: Address) -> tuple[Connection, Accepted]:
        return await Connection.connect(
            address,
            self._key,
            self,
            TIMING,
            purpose=messages.TRADE,
            session=self.number,
            window=WINDOW,
        )

    def _note(self) -> None:
        self._changed.set()
        self._looked_at.set()

    def _send_next(self) -> None:
        place = len(self._invoked_ns)
        settled = place == len(self._replies)
        if self._connection is None or not (settled and self.trading):
            return
        if place < len(self._frames):
            self._invoked_ns.append(time.monotonic_ns())
            self._connection.write(self._frames[place])

    def operations(self) -> Iterator[Operation]:
        """Yield every command as this client saw it."""
        for place, invoked_ns in enumerate(list(self._invoked_ns)):
            reply, returned_ns = None, 0
            if place < len(self._returned_ns):
                (reply,) = parse_replies(self._replies[place])
                returned_ns = self._returned_ns[place]
            times_ns = (invoked_ns, returned_ns)
            yield as_seen(
                self._client, self.number, place + 1, self._frames[place], times_ns, reply
            )

    # What the connection calls.

    def take_replies(self, frames: bytes) -> None:
        """Keep what is new and compare what came before."""
        for offset in range(0, len(frames), REPLY_SIZE):
            reply = frames[offset : offset + REPLY_SIZE]
            at = REPLY_SEQUENCE
            place = int.from_bytes(reply[at : at + 8], "little") - 1
            if place == len(self._replies):
                self._replies.append(reply)
                self._returned_ns.append(time.monotonic_ns())
            elif place < len(self._replies) and reply == self._replies[place]:
                self.repeated += 1
            else:
                before = self._replies[place].hex() if place < len(self._replies) else "nothing"
                self.contradictions.append(
                    f"session {self.number} sequence {place + 1} was answered {before}, "
                    f"now {reply.hex()}"
                )
        self._note()

    def take_events(self, frames: bytes) -> None:
        """Ignore events: it subscribes to none."""

    def take_message(self, kind: int, frame: bytes) -> None:
        """Give the connection up when commands are refused: everything is sent again."""
        del frame
        if kind == messages.REFUSED and self._connection is not None:
            self._connection.abort()

    def take_loss(self, connection: Connection) -> None:
        """Note that the connection is gone."""
        if connection is self._connection:
            self._connection = None
            self._note()
