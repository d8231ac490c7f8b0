"""One replica of the log: journal, core, guard and connections, driven from an asyncio loop.

Whatever happens (bytes from a peer, a finished sync, a waiting group, a timer) ends in one *pass*
per iteration of the loop: propose, let the core count, apply, send, start a sync. Sends leave
before this node's own sync.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from node.consensus.disk_thread import Disk, DiskFactory, DiskThread
from node.consensus.errors import ConsensusError
from node.consensus.fail_stop import stop_process
from node.consensus.file_system import FileSystem
from node.consensus.journal import SEGMENT_BYTES, Flush, Journal
from node.consensus.leader_clock import LeaderClock
from node.consensus.log_alignment import align, may_have_forgotten
from node.consensus.log_group import group_stamp_ns
from node.consensus.peer_handshake import PeerIdentity
from node.consensus.peer_messages import Message
from node.consensus.peer_transport import PeerTransport
from node.consensus.raft_core import GROUP, RaftCore
from node.consensus.raft_guard import RaftGuard
from node.consensus.read_barriers import ReadBarriers
from node.consensus.recovery_marker import RecoveryMarker
from node.consensus.replica_seams import GroupSource, Role, StateMachine
from node.consensus.replica_stats import ReplicaStats
from node.consensus.replica_status import ReplicaStatus
from node.consensus.snapshot_port import FileSnapshots, SnapshotSource
from node.consensus.timing import Timing
from node.surroundings import Surroundings

__all__ = ["GroupSource", "Replica", "Role", "SnapshotSource", "StateMachine"]

DEFAULT_TIMING = Timing()
DEFAULT_SURROUNDINGS = Surroundings()
DEFAULT_FILES = FileSystem()
_MEMBER_COUNTS = frozenset({3, 5})


class Replica(ReplicaStatus):
    """A member of the cluster. All methods belong to the loop that runs it."""

    def __init__(  # noqa: PLR0913
        self,
        *,
        node: int,
        members: Mapping[int, tuple[str, int]],
        directory: Path,
        machine: StateMachine,
        source: GroupSource,
        snapshots: SnapshotSource,
        genesis_hash: bytes,
        cluster_key: bytes,
        timing: Timing = DEFAULT_TIMING,
        on_role: Callable[[Role, bool], None] = lambda _role, _ready: None,
        on_refusal: Callable[[ConsensusError], None] = lambda _error: None,
        digest_at: Callable[[int], bytes | None] = lambda _index: None,
        on_divergence: Callable[[int, int, bytes, bytes], None] = lambda *_claim: None,
        fail: Callable[[BaseException], None] = stop_process,
        recovering: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
        surroundings: Surroundings = DEFAULT_SURROUNDINGS,
        files: FileSystem = DEFAULT_FILES,
        disk: DiskFactory = DiskThread,
    ) -> None:
        """Open the journal in `directory`; the machine must hold the state of `snapshots.latest()`.

        `members` maps node numbers to peer addresses, this node included. `genesis_hash` and
        `cluster_key` have 32 bytes. `on_role(role, ready)` tells every change of role and of
        readiness. `on_divergence(peer, index, ours, theirs)` tells two digests that differ. `fail`
        must not return: the process ends there. With `recovering`, a node that lost its journal
        does not vote until it has caught up; a `forgetful` one neither. `files` and `disk` say what
        the journal is written to and by whom. Raises JournalDamageError or SnapshotGapError when
        the data directory cannot be used, OSError when the disk cannot be read or written.
        """
        assert len(members) in _MEMBER_COUNTS, f"{len(members)} members"
        assert node in members
        self.node = node
        self.members = dict(members)
        self.stats = ReplicaStats()
        self._machine = machine
        self._source = source
        self._timing = timing
        self._on_role = on_role
        self._on_refusal = on_refusal
        self._fail = fail
        self._surroundings = surroundings
        self._make_disk = disk
        files.make_directory(directory)
        marker = RecoveryMarker(files, directory)
        if recovering:
            marker.set()  # Before the journal exists: a crash in between must not make a voter.
        self.journal = self._open_journal(directory / "journal", files, segment_bytes)
        latest = snapshots.latest()
        position = (latest.index, latest.term) if latest is not None else (0, 0)
        self.forgetful = may_have_forgotten(self.journal, *position)
        if self.forgetful:
            marker.set()  # Before anything is written to the journal.
        align(self.journal, *position)
        peers = sorted(number for number in members if number != node)
        self._core = RaftCore(node, peers, self.journal, self._apply)
        self.clock = LeaderClock(surroundings.wall_ns, surroundings.monotonic_ns, len(members))
        self._snapshots = snapshots
        if latest is not None:
            self._core.start_at(latest.index)
            self.clock.not_before(latest.stamp_ns)
        identity = PeerIdentity(node, frozenset(members), genesis_hash, cluster_key)
        self._transport = self._transport_of(identity, server_tls=server_tls, client_tls=client_tls)
        self._port = FileSnapshots(
            snapshots, directory / "incoming.snapshot", self._restore, self.failed, files
        )
        self.guard = self._guard_of(peers, marker)
        self.guard.digest_at = digest_at
        self.guard.on_divergence = on_divergence
        self._kicked = False
        self._stopping = False
        self._told = (Role.FOLLOWER, False)
        self._ready_index = self._ready_term = 0
        self._proposed: list[int] = []
        self._barriers = ReadBarriers(self.guard, self.kick)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._disk: Disk | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._slice_ends = 0.0
        self._hinted_at = 0.0

    def _open_journal(self, directory: Path, files: FileSystem, segment_bytes: int) -> Journal:
        def nonce() -> int:
            return int.from_bytes(self._surroundings.random_bytes(4), "little")

        return Journal(directory, files=files, segment_bytes=segment_bytes, nonce=nonce)

    def _transport_of(self, identity: PeerIdentity, **tls: ssl.SSLContext | None) -> PeerTransport:
        return PeerTransport(
            identity,
            self.members,
            self,
            handshake_seconds=self._timing.handshake,
            dial_seconds=self._timing.dial,
            random_bytes=self._surroundings.random_bytes,
            **tls,
        )

    def _guard_of(self, peers: list[int], marker: RecoveryMarker) -> RaftGuard:
        guard = RaftGuard(
            self._core,
            peers,
            send=self._transport.send,
            port=self._port,
            timing=self._timing,
            now=self._surroundings.monotonic,
            random=self._surroundings.random,
            clock=self.clock,
            recovering=marker.is_set,
        )
        guard.recovery.on_recovered = marker.clear
        return guard

    # Life.

    async def start(self) -> None:
        """Listen, dial and run. Raises OSError when the address is taken."""
        self._loop = asyncio.get_running_loop()
        self._disk = self._make_disk(self._flushed, self.failed)
        await self._transport.start()
        self._on_timer()

    async def stop(self) -> None:
        """Stop taking part, make everything recorded durable, and close."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        await self._transport.stop()
        await self._port.stop()
        if self._disk is not None:
            self._disk.stop()
        while self.journal.flushing:  # noqa: ASYNC110 - the thread's last report is on its way.
            await asyncio.sleep(0)
        self._barriers.fail()
        self.journal.close()

    def failed(self, error: BaseException) -> None:
        """End the process: for the parts of this replica only."""
        self._fail(error)

    def _on_timer(self) -> None:
        assert self._loop is not None
        self._timer = self._loop.call_later(self._timing.heartbeat / 2, self._on_timer)
        try:
            self.guard.heartbeat()
            now = self._surroundings.monotonic()
            if now >= self._hinted_at:
                self._hinted_at = now + 1
                self.journal.cover()
        except BaseException as error:  # noqa: BLE001 - fail-stop.
            self._fail(error)
        self.kick()

    def kick(self) -> None:
        """Run a pass in this iteration of the loop: something is waiting."""
        if not self._kicked and self._loop is not None and not self._stopping:
            self._kicked = True
            self._loop.call_soon(self._pass)

    def _pass(self) -> None:
        self._kicked = False
        if self._stopping:
            return
        try:
            self.stats.passes += 1
            self._propose()
            self.guard.advance()
            self._apply_committed()
            self._start_flush()
            self._tell_role()
            self._barriers.answer(self._core.applied_index)
        except BaseException as error:  # noqa: BLE001 - fail-stop: nothing may go on behind a broken invariant.
            self._fail(error)

    # Proposing and applying.

    def _propose(self) -> None:
        timing = self._timing
        while (
            len(self._proposed) < timing.groups_in_flight
            and self.ready
            and self.guard.election.transferring_to is None
        ):
            group = self._source.take_group(timing.group_bytes)
            if group is None:
                return
            self._proposed.append(self._core.propose(GROUP + group))
            self.stats.count_group(len(group))

    def _apply_committed(self) -> None:
        if self.guard.receiver.installing:
            return  # The state is about to be replaced by a later one.
        self._slice_ends = self._surroundings.monotonic() + self._timing.apply_slice
        applied = self._core.apply_committed(self._slice_over)
        if not applied:
            return
        self.stats.entries_applied += applied
        done = self._core.applied_index
        while self._proposed and self._proposed[0] <= done:
            del self._proposed[0]
        if self._core.applied_index < self._core.commit_index or self._core.is_leader:
            self.kick()

    def _slice_over(self) -> bool:
        return self._surroundings.monotonic() >= self._slice_ends

    def _apply(self, index: int, term: int, group: bytes) -> None:
        self.clock.not_before(group_stamp_ns(group))
        self._machine.apply(index, term, group)

    def _restore(self, snapshot_file: Path) -> None:
        self._machine.restore_from(snapshot_file)
        latest = self._snapshots.latest()
        if latest is not None:
            self.clock.not_before(latest.stamp_ns)

    # Durability.

    def _start_flush(self) -> None:
        flush = self.journal.begin_flush()
        if flush is not None:
            assert self._disk is not None
            self._disk.submit(flush)

    def _flushed(self, flush: Flush, elapsed_ns: int) -> None:
        try:
            self.stats.count_flush(flush.size, elapsed_ns)
            self.journal.end_flush(flush)
            self.guard.flushed()
        except BaseException as error:  # noqa: BLE001 - fail-stop.
            self._fail(error)
        self.kick()

    def snapshot_committed(self, index: int) -> None:
        """Let the journal drop entries behind `index`: a snapshot that ends there is durable.

        A margin of bytes stays for slow peers, and everything that a peer being brought up needs.
        """
        self.guard.drop_before(index)
        self.kick()

    # Roles.

    def _tell_role(self) -> None:
        core = self._core
        if core.is_leader and self._ready_term != core.term:
            self._ready_term = core.term
            self._ready_index = self.guard.replication.first_index
            self.stats.terms_led += 1
        self.stats.campaigns = self.guard.election.campaigns
        if not core.is_leader:
            self._proposed.clear()
        now = (self.role, self.ready)
        if now != self._told:
            self._told = now
            self._on_role(*now)
            self.kick()

    def transfer_leadership(self, to: int | None = None) -> bool:
        """Begin to hand leadership to node `to`, or to the best follower.

        Return whether one can take it.
        """
        begun = self.guard.election.transfer(to)
        self.kick()
        return begun

    # Reads.

    async def read_barrier(self) -> int:
        """Return an index that covers everything acknowledged before the call, once applied here.

        Raises NotLeaderError when this node does not lead, or stops leading meanwhile.
        """
        future = self._barriers.ask()
        self.kick()
        return await future

    # What the transport says.

    def peer_connected(self, peer: int) -> None:
        """Take note of a connection."""
        self.stats.connections += 1
        self.guard.connect(peer)
        self.kick()

    def peer_disconnected(self, peer: int) -> None:
        """Take note of a lost connection."""
        self.guard.disconnect(peer)
        self.kick()

    def peer_said(self, peer: int, message: Message) -> None:
        """Take a message."""
        self.guard.receive(peer, message)

    def peer_paused(self) -> None:
        """Act on what arrived together."""
        self.kick()

    def peer_refused(self, error: ConsensusError) -> None:
        """Report a refused connection."""
        self.stats.refusals += 1
        self._on_refusal(error)
