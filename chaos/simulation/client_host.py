"""A client of a simulated cluster: the real SDK on a machine of its own, and its history."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from chaos.history import Operation, as_seen
from chaos.simulation.setting import Setting
from chaos.simulation.virtual_loop import new_loop
from chaos.workloads.knowledge import Knowledge
from chaos.workloads.registry import Workload, write_one
from client.connection import Address
from client.errors import ClientError
from client.replies import Reply, parse_replies
from client.session import TradeSession
from client.timing import ClientTiming
from node.domain.replies import REPLY_SIZE

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from chaos.simulation.cluster import Cluster

TIMING = ClientTiming(connect=0.4, login=0.8, open=20.0, heartbeat=0.3, silence=1.0)
_PACES_MS = (30, 60, 120)


class ClientHost:
    """One key, one session; it writes commands, now and then many at once, until told to stop."""

    def __init__(
        self,
        cluster: "Cluster",
        number: int,
        key: "SigningKey",
        workloads: tuple[Workload, ...],
        knowledge: Knowledge,
        random: Random,
    ) -> None:
        """Own a machine; nothing is connected before `open`."""
        setting: Setting = cluster.setting
        self.number = number
        self.address = f"10.0.1.{number}"
        self.knowledge = knowledge
        self.history: list[Operation] = []
        self.started = False
        """Whether it tries to open a session."""
        self.opened = False
        self.lost: list[str] = []
        self._cluster = cluster
        self._workloads = workloads
        self._random = random
        self._window = min(random.choice((16, 16, 64)), setting.window_most)
        self._pace_ms = random.choice(_PACES_MS)
        self._writing = False
        self._pending: dict[int, tuple[bytes, int]] = {}
        self.loop = new_loop(
            cluster.scheduler,
            cluster.network,
            self.address,
            lambda: 0,
            lambda report: cluster.client_error(self, report),
        )
        self.session: TradeSession
        self.loop.run_inside(lambda: self._make_session(setting, key))

    def _make_session(self, setting: Setting, key: "SigningKey") -> None:
        addresses = [Address(*address) for address in setting.client_addresses]
        self._random.shuffle(addresses)
        self.session = TradeSession(
            addresses,
            key,
            window=self._window,
            timing=TIMING,
            random=Random(self._random.random()),
            on_replies=self._take_replies,
            on_lost=self._take_loss,
        )

    @property
    def outstanding(self) -> int:
        """How many commands have no reply yet."""
        return len(self._pending)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is written any more and everything has its reply."""
        return self.opened and not self._writing and not self._pending

    # Life.

    def open(self, then: Callable[[], None]) -> None:
        """Open a session, for as long as it takes, then call `then`."""

        async def run() -> None:
            try:
                await self.session.open()
            except ClientError as error:
                self.lost.append(f"the session did not open: {error!r}")
                return
            self.opened = True
            then()

        self.started = True
        self.loop.call_soon(lambda: self.loop.create_task(run()))

    def write(self, write: Callable[[], int]) -> None:
        """Let `write` put commands into `session.frames`, send them, and note them down."""
        session = self.session
        first = session.frames.next_sequence
        write()
        frames, count = session.frames.take(), session.frames.next_sequence - first
        if not count:
            return
        now_ns = self._cluster.scheduler.now_ns
        at = 0
        for sequence in range(first, first + count):
            length = int.from_bytes(frames[at : at + 4], "little")
            self._pending[sequence] = (frames[at : at + length], now_ns)
            at += length
        session.frames.next_sequence = first
        session.send_frames(frames, count)

    def trade(self) -> None:
        """Write commands at this client's pace until `stop`."""
        if self._cluster.closing:
            return
        self._writing = True
        self.loop.call_soon(self._write_some)

    def stop(self) -> None:
        """Write no more; replies still come."""
        self._writing = False

    def _write_some(self) -> None:
        if not self._writing or self.session.failure is not None:
            return
        room = self.session.room
        if room > 0:
            count = min(room, self._random.choice((1, 1, 1, 2, 4, 12)))
            self.write(lambda: self._draw(count))
        self.loop.call_later(self._pace_ms * self._random.random() / 500, self._write_some)

    def _draw(self, count: int) -> int:
        for _ in range(count):
            write_one(self._workloads, self.session.frames, self._random, self.knowledge)
        return count

    # What the session says.

    def _take_replies(self, frames: bytes) -> None:
        now_ns = self._cluster.scheduler.now_ns
        replies = parse_replies(frames)
        for number, reply in enumerate(replies):
            frame, invoked_ns = self._pending.pop(reply.sequence)
            self.knowledge.note_reply(frames[number * REPLY_SIZE : (number + 1) * REPLY_SIZE])
            self.history.append(self._as_seen(reply.sequence, frame, (invoked_ns, now_ns), reply))
        self._cluster.acknowledged(self, len(replies), max(reply.log_index for reply in replies))

    def _as_seen(
        self, sequence: int, frame: bytes, times_ns: tuple[int, int], reply: Reply | None
    ) -> Operation:
        return as_seen(self.number, self.session.number, sequence, frame, times_ns, reply)

    def _take_loss(self, first: int, last: int, reason: str) -> None:
        self.lost.append(f"sequences {first} to {last}: {reason}")

    def unknown(self) -> list[Operation]:
        """Return what has no reply, as operations of unknown outcome."""
        return [
            self._as_seen(sequence, frame, (invoked_ns, 0), None)
            for sequence, (frame, invoked_ns) in self._pending.items()
        ]
