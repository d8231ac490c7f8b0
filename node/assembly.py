"""One node made of its parts, over a genesis, a key and a store that are open already.

Sockets hand records to `Proposer`, consensus hands committed groups to `Machine`, which applies
them to the venue and hands the outcome back to the sockets. Everything runs on one loop; whatever
fails in `apply` ends the process.
"""

import asyncio
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from config import NodeConfig
from node.consensus.disk_thread import DiskFactory, DiskThread
from node.consensus.file_system import FileSystem
from node.consensus.replica import Replica, Role
from node.consensus.timing import Timing
from node.domain.genesis import Genesis
from node.engine.checkpoint import Checkpoint
from node.engine.snapshot import restore
from node.engine.venue import Venue
from node.gateway.gateway import Gateway
from node.gateway.gateway_limits import GatewayLimits
from node.gateway.seams import GatewayIdentity
from node.gateway.venue_reads import VenueReads
from node.machine import DivergenceAlarm, Machine, Stop, fail_stop
from node.proposer import LeadershipView, Proposer
from node.storage.checkpointer import Checkpointer
from node.storage.data_directory import genesis_hash
from node.storage.errors import GenesisMismatchError, SnapshotFullError
from node.storage.event_journal import EventJournal
from node.storage.snapshot_meta import SnapshotMeta
from node.storage.state_store import StateStore
from node.surroundings import Surroundings
from node.telemetry.stages import StageClock

_HAND_OVER_SECONDS: Final = 1.0

log = structlog.get_logger("runtime")


class Ground(NamedTuple):
    """What a node stands on: disk, clocks, chance, and the end of its process."""

    root: Path
    store: StateStore
    files: FileSystem
    disk: DiskFactory = DiskThread
    surroundings: Surroundings = Surroundings()
    stop: Stop = fail_stop


class Assembly:
    """The parts of one node, wired. Make it inside the running loop."""

    def __init__(
        self,
        config: NodeConfig,
        genesis: Genesis,
        cluster_key: bytes,
        ground: Ground,
        timing: Timing,
        *,
        recovering: bool = False,
    ) -> None:
        """Rebuild the state from `ground` and compose the parts; nothing serves before `start`.

        Raises StorageError, ConsensusError or SnapshotError when what is there cannot be used,
        OSError when the disk cannot be read or written.
        """
        self._config = config
        self._genesis = genesis
        self._genesis_hash = genesis_hash(genesis)
        self._ground = ground
        self._timing = timing
        self._led = False
        self.store = ground.store
        self.surroundings = ground.surroundings
        now_ns = ground.surroundings.monotonic_ns
        self.checkpointer = Checkpointer(
            ground.store, self._checkpoint_durable, self._checkpoint_failed, now_ns
        )
        venue = self._load()
        self.events = EventJournal(
            genesis.shard, config.storage.event_journal_bytes_max, applied_index=venue.log_index
        )
        self.machine = Machine(
            venue, self.events, self.checkpointer, StageClock(now_ns), ground.stop
        )
        self.machine.reload = self._load_again
        self.machine.describe = self._describe
        self._proposer = Proposer(self.machine, now_ns)
        self._view = VenueReads(venue)
        self._leadership = LeadershipView(config, self._proposer)
        self.gateway = Gateway(
            identity=GatewayIdentity(genesis.cluster_id, config.number),
            limits=_gateway_limits(config),
            view=self._view,
            leadership=self._leadership,
            history=self.events,
            random_bytes=ground.surroundings.random_bytes,
        )
        self.replica = self._open_replica(cluster_key, recovering=recovering)
        self._tell_what_is_missing()
        self.replica.journal.sync()
        self._leadership.replica = self.replica
        self._proposer.take = self.gateway.take
        self._proposer.stamp = self.replica.clock.stamp
        self._proposer.in_flight = lambda: self.replica.in_flight
        self.machine.publish = self.gateway.publish

    # Opening.

    def _load(self) -> Venue:
        latest = self.store.latest()
        if latest is None:
            return Venue(self._genesis)
        if latest.genesis_hash != self._genesis_hash:
            raise GenesisMismatchError(
                self._ground.root / "genesis.bin", "the snapshot beside it is of another"
            )
        return restore(self._genesis, self.store.pages())

    def _load_again(self) -> Venue:
        venue = self._load()
        self._view.replace(venue)
        self.gateway.state_replaced()
        log.warning("state_replaced", index=venue.log_index)
        return venue

    def _open_replica(self, cluster_key: bytes, *, recovering: bool) -> Replica:
        config, ground = self._config, self._ground
        alarm = DivergenceAlarm(len(config.members), ground.stop, ground.surroundings.monotonic)
        return Replica(
            node=config.number,
            members={member.number: (member.host, member.peer_port) for member in config.members},
            directory=ground.root,
            machine=self.machine,
            source=self._proposer,
            snapshots=self.store,
            genesis_hash=self._genesis_hash,
            cluster_key=cluster_key,
            timing=self._timing,
            on_role=self._role_changed,
            on_refusal=lambda error: log.warning("peer_refused", reason=str(error)),
            digest_at=self.machine.digest_at,
            on_divergence=alarm.hear,
            fail=lambda error: ground.stop("replica_failed", error),
            recovering=recovering,
            segment_bytes=config.storage.journal_segment_bytes,
            surroundings=ground.surroundings,
            files=ground.files,
            disk=ground.disk,
        )

    def _tell_what_is_missing(self) -> None:
        dropped = self.replica.journal.dropped_bytes
        if dropped:
            log.warning("journal_tail_dropped", size_bytes=dropped)
        if self.replica.forgetful:
            log.warning("journal_behind_snapshot", term=self.replica.term)

    # Life.

    async def start(self) -> None:
        """Serve peers and clients. Raises OSError when an address is taken."""
        own = self._config.own
        await self.replica.start()
        await self.gateway.start(own.host, own.client_port)

    async def stop(self) -> None:
        """Hand leadership over, say goodbye to clients, finish what is being written."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _HAND_OVER_SECONDS
        handing_over = self.replica.is_leader and self.replica.transfer_leadership()
        while handing_over and loop.time() < deadline:
            await asyncio.sleep(0.01)
            handing_over = self.replica.is_leader
        await self.gateway.stop()
        await self.replica.stop()
        await self.checkpointer.finish()
        self.store.close()

    # What the parts tell.

    def _role_changed(self, role: Role, ready: bool) -> None:  # noqa: FBT001 - the replica's signature
        log.info(
            "role_changed",
            role=role.name.lower(),
            ready=ready,
            term=self.replica.term,
            leader=self.replica.leader,
        )
        leads = role is Role.LEADER
        if self._led and not leads:
            self.machine.stages.forget()
            self.gateway.leadership_lost()
        self._led = leads

    def _describe(self, checkpoint: Checkpoint) -> SnapshotMeta:
        index = checkpoint.log_index
        term = self.replica.term_at(index)
        assert term, f"the journal has let go of {index}, which no snapshot holds yet"
        return SnapshotMeta(
            index,
            term,
            self.replica.term_at(index - 1) or 0,
            checkpoint.chain_digest,
            checkpoint.state_digest,
            checkpoint.ledger_digest,
            checkpoint.page_count,
            checkpoint.stamp_ns,
            self._genesis_hash,
            tuple((member.number, str(member.peer)) for member in self._config.members),
        )

    def _checkpoint_durable(self, meta: SnapshotMeta, elapsed_ns: int) -> None:
        log.info(
            "snapshot_saved",
            index=meta.index,
            pages=meta.page_count,
            elapsed_ms=elapsed_ns // 1_000_000,
            state_digest=meta.state_digest.hex(),
            ledger_digest=meta.ledger_digest.hex(),
        )
        self.replica.snapshot_committed(meta.index)

    def _checkpoint_failed(self, error: BaseException) -> None:
        if isinstance(error, SnapshotFullError):
            log.error("snapshot_not_saved", reason=str(error))
            return
        self._ground.stop("snapshot_failed", error)


def consensus_timing(config: NodeConfig) -> Timing:
    """Return the times and sizes that a node's file asks for."""
    timing, groups = config.timing, config.groups
    return Timing(
        heartbeat=timing.heartbeat_ms / 1_000,
        election_least=timing.election_min_ms / 1_000,
        election_most=timing.election_max_ms / 1_000,
        group_bytes=groups.bytes_max,
        groups_in_flight=groups.in_flight_max,
        margin_bytes=config.storage.journal_margin_bytes,
    )


def _gateway_limits(config: NodeConfig) -> GatewayLimits:
    gateway = config.gateway
    return GatewayLimits(
        connections=gateway.connections,
        connections_per_address=gateway.connections_per_address,
        login_ms=gateway.login_ms,
        idle_ms=gateway.idle_ms,
        pending_bytes=gateway.pending_bytes,
        pending_bytes_total=gateway.pending_bytes_total,
        output_bytes=gateway.output_bytes,
        window=gateway.window,
    )
