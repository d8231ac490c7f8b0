"""One replicated session, at whichever node leads.

What is submitted is executed once, in order, or said to be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from client.connection import Accepted, Address, Connection, LoginFailedError, RefusedMessage
from client.errors import ClientError, LoginRefusedError, NotConnectedError, SessionLostError
from client.leader_finder import LeaderFinder
from client.resend import ResendQueue
from node.domain.codes import Code
from node.protocol import messages, refusals
from node.protocol.command_frames import CommandFrames, renumber

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from client.timing import ClientTiming


class TradeSession:
    """Sends command frames and hands back their replies.

    Whatever becomes of the connections in between.

    Write commands with `frames` and let them go with `flush`, or hand over encoded ones with
    `send_frames`. Neither makes an object per command. `on_replies` gets whole reply frames: each
    command's once, in order of sequence. `on_lost` is called when outcomes will never be known:
    with the first and last sequence concerned, and why.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        key: SigningKey,
        *,
        window: int,
        timing: ClientTiming,
        random: Random,
        on_replies: Callable[[bytes], None],
        on_lost: Callable[[int, int, str], None],
    ) -> None:
        """Prepare; nothing is connected before `open`."""
        self._key = key
        self._timing = timing
        self._finder = LeaderFinder(addresses, timing, random)
        self._queue = ResendQueue(window)
        self._window = window
        self._on_replies = on_replies
        self._on_lost = on_lost
        self._connection: Connection | None = None
        self._reconnecting: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._flush_scheduled = False
        self._closing = False
        self.failure: ClientError | None = None
        """Why nothing can be sent any more; None while all is well."""
        self.frames = CommandFrames(1)
        self.number = 0
        self.account = 0
        self.role = 0
        self.reconnections = 0

    # Opening and closing.

    async def open(self) -> None:
        """Log in and open a session. Raises NotConnectedError or LoginRefusedError."""
        await self._connect(self._timing.open)

    async def close(self) -> None:
        """Log out; wait for replies first with `drained`.

        The session itself stays, for its window of replies.
        """
        self._closing = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            await asyncio.gather(self._reconnecting, return_exceptions=True)
        if self._connection is not None:
            self._connection.log_out()
            self._connection = None
        self._lose("the client was closed")

    async def _connect(self, seconds: float) -> None:
        connection, accepted = await self._finder.find(self._log_in, seconds)
        if self.number == 0:
            self.number = accepted.session
            self._window = self._queue.window = accepted.window
            self.account = accepted.account
            self.role = accepted.role
        self._connection = connection
        self._queue.rewind()
        self._send()
        if not connection.is_open:
            self.take_loss(connection)

    async def _log_in(self, address: Address) -> tuple[Connection, Accepted]:
        connection, accepted = await Connection.connect(
            address,
            self._key,
            self,
            self._timing,
            purpose=messages.TRADE,
            session=self.number,
            window=self._window,
        )
        if accepted.next_sequence < self._queue.base:
            # It has been deposed and does not know it yet: another leader acknowledged more.
            connection.abort()
            raise LoginFailedError(
                f"{address.host}:{address.port} expects sequence {accepted.next_sequence}, "
                f"but {self._queue.base - 1} was acknowledged"
            )
        return connection, accepted

    # Sending.

    @property
    def room(self) -> int:
        """How many commands can be written before the window is full."""
        return self._queue.room - self.frames.count

    async def wait_for_room(self) -> None:
        """Return when at least one more command fits into the window.

        Raises `failure` if there is one.
        """
        while self.room <= 0:
            self._raise_failure()
            self._room.clear()
            await self._room.wait()
        self._raise_failure()

    async def drained(self) -> None:
        """Return when every command has its reply. Raises `failure` if there is one."""
        self.flush()
        while self._queue.outstanding:
            self._raise_failure()
            self._idle.clear()
            await self._idle.wait()
        self._raise_failure()

    def flush(self) -> None:
        """Send what was written with `frames`, as far as the window allows.

        The rest follows by itself.
        """
        self._flush_scheduled = False
        count = self.frames.count
        if count:
            self._queue.add(self.frames.take(), count)
        self._send()

    def flush_soon(self) -> None:
        """Flush at the end of this step of the loop.

        So that commands written together leave together.
        """
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)

    def send_frames(self, frames: bytes, count: int) -> int:
        """Send `count` encoded commands; return the sequence of the first.

        They are numbered anew if need be.
        """
        self._raise_failure()
        self.flush()
        first = self.frames.next_sequence
        if int.from_bytes(frames[8:16], "little", signed=True) != first:
            frames = renumber(frames, first)
        self.frames.next_sequence = first + count
        self._queue.add(frames, count)
        self._send()
        return first

    def _send(self) -> None:
        if self._connection is not None:
            frames = self._queue.sendable()
            if frames:
                self._connection.write(frames)

    def _raise_failure(self) -> None:
        if self.failure is not None:
            raise self.failure

    # What the connection calls.

    def take_replies(self, frames: bytes) -> None:
        """Hand on what is new, and send what the window lets go now."""
        fresh = self._queue.take(frames)
        if fresh.trouble:
            self._trouble(fresh.trouble, fresh.trouble_sequence)
        self._send()
        if fresh.frames:
            self._on_replies(fresh.frames)
        if self.room > 0:
            self._room.set()
        if not self._queue.outstanding:
            self._idle.set()

    def take_events(self, frames: bytes) -> None:
        """Ignore events: a trade session subscribes to none."""

    def take_message(self, kind: int, frame: bytes) -> None:
        """Act on a refusal of commands: send again from where the node says."""
        if kind == messages.REFUSED:
            refused = RefusedMessage.parse(frame)
            if refused.resend_from:
                self._queue.rewind(refused.resend_from)
                if refused.reason != refusals.WINDOW_EXCEEDED:  # Then the next reply makes room.
                    self._send()

    def take_loss(self, connection: Connection) -> None:
        """Log in again, at the same node or another."""
        if connection is not self._connection:
            return
        self._connection = None
        if self._closing:
            return
        refused = connection.refused
        if refused is not None and refused.reason == refusals.SESSION_TAKEN_OVER:
            self._lose("another client took the session over")
            return
        if connection.redirected is not None and connection.redirected.port:
            self._finder.prefer(connection.redirected)
        self.reconnections += 1
        self._reconnecting = asyncio.ensure_future(self._reconnect())

    async def _reconnect(self) -> None:
        """Log in again for as long as it takes; end the session if the cluster has forgotten it."""
        while True:
            try:
                await self._connect(self._timing.open)
            except NotConnectedError:
                continue
            except LoginRefusedError as error:
                self._lose(str(error))
            return

    def _trouble(self, code: int, sequence: int) -> None:
        """Act on a reply that is not an outcome."""
        if code == Code.SEQUENCE_GAP:
            if self._connection is not None:
                # The order was broken on the way: start over from the oldest.
                self._connection.abort()
        elif code == Code.REPLY_FORGOTTEN:
            self._on_lost(self._queue.base, sequence, "the reply has been forgotten")
            self._queue.skip(sequence)
        else:
            self._lose("the cluster does not know the session")

    def _lose(self, reason: str) -> None:
        """Give up the session: what has no reply will never have one."""
        if self.failure is None:
            self.failure = SessionLostError(self._queue.base, reason)
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.abort()
        if self._queue.outstanding or self.frames.count:
            self._on_lost(self._queue.base, self.frames.next_sequence - 1, reason)
        self._room.set()
        self._idle.set()
