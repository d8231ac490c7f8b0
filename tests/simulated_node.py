"""One replica of a simulated cluster, its disk and its snapshots, under the cluster's clock."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

from chaos.simulation.disk import SimulatedDisk
from node.consensus.journal import Flush, Journal
from node.consensus.leader_clock import LeaderClock
from node.consensus.log_alignment import align, may_have_forgotten
from node.consensus.peer_messages import Message
from node.consensus.raft_core import GROUP, LEADER, RaftCore
from node.consensus.raft_guard import RaftGuard
from node.consensus.timing import Timing

if TYPE_CHECKING:
    from tests.simulated_cluster import SimulatedCluster

TIMING = Timing(
    frame_bytes=300,
    window_bytes=2000,
    chunk_bytes=64,
    chunk_window=3,
    margin_bytes=120,
)
SEGMENT_BYTES = 1500
DIRECTORY = Path("/journal")
COVER_SECONDS = 0.25
STAMP_DIGITS = 20
MOST_SKEW_NS = 2_100_000_000
"""The fastest clock that a schedule sets is two seconds ahead."""


class ViolationError(AssertionError):
    """An invariant of the cluster does not hold."""


class Snapshot:
    """A state at one index: the groups applied, in order."""

    def __init__(self, index: int, term: int, groups: list[tuple[int, bytes]]) -> None:
        """Hold a copy."""
        self.index = index
        self.term = term
        self.groups = list(groups)

    def encode(self) -> bytes:
        """Return bytes that stand for it in a transfer."""
        lines = [f"{self.index} {self.term}".encode()]
        lines += [b"%d %s" % (index, group) for index, group in self.groups]
        return b"\n".join(lines)


def decode_snapshot(data: bytes) -> Snapshot:
    """Return what `encode` wrote."""
    first, *lines = data.split(b"\n")
    index, term = map(int, first.split())
    groups = []
    for line in lines:
        number, group = line.split(b" ", 1)
        groups.append((int(number), group))
    return Snapshot(index, term, groups)


class _Copy:
    def __init__(self, snapshot: Snapshot) -> None:
        self._data = snapshot.encode()
        self.index = snapshot.index
        self.size = len(self._data)
        self.blake3 = blake3(self._data).digest()

    def read(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]

    def close(self) -> None:
        pass


class _Inbox:
    def __init__(self, node: "SimulatedNode", digest: bytes) -> None:
        self._node = node
        self._digest = digest
        self._data = b""

    def write(self, data: bytes) -> None:
        self._data += data

    def install(self, done: Callable[[tuple[int, int] | None], None]) -> None:
        if blake3(self._data).digest() != self._digest:
            done(None)
            return
        self._node.install(decode_snapshot(self._data), done)

    def discard(self) -> None:
        pass


class _Port:
    """The node as the guard's snapshot port."""

    def __init__(self, node: "SimulatedNode") -> None:
        self._node = node

    def copy(self, done: Callable[[_Copy | None], None]) -> None:
        self._node.copy(done)

    def receive(self, _size: int, blake3: bytes) -> _Inbox:
        return self._node.receive_snapshot(blake3)


class SimulatedNode:
    """One replica's life between two crashes, with its disk and snapshot that outlive it."""

    def __init__(self, cluster: "SimulatedCluster", number: int) -> None:
        """Own a disk; not started."""
        self.cluster = cluster
        self.number = number
        self.disk = SimulatedDisk(cluster.random)
        self.snapshot: Snapshot | None = None
        self.marked_recovering = False
        self.disk_lost = False
        self.alive = False
        self.paused_until = 0.0
        self.life = 0
        self.skew_ns = 0

    def start(self) -> None:
        """Open the journal as a replica does."""
        cluster, number = self.cluster, self.number
        self.alive = True
        self.life += 1
        self.journal = Journal(
            DIRECTORY,
            files=self.disk,
            segment_bytes=SEGMENT_BYTES,
            nonce=lambda: cluster.random.getrandbits(32),
        )
        snapshot = self.snapshot
        position = (snapshot.index, snapshot.term) if snapshot else (0, 0)
        self.marked_recovering |= may_have_forgotten(self.journal, *position)
        align(self.journal, *position)
        peers = [other for other in cluster.numbers if other != number]
        self.core = RaftCore(number, peers, self.journal, self._apply)
        self.groups: list[tuple[int, bytes]] = []
        if snapshot is not None:
            self.core.start_at(snapshot.index)
            self.groups = list(snapshot.groups)
        self.clock = LeaderClock(
            lambda: int(cluster.now * 1e9) + self.skew_ns,
            lambda: int(cluster.now * 1e9),
            len(cluster.numbers),
        )
        self._note_stamps()
        self.guard = RaftGuard(
            self.core,
            peers,
            send=lambda peer, message: cluster.network.send(number, peer, message),
            port=_Port(self),
            timing=TIMING,
            now=lambda: cluster.now,
            random=cluster.random,
            clock=self.clock,
            recovering=self.marked_recovering,
        )
        cluster.sabotage(self)
        self.guard.recovery.on_recovered = self._recovered
        watch = self.core.on_state

        def on_state(state: int) -> None:
            watch(state)
            if state == LEADER:
                cluster.check_leader(self)

        self.core.on_state = on_state
        self.proposed: dict[int, tuple[int, bytes]] = {}
        self._passing = False
        self._covered_at = cluster.now
        self._in_life(0.0, self._tick)

    def _note_stamps(self) -> None:
        if self.groups:
            self.clock.not_before(int(self.groups[-1][1][:STAMP_DIGITS]))

    def _recovered(self) -> None:
        self.marked_recovering = self.disk_lost = False

    def _in_life(self, delay: float, action: Callable[[], None]) -> None:
        """Run `action` later, unless the node died meanwhile.

        A paused node does it when it wakes up.
        """
        life = self.life

        def run() -> None:
            if not self.alive or life != self.life:
                return
            if self.paused_until > self.cluster.now:
                self.cluster.at(self.paused_until, run)
                return
            action()

        self.cluster.at(self.cluster.now + delay, run)

    def _tick(self) -> None:
        self.guard.heartbeat()
        if self.cluster.now >= self._covered_at + COVER_SECONDS:
            self._covered_at = self.cluster.now
            self.journal.cover()
        self.kick()
        self._in_life(TIMING.heartbeat / 2, self._tick)

    def receive(self, peer: int, message: Message) -> None:
        """Take a message from the network."""

        def take() -> None:
            if self.guard.peers[peer].connected:
                self.guard.receive(peer, message)
                self.kick()

        self._in_life(0.0, take)

    def kick(self) -> None:
        """Make a pass soon."""
        if not self._passing:
            self._passing = True
            self._in_life(0.00002, self._pass)

    def _pass(self) -> None:
        self._passing = False
        self.guard.advance()
        if self.core.apply_committed(lambda: self.cluster.random.random() < 0.1):
            self.kick()
        flush = self.journal.begin_flush()
        if flush is not None:
            self._in_life(self.cluster.sync_seconds(), lambda: self._end_flush(flush))

    def _end_flush(self, flush: Flush) -> None:
        flush.run()
        self.journal.end_flush(flush)
        self.guard.flushed()
        self.kick()

    def propose(self, group: bytes) -> None:
        """Propose as a leader that is ready."""
        index = self.core.propose(GROUP + group)
        self.proposed[index] = (self.core.term, group)
        self.kick()

    def _apply(self, index: int, term: int, group: bytes) -> None:
        self.clock.not_before(int(group[:STAMP_DIGITS]))
        self.groups.append((index, group))
        self.cluster.check_applied(self, index, term, group)
        mine = self.proposed.pop(index, None)
        if mine == (term, group):
            self.cluster.acknowledge(self, index, term, group)

    def take_snapshot(self) -> None:
        """Make the applied state durable and let the journal go up to it."""
        index = self.core.applied_index
        if not self.journal.holds(index) or (self.snapshot and self.snapshot.index >= index):
            return
        if self.guard.receiver.installing:
            return
        self.snapshot = Snapshot(index, self.journal.term_at(index), self.groups)
        self.guard.drop_before(index)
        self.kick()

    # The snapshot port.

    def copy(self, done: Callable[[_Copy | None], None]) -> None:
        """Copy the snapshot, slowly."""
        snapshot = self.snapshot
        self._in_life(0.01, lambda: done(_Copy(snapshot) if snapshot else None))

    def receive_snapshot(self, digest: bytes) -> _Inbox:
        """Prepare to receive."""
        return _Inbox(self, digest)

    def install(self, snapshot: Snapshot, done: Callable[[tuple[int, int] | None], None]) -> None:
        """Replace ours durably, then load it; a crash may come between the two."""

        def load() -> None:
            self.groups = list(snapshot.groups)
            self._note_stamps()
            done((snapshot.index, snapshot.term))
            self.kick()

        def replace() -> None:
            self.snapshot = snapshot
            self._in_life(0.005, load)

        self._in_life(0.02, replace)

    # Faults.

    def crash(self, *, power: bool) -> None:
        """End the process; with `power`, what was not synced is lost too."""
        self.alive = False
        running = self.journal._running
        if power:
            if running is not None and self.cluster.random.random() < 0.5:
                self.disk.operations_left = self.cluster.random.randint(0, 4)
                with contextlib.suppress(OSError):
                    running.run()
            self.disk.lose_power()
        else:
            self.disk.kill()
