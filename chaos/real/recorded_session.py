"""A trading session of the SDK of which everything is recorded."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from nacl.signing import SigningKey

from chaos.real.progress import ProgressFile
from chaos.real.recording import SessionRecorder
from client.connection import Address
from client.errors import ClientError
from client.order_entry import ReplyWaiters
from client.replies import REPLY_BYTES, Reply
from client.session import TradeSession
from client.timing import ClientTiming
from node.protocol.command_frames import CommandFrames

TIMING: Final = ClientTiming(
    connect=0.5, login=2.0, reply=60.0, open=5.0, backoff_most=0.2, heartbeat=0.3, silence=1.5
)
"""Impatient: a client that waits for a dead node measures its own patience, not the cluster."""


class RecordedSession:
    """Sends commands through a `TradeSession`; what is sent is on file before it leaves."""

    def __init__(
        self,
        addresses: Sequence[Address],
        key: SigningKey,
        recorder: SessionRecorder,
        progress: tuple[ProgressFile, int],
        *,
        window: int,
        random: Random,
    ) -> None:
        """Prepare; nothing is connected before `open`."""
        self._recorder = recorder
        self._progress, self._slot = progress
        self._waiters = ReplyWaiters()
        self._frames = CommandFrames(1)
        self.listener: Callable[[bytes], None] | None = None
        """Hears all replies, as they come."""
        self.session = TradeSession(
            addresses,
            key,
            window=window,
            timing=TIMING,
            random=random,
            on_replies=self._take_replies,
            on_lost=self._take_loss,
        )

    async def open(self) -> None:
        """Log in. Raises ClientError."""
        await self.session.open()

    @property
    def room(self) -> int:
        """How many more commands the window takes; 0 once the session is lost."""
        return 0 if self.session.failure is not None else self.session.room

    def send(self, write: Callable[[CommandFrames], None]) -> int:
        """Record and send the commands that `write` writes; return the sequence of the first."""
        frames = self._frames
        write(frames)
        first, count = frames.next_sequence - frames.count, frames.count
        content = frames.take()
        self._recorder.sent(self.session.number, first, count, content)
        try:
            numbered = self.session.send_frames(content, count)
        except ClientError:
            self._recorder.lost(first, first + count - 1)  # It has not even left.
            raise
        assert numbered == first, f"the session numbers from {numbered}, the recording from {first}"
        return first

    async def ask(self, write: Callable[[CommandFrames], None]) -> Reply:
        """Send one command and return its reply. Raises OutcomeUnknownError."""
        return await self._waiters.reply_to(self.send(write), TIMING.reply)

    async def ask_all(self, write: Callable[[CommandFrames], None]) -> list[Reply]:
        """Send several commands and return their replies, in order. Raises OutcomeUnknownError."""
        first = self.send(write)
        wanted = range(first, self._frames.next_sequence)
        return await asyncio.gather(
            *(self._waiters.reply_to(sequence, TIMING.reply) for sequence in wanted)
        )

    async def drained(self) -> None:
        """Return when every command has its reply. Raises the session's failure."""
        await self.session.drained()

    async def close(self) -> None:
        """Log out."""
        await self.session.close()
        self._recorder.close()

    def _take_replies(self, replies: bytes) -> None:
        reconnections = self.session.reconnections
        self._recorder.told(reconnections, replies)
        self._progress.acknowledge(self._slot, len(replies) // REPLY_BYTES, reconnections)
        self._waiters.take_replies(replies)
        if self.listener is not None:
            self.listener(replies)

    def _take_loss(self, first: int, last: int, reason: str) -> None:
        self._recorder.lost(first, last)
        self._progress.lose(self._slot, last - first + 1)
        self._waiters.take_loss(first, last, reason)
