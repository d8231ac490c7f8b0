"""What a node's TOML may say: frozen structs with a unit in every name and a range on every number.

Only `genesis` is replicated, and only a new cluster reads it; everything else is local to one node.
"""

from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

Port = Annotated[int, Meta(ge=1, le=65_535)]
Milliseconds = Annotated[int, Meta(ge=1, le=600_000)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Bytes = Annotated[int, Meta(ge=4_096, le=1 << 42)]
Name = Annotated[str, Meta(min_length=1, max_length=253)]


class Endpoint(NamedTuple):
    """A host and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return `host:port`."""
        return f"{self.host}:{self.port}"


class Member(Struct, frozen=True, forbid_unknown_fields=True):
    """Where one node of the cluster listens: for clients, for its peers, and for HTTP."""

    number: Annotated[int, Meta(ge=1, le=5)]
    host: Name
    client_port: Port
    peer_port: Port
    http_port: Port

    @property
    def client(self) -> Endpoint:
        """Return where clients connect."""
        return Endpoint(self.host, self.client_port)

    @property
    def peer(self) -> Endpoint:
        """Return where the other nodes connect."""
        return Endpoint(self.host, self.peer_port)

    @property
    def http(self) -> Endpoint:
        """Return where metrics and status are served."""
        return Endpoint(self.host, self.http_port)


class Timing(Struct, frozen=True, forbid_unknown_fields=True):
    """How long the consensus waits."""

    heartbeat_ms: Milliseconds
    election_min_ms: Milliseconds
    election_max_ms: Milliseconds

    def __post_init__(self) -> None:
        """Refuse timers under which a healthy leader would be deposed."""
        if self.election_min_ms < 3 * self.heartbeat_ms:
            raise ValueError(
                f"election_min_ms is {self.election_min_ms}, "
                f"less than three heartbeats of {self.heartbeat_ms} ms"
            )
        if self.election_max_ms <= self.election_min_ms:
            raise ValueError(
                f"election_max_ms is {self.election_max_ms}, not above "
                f"election_min_ms, which is {self.election_min_ms}: every election would tie"
            )


class Groups(Struct, frozen=True, forbid_unknown_fields=True):
    """How many commands share a log entry, and how many entries may wait for their quorum."""

    bytes_max: Annotated[int, Meta(ge=4_096, le=4 << 20)]
    in_flight_max: Annotated[int, Meta(ge=1, le=256)]


class Gateway(Struct, frozen=True, forbid_unknown_fields=True):
    """What one node accepts from its clients."""

    connections: Count
    connections_per_address: Count
    login_ms: Milliseconds
    """From the connection to an accepted login."""
    idle_ms: Milliseconds
    """Without a byte from the client."""
    pending_bytes: Bytes
    """Commands of one connection that wait for a group; above it reading pauses."""
    pending_bytes_total: Bytes
    output_bytes: Bytes
    """Written but not yet taken by the client's socket; above it the client is cut."""
    window: Annotated[int, Meta(ge=16, le=65_536)]
    """Commands of one session in flight, at most."""


class Storage(Struct, frozen=True, forbid_unknown_fields=True):
    """How much disk a node may use for what it could rebuild."""

    event_journal_bytes_max: Bytes
    state_map_bytes: Bytes
    journal_segment_bytes: Bytes
    journal_margin_bytes: Bytes
    """Of entries kept behind a snapshot, for peers that are a little behind."""


class Logging(Struct, frozen=True, forbid_unknown_fields=True):
    """How much a node says."""

    level: Literal["debug", "info", "warning", "error", "critical"]


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting that does not name a machine.

    `genesis` gives limits by name to a new cluster.
    """

    timing: Timing
    groups: Groups
    gateway: Gateway
    storage: Storage
    logging: Logging
    genesis: dict[str, Annotated[int, Meta(ge=0)]]


class NodeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """All that one node needs to start. `data` is absolute once loaded."""

    number: Annotated[int, Meta(ge=1, le=5)]
    data: Name
    members: Annotated[list[Member], Meta(min_length=1, max_length=5)]
    timing: Timing
    groups: Groups
    gateway: Gateway
    storage: Storage
    logging: Logging

    def __post_init__(self) -> None:
        """Refuse a membership that repeats a number or an address, or leaves this node out."""
        numbers = [member.number for member in self.members]
        if len(set(numbers)) != len(numbers):
            raise ValueError(f"members {numbers} repeat a number")
        if self.number not in numbers:
            raise ValueError(f"node {self.number} is not among the members {numbers}")
        if len(self.members) not in {1, 3, 5}:
            raise ValueError(f"a cluster has 3 or 5 members (1 for tests), not {len(self.members)}")
        endpoints = [
            end for member in self.members for end in (member.client, member.peer, member.http)
        ]
        if len(set(endpoints)) != len(endpoints):
            raise ValueError("two listeners of the members share an address")

    @property
    def own(self) -> Member:
        """Return this node's own entry among the members."""
        return next(member for member in self.members if member.number == self.number)
