"""A client that trades at a steady rate and notes when each command was due and was answered.

Open loop: commands leave when they are due, whether or not replies come, so that a silence of the
cluster counts for everything that was due in it.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from random import SystemRandom
from typing import Final

from nacl.signing import SigningKey

from chaos.silence import Silence
from client.connection import Address
from client.errors import SessionLostError
from client.session import TradeSession
from client.timing import ClientTiming
from cluster.flow import FlowRow
from cluster.flow_frames import encode
from cluster.flow_stage import Stage
from config import Endpoint
from node.domain.codes import Code
from node.domain.replies import REPLY_CODE, REPLY_SIZE

WINDOW: Final = 8_192
LAP_REFS: Final = 1_000_000
"""Added to every ref of a flow when it is played again: a multiple of the participants."""
_STEP_SECONDS: Final = 0.001
_STEP_COMMANDS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Arrival:
    """Replies that came together, to `number` commands from the `first` one on (from 0)."""

    first: int
    number: int
    at_ns: int


class Trader:
    """One session that plays its part of a flow, over and over, `rate` commands a second."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        key: SigningKey,
        rows: Sequence[FlowRow],
        stage: Stage,
        rate: int,
    ) -> None:
        """Trade `rows` on `stage` with `key`, at whichever of `endpoints` leads."""
        self._session = TradeSession(
            [Address(*endpoint) for endpoint in endpoints],
            key,
            window=WINDOW,
            timing=ClientTiming(),
            random=SystemRandom(),
            on_replies=self._take,
            on_lost=self._lose,
        )
        self._rows = _laps(rows)
        self._stage = stage
        self.rate = rate
        self.started_ns = 0
        self.sent = 0
        self.acknowledged = 0
        self.replies: list[bytes] = []
        """Every reply frame as received."""
        self.arrivals: list[Arrival] = []
        self.silences: list[Silence] = []
        self.failure: SessionLostError | None = None
        self._last_ns = 0
        self._connections = 0
        self._stopping = False

    async def run(self) -> None:
        """Trade until `stop`, then wait for the last replies. Raises ClientError."""
        await self._session.open()
        try:
            self.started_ns = self._last_ns = time.perf_counter_ns()
            while not self._stopping and self.failure is None:
                self._send_due()
                await asyncio.sleep(_STEP_SECONDS)
            await self._session.drained()
        finally:
            await self._session.close()
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """Let nothing more become due."""
        self._stopping = True

    def due_ns(self, number: int) -> int:
        """Return when command `number` (from 0) was due."""
        return self.started_ns + number * 1_000_000_000 // self.rate

    def latencies_ms(self, begin_ns: int, end_ns: int) -> list[float]:
        """Return how long each command that was due in [begin, end) took from then to its reply."""
        first = max(0, (begin_ns - self.started_ns) * self.rate // 1_000_000_000)
        last = max(0, (end_ns - self.started_ns) * self.rate // 1_000_000_000)
        found: list[float] = []
        for arrival in self.arrivals:
            if arrival.first + arrival.number > first and arrival.first < last:
                begin = max(first, arrival.first)
                end = min(last, arrival.first + arrival.number)
                found += [(arrival.at_ns - self.due_ns(n)) / 1e6 for n in range(begin, end)]
        return found

    def rejected(self) -> int:
        """Return how many commands were acknowledged with a rejection."""
        codes = memoryview(b"".join(self.replies)).cast("i")[REPLY_CODE // 4 :: REPLY_SIZE // 4]
        return sum(code != Code.OK for code in codes)

    def _send_due(self) -> None:
        elapsed_ns = time.perf_counter_ns() - self.started_ns
        due = elapsed_ns * self.rate // 1_000_000_000 + 1
        number = min(due - self.sent, _STEP_COMMANDS_MAX)
        if number <= 0:
            return
        rows = list(islice(self._rows, number))
        first = self._session.frames.next_sequence
        frames = encode(rows, self._stage.accounts, self._stage.markets, first)
        self._session.send_frames(bytes(frames), number)
        self.sent += number

    def _take(self, replies: bytes) -> None:
        now_ns = time.perf_counter_ns()
        if self._session.reconnections != self._connections:
            self._connections = self._session.reconnections
            self.silences.append(Silence(self._last_ns, now_ns))
        self._last_ns = now_ns
        number = len(replies) // REPLY_SIZE
        self.arrivals.append(Arrival(self.acknowledged, number, now_ns))
        self.acknowledged += number
        self.replies.append(replies)

    def _lose(self, first: int, last: int, reason: str) -> None:
        if not self._stopping or self.acknowledged < self.sent:
            self.failure = SessionLostError(first, f"up to {last}: {reason}")


def _laps(rows: Sequence[FlowRow]) -> Iterator[FlowRow]:
    """Yield the rows again and again, with other refs each time."""
    for lap in count():
        for row in rows:
            yield row._replace(ref=row.ref and row.ref + lap * LAP_REFS) if lap else row
