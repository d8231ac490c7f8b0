"""A client's session that remembers every command it sent and every reply it got, and when."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Final

from nacl.signing import SigningKey

from chaos.history import Operation, as_seen
from client.connection import Address
from client.replies import Reply, parse_replies
from client.session import TradeSession
from client.timing import ClientTiming
from cluster.delivery import frame_offsets

WINDOW: Final = 64
TIMING: Final = ClientTiming(connect=1.0, login=2.0, backoff_most=0.1, silence=2.0)


class RememberedSession:
    """One session of the SDK, through any number of power losses."""

    def __init__(
        self,
        client: int,
        addresses: Sequence[Address],
        key: SigningKey,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Be `client` in histories; call `on_progress` when replies made room."""
        self.client: Final = client
        self._on_progress = on_progress
        self._session = TradeSession(
            addresses,
            key,
            window=WINDOW,
            timing=TIMING,
            random=Random(client),
            on_replies=self._take,
            on_lost=self._lose,
        )
        self._sent: list[tuple[bytes, int]] = []
        self._answers: dict[int, tuple[Reply, int]] = {}
        self.failure: str = ""
        """Why the session is no more: the cluster forgot it, or what it was told."""

    async def open(self) -> None:
        """Log in. Raises ClientError."""
        await self._session.open()

    async def close(self) -> None:
        """Log out."""
        await self._session.close()

    @property
    def number(self) -> int:
        """The session's number."""
        return self._session.number

    @property
    def next_sequence(self) -> int:
        """The sequence that the next command gets."""
        return len(self._sent) + 1

    @property
    def room(self) -> int:
        """How many commands can be sent at once."""
        return 0 if self.failure else self._session.room

    def send(self, frames: bytes) -> None:
        """Send commands that are numbered from `next_sequence`."""
        now = time.monotonic_ns()
        offsets = frame_offsets(frames)
        self._sent += [(frames[start:end], now) for start, end in pairwise(offsets)]
        self._session.send_frames(frames, len(offsets) - 1)

    async def settled(self) -> None:
        """Return when every command has its reply. Raises ClientError when one never will."""
        await self._session.drained()

    def operations(self) -> Iterator[Operation]:
        """Yield every command as the client saw it."""
        for sequence, (frame, invoked_ns) in enumerate(list(self._sent), start=1):
            reply, returned_ns = self._answers.get(sequence, (None, 0))
            yield as_seen(
                self.client, self.number, sequence, frame, (invoked_ns, returned_ns), reply
            )

    def _take(self, frames: bytes) -> None:
        now = time.monotonic_ns()
        for reply in parse_replies(frames):
            self._answers[reply.sequence] = (reply, now)
        self._on_progress()

    def _lose(self, first: int, last: int, reason: str) -> None:
        self.failure = f"session {self.number} lost commands {first} to {last}: {reason}"
