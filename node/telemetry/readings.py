"""What one node knows about itself at one moment: the single source of `/status` and `/metrics`."""

from dataclasses import dataclass, field

from node.telemetry.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Build:
    """Which program this is: its version, and whether the core is `compiled` or `pure`."""

    version: str
    form: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The node's place in its cluster. `leader` is 0 while none is known."""

    cluster_id: str
    node: int
    role: str
    ready: bool
    term: int
    leader: int
    commit_index: int
    applied_index: int
    last_index: int
    chain_digest: str
    recovering: bool = False


@dataclass(frozen=True, slots=True)
class CheckpointReading:
    """The last durable checkpoint; index 0 and empty digests before the first."""

    index: int = 0
    state_digest: str = ""
    ledger_digest: str = ""


@dataclass(frozen=True, slots=True)
class VenueReading:
    """How much the venue holds."""

    sessions: int
    accounts: int
    events: int
    markets: int
    open_orders: int
    commands_applied: int
    rejections: dict[str, int]


@dataclass(frozen=True, slots=True)
class GatewayReading:
    """What the door has seen since the start."""

    connections: int
    connections_total: int
    received_bytes: int
    sent_bytes: int
    pending_bytes: int
    refusals: dict[str, int]


@dataclass(frozen=True, slots=True)
class ConsensusReading:
    """What the log has cost since the start. `lag` is entries behind the leader, by peer.

    Only the leader knows it.
    """

    elections: int
    groups_proposed: int
    journal_bytes: int
    journal_first_index: int
    lag: dict[int, int]


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything; histograms are the live ones, read without a lock."""

    build: Build
    standing: Standing
    checkpoint: CheckpointReading
    venue: VenueReading
    gateway: GatewayReading
    consensus: ConsensusReading
    histograms: dict[str, Histogram] = field(default_factory=dict)
    event_journal_bytes: int = 0
    event_journal_first_index: int = 0
    pause_ns_max: int = 0
