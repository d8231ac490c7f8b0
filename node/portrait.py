"""What one node knows about itself.

Gathered from its parts when an operator asks, never on the way of a command.
"""

from collections.abc import Callable
from typing import Final

from node.consensus.replica import Replica
from node.domain.codes import Code
from node.gateway.admission import Admission
from node.gateway.counters import GatewayCounters
from node.machine import Machine
from node.protocol.refusals import Refusal
from node.storage.checkpointer import Checkpointer
from node.storage.event_journal import EventJournal
from node.storage.snapshot_store import SnapshotStore
from node.telemetry.histogram import Histogram
from node.telemetry.readings import (
    Build,
    CheckpointReading,
    ConsensusReading,
    GatewayReading,
    Readings,
    Standing,
    VenueReading,
)

_COUNT_EVERY_SECONDS: Final = 1.0
"""However often `/healthz` and `/status` are asked for."""


class Portrait:
    """Reads the parts of a node without a lock: `readings` may be called in any thread."""

    def __init__(
        self,
        build: Build,
        node: int,
        replica: Replica,
        machine: Machine,
        counters: GatewayCounters,
        admission: Admission,
        events: EventJournal,
        checkpointer: Checkpointer,
        store: SnapshotStore,
        now: Callable[[], float],
    ) -> None:
        """Read from these parts; `now` is a monotonic clock in seconds."""
        self._now = now
        self._build = build
        self._node = node
        self._replica = replica
        self._machine = machine
        self._counters = counters
        self._admission = admission
        self._events = events
        self._checkpointer = checkpointer
        self._store = store
        self._orders_counted = 0
        self._count_again_at = 0.0

    def readings(self) -> Readings:
        """Return everything as it is now."""
        stages, stats = self._machine.stages, self._replica.stats
        return Readings(
            self._build,
            self._standing(),
            self._checkpoint(),
            self._venue(),
            self._gateway(),
            self._consensus(),
            {
                **stages.histograms,
                "group_commands": stages.group_commands,
                "group_bytes": stages.group_bytes,
                "fsync": Histogram.of(stats.flush_ns_buckets, stats.flush_ns),
                "checkpoint": self._checkpointer.duration,
            },
            self._events.size_bytes,
            self._events.oldest_index,
            self._checkpointer.pause_ns_max,
        )

    def _standing(self) -> Standing:
        replica = self._replica
        return Standing(
            self._machine.venue.genesis.cluster_id.hex(),
            self._node,
            replica.role.name.lower(),
            replica.ready,
            replica.term,
            replica.leader or 0,
            replica.commit_index,
            replica.applied_index,
            replica.last_index,
            self._machine.venue.digest.hex(),
            replica.recovering,
        )

    def _checkpoint(self) -> CheckpointReading:
        latest = self._store.latest()
        if latest is None:
            return CheckpointReading()
        return CheckpointReading(
            latest.index, latest.state_digest.hex(), latest.ledger_digest.hex()
        )

    def _venue(self) -> VenueReading:
        venue = self._machine.venue
        state = venue.state
        return VenueReading(
            len(state.sessions),
            state.treasury.accounts,
            state.treasury.events,
            state.treasury.markets,
            self._open_orders(),
            state.commands,
            {Code(number).name: count for number, count in enumerate(venue.rejections) if count},
        )

    def _open_orders(self) -> int:
        """Return how many orders rest, as counted at most a moment ago.

        Every market is visited, under the lock that the loop needs too.
        """
        now = self._now()
        if now >= self._count_again_at:
            markets = self._machine.venue.state.markets
            self._orders_counted = sum(one.order_count for one in markets if one is not None)
            self._count_again_at = now + _COUNT_EVERY_SECONDS
        return self._orders_counted

    def _gateway(self) -> GatewayReading:
        counters = self._counters
        return GatewayReading(
            counters.connections_open,
            counters.connections_accepted,
            counters.bytes_in,
            counters.bytes_out,
            self._admission.size,
            {
                Refusal(number).name: count
                for number, count in enumerate(counters.refusals)
                if count
            },
        )

    def _consensus(self) -> ConsensusReading:
        replica = self._replica
        return ConsensusReading(
            replica.stats.campaigns,
            replica.stats.groups_proposed,
            replica.journal.bytes,
            replica.first_index,
            replica.peer_lag,
        )
