"""The composition root: one replica made of its parts, which meet only here.

Sockets hand records to `Proposer`, consensus hands committed groups to `Machine`, which applies
them to the venue and hands the outcome back to the sockets. Everything runs on one loop; whatever
fails in `apply` ends the process.
"""

import asyncio
import gc
from pathlib import Path
from typing import Any, Final

import structlog

from config import NodeConfig
from node._pure import build_form
from node.consensus.replica import Replica, Role
from node.consensus.timing import Timing
from node.engine.checkpoint import Checkpoint
from node.engine.snapshot import restore
from node.engine.venue import Venue
from node.gateway.gateway import Gateway
from node.gateway.gateway_limits import GatewayLimits
from node.gateway.seams import GatewayIdentity
from node.gateway.venue_reads import VenueReads
from node.machine import DivergenceAlarm, Machine, fail_stop
from node.portrait import Portrait
from node.proposer import LeadershipView, Proposer
from node.storage.checkpointer import Checkpointer
from node.storage.data_directory import DataDirectory, genesis_hash
from node.storage.errors import GenesisMismatchError, SnapshotFullError
from node.storage.event_journal import EventJournal
from node.storage.first_start import note_started, require_memory
from node.storage.identity_seal import require_identity, seal_identity
from node.storage.probe import probe_file
from node.storage.snapshot_meta import SnapshotMeta
from node.storage.snapshot_store import SnapshotStore
from node.telemetry.http_page import OperatorPage
from node.telemetry.readings import Build
from node.telemetry.stages import StageClock

_HAND_OVER_SECONDS: Final = 1.0
_YOUNG_OBJECTS: Final = 50_000
_YOUNG_COLLECTIONS: Final = 5
_NEVER_FULL: Final = 1_000_000_000

log = structlog.get_logger("runtime")


class Runtime:
    """One node: opens what is on disk, and runs until it is stopped.

    Make it inside the running loop.
    """

    def __init__(self, config: NodeConfig, version: str, *, recovering: bool = False) -> None:
        """Open the data directory and compose the parts.

        Raises StorageError, ConsensusError or SnapshotError when what is there cannot be used.
        """
        asyncio.get_running_loop().set_exception_handler(loop_failed)
        self._config = config
        self._build = Build(version, build_form())
        self._led = False
        self.directory = DataDirectory(Path(config.data))
        self.directory.create()
        self.directory.locked()
        if not recovering:
            require_memory(self.directory)
        self._genesis = self.directory.read_genesis()
        self._genesis_hash = genesis_hash(self._genesis)
        self._store = self._open_store()
        self._checkpointer = Checkpointer(
            self._store, self._checkpoint_durable, self._checkpoint_failed
        )
        venue = self._load()
        require_identity(self.directory)
        self._events = EventJournal(
            self._genesis.shard,
            config.storage.event_journal_bytes_max,
            applied_index=venue.log_index,
        )
        self.machine = Machine(venue, self._events, self._checkpointer, StageClock())
        self.machine.reload = self._load_again
        self.machine.describe = self._describe
        self._proposer = Proposer(self.machine)
        self._view = VenueReads(venue)
        self._leadership = LeadershipView(config, self._proposer)
        self._gateway = Gateway(
            identity=GatewayIdentity(self._genesis.cluster_id, config.number),
            limits=_gateway_limits(config),
            view=self._view,
            leadership=self._leadership,
            history=self._events,
        )
        self.replica = self._open_replica(recovering=recovering)
        self._tell_what_is_missing()
        self.replica.journal.sync()
        seal_identity(self.directory)
        note_started(self.directory)
        self._leadership.replica = self.replica
        self._proposer.take = self._gateway.take
        self._proposer.stamp = self.replica.clock.stamp
        self._proposer.in_flight = lambda: self.replica.in_flight
        self.machine.publish = self._gateway.publish
        own = config.own
        self._portrait = self._draw()
        self._page = OperatorPage(own.host, own.http_port, self._portrait.readings)

    # Opening.

    def _open_store(self) -> SnapshotStore:
        if self.directory.snapshot.exists():
            report = probe_file(self.directory.snapshot)
            log.info(
                "snapshot_probed",
                index=report.index,
                size_bytes=report.size_bytes,
                elapsed_ms=report.elapsed_ms,
            )
        return SnapshotStore(
            self.directory.root,
            genesis_hash=self._genesis_hash,
            most_map_size=self._config.storage.state_map_bytes,
        )

    def _load(self) -> Venue:
        latest = self._store.latest()
        if latest is None:
            return Venue(self._genesis)
        if latest.genesis_hash != self._genesis_hash:
            raise GenesisMismatchError(
                self.directory.genesis, "the snapshot beside it is of another"
            )
        return restore(self._genesis, self._store.pages())

    def _load_again(self) -> Venue:
        venue = self._load()
        self._view.replace(venue)
        self._gateway.state_replaced()
        log.warning("state_replaced", index=venue.log_index)
        return venue

    def _open_replica(self, *, recovering: bool) -> Replica:
        config = self._config
        return Replica(
            node=config.number,
            members={member.number: (member.host, member.peer_port) for member in config.members},
            directory=self.directory.root,
            machine=self.machine,
            source=self._proposer,
            snapshots=self._store,
            genesis_hash=self._genesis_hash,
            cluster_key=self.directory.read_cluster_key(),
            timing=_timing(config),
            on_role=self._role_changed,
            on_refusal=lambda error: log.warning("peer_refused", reason=str(error)),
            digest_at=self.machine.digest_at,
            on_divergence=DivergenceAlarm(len(config.members)).hear,
            fail=lambda error: fail_stop("replica_failed", error),
            recovering=recovering,
            segment_bytes=config.storage.journal_segment_bytes,
        )

    def _draw(self) -> Portrait:
        return Portrait(
            self._build,
            self._config.number,
            self.replica,
            self.machine,
            self._gateway.counters,
            self._gateway.admission,
            self._events,
            self._checkpointer,
            self._store,
        )

    def _tell_what_is_missing(self) -> None:
        dropped = self.replica.journal.dropped_bytes
        if dropped:
            log.warning("journal_tail_dropped", size_bytes=dropped)
        if self.replica.forgetful:
            log.warning("journal_behind_snapshot", term=self.replica.term)

    # Life.

    async def start(self) -> None:
        """Serve: peers, clients, operators. Raises OSError when an address is taken."""
        own = self._config.own
        await self.replica.start()
        await self._gateway.start(own.host, own.client_port)
        gc.collect()
        gc.freeze()
        # Cycles of short-lived objects are collected young. A full collection would stop a
        # core of a million orders for 100 ms, and never runs: the core breaks its own cycles.
        gc.set_threshold(_YOUNG_OBJECTS, _YOUNG_COLLECTIONS, _NEVER_FULL)
        self._page.start()  # Last: a node that answers here serves.
        log.info(
            "node_started",
            index=self.machine.venue.log_index,
            term=self.replica.term,
            form=self._build.form,
            version=self._build.version,
            recovering=self.replica.recovering,
        )

    async def stop(self) -> None:
        """Hand leadership over, say goodbye to clients, finish what is being written, and close."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _HAND_OVER_SECONDS
        handing_over = self.replica.is_leader and self.replica.transfer_leadership()
        while handing_over and loop.time() < deadline:
            await asyncio.sleep(0.01)
            handing_over = self.replica.is_leader
        await self._gateway.stop()
        await self.replica.stop()
        await self._checkpointer.finish()
        self._store.close()
        self._page.stop()
        self.directory.unlock()
        log.info("node_stopped", index=self.machine.venue.log_index)

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
            self._gateway.leadership_lost()
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
        fail_stop("snapshot_failed", error)


def loop_failed(_: asyncio.AbstractEventLoop, report: dict[str, Any]) -> None:
    """Take what no callback and no task has caught: an assertion ends the process.

    Anything else, a socket that failed say, has ended what it happened to, and is logged.
    """
    error = report.get("exception")
    if isinstance(error, AssertionError):
        fail_stop("assertion_failed", error, where=report.get("message"))
    log.error("loop_error", exc_info=error, where=report.get("message"))


def _timing(config: NodeConfig) -> Timing:
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
