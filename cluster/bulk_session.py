"""A session that carries commands in bulk: buffers of frames out, buffers of replies in.

The client's trade session keeps order and window and resumes at the next leader; here is only what
a load generator adds: when each command left, or was due, and when its reply came. Nothing is made
per command.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from random import SystemRandom
from time import perf_counter_ns
from typing import Final

from nacl.signing import SigningKey

from client.connection import Address
from client.errors import SessionLostError
from client.queries import Queries
from client.reader import Reader
from client.session import TradeSession
from client.timing import ClientTiming
from cluster.delivery import Delivery
from config import Endpoint
from node.domain.replies import REPLY_SEQUENCE, REPLY_SIZE

WINDOW: Final = 8_192
_PACE_SECONDS: Final = 0.001
_TIMING: Final = ClientTiming()


class BulkSession:
    """One key's session at whichever node leads, for one delivery at a time."""

    def __init__(
        self, endpoints: Sequence[Endpoint], key: SigningKey, window: int = WINDOW
    ) -> None:
        """Use `key` at whichever of `endpoints` leads; at most `window` commands are unanswered."""
        addresses = [Address(*endpoint) for endpoint in endpoints]
        random = SystemRandom()
        self._session = TradeSession(
            addresses,
            key,
            window=window,
            timing=_TIMING,
            random=random,
            on_replies=self._take_replies,
            on_lost=self._take_loss,
        )
        self._window = window
        self._reader = Reader(addresses, key, timing=_TIMING, random=random)
        self._seen_reconnections = 0
        self.queries = Queries(self._reader)
        self.delivery: Delivery | None = None
        """What is being sent now."""

    @property
    def next_sequence(self) -> int:
        """Return the sequence that the next frame must have."""
        return self._session.frames.next_sequence

    @property
    def reconnections(self) -> int:
        """Return how often the session had to move to another connection."""
        return self._session.reconnections

    async def open(self) -> None:
        """Log in. Raises ClientError."""
        await self._session.open()

    async def close(self) -> None:
        """Log out and let go."""
        await self._session.close()
        await self._reader.close()

    async def send(
        self, frames: bytes | bytearray, offsets: Sequence[int], rate: int = 0
    ) -> Delivery:
        """Send the frames, numbered from `next_sequence`, and return once each has its reply.

        `offsets` holds where each frame starts and, last, where the last one ends. With a `rate`
        above 0 commands leave at that many a second whether or not replies come, and latency counts
        from when each was due; otherwise the window is kept full. Raises SessionLostError when the
        outcome of some will never be known.
        """
        delivery = Delivery(frames, offsets, self.next_sequence, rate)
        if delivery.count == 0:
            return delivery
        self.delivery = delivery
        pacing = asyncio.create_task(self._pace(delivery)) if rate else None
        try:
            self._fill()
            await delivery.done
        finally:
            self.delivery = None
            if pacing is not None:
                pacing.cancel()
                with suppress(asyncio.CancelledError):
                    await pacing
        return delivery

    def _fill(self) -> None:
        delivery = self.delivery
        if delivery is None:
            return
        sent = delivery.sent
        frames = delivery.next_frames(self._window, perf_counter_ns())
        if frames:
            self._session.send_frames(frames, delivery.sent - sent)

    async def _pace(self, delivery: Delivery) -> None:
        while delivery.sent < delivery.count:
            await asyncio.sleep(_PACE_SECONDS)
            self._fill()

    def _take_replies(self, replies: bytes) -> None:
        delivery = self.delivery
        if delivery is None:
            return
        if self._session.reconnections != self._seen_reconnections:
            self._seen_reconnections = self._session.reconnections
            delivery.resumed()
        first = _sequence_at(replies, 0)
        last = _sequence_at(replies, len(replies) - REPLY_SIZE)
        if not delivery.take(first, last, replies, perf_counter_ns()):
            reason = f"replies {first}..{last} came out of order"
            delivery.fail(SessionLostError(delivery.first_sequence + delivery.acknowledged, reason))
        elif delivery.acknowledged < delivery.count:
            self._fill()

    def _take_loss(self, first: int, _last: int, reason: str) -> None:
        if self.delivery is not None:
            self.delivery.fail(SessionLostError(first, reason))


def _sequence_at(replies: bytes, offset: int) -> int:
    at = offset + REPLY_SEQUENCE
    return int.from_bytes(replies[at : at + 8], "little")
