"""What others may know of a replica, without driving it."""

from node.consensus.journal import Journal
from node.consensus.peer_transport import PeerTransport
from node.consensus.raft_core import RaftCore
from node.consensus.raft_guard import RaftGuard
from node.consensus.replica_seams import Role


class ReplicaStatus:
    """The readings of one replica; `Replica` opens the parts and drives them."""

    journal: Journal
    guard: RaftGuard
    forgetful: bool
    """Whether this start found the journal behind the snapshot, with votes possibly lost."""
    _core: RaftCore
    _transport: PeerTransport
    _proposed: list[int]
    _ready_term: int
    _ready_index: int

    @property
    def role(self) -> Role:
        """The role in the current term."""
        return Role(self._core.state)

    @property
    def is_leader(self) -> bool:
        """Whether this node leads, as far as it knows."""
        return self._core.is_leader

    @property
    def ready(self) -> bool:
        """Whether this node leads and has applied everything that was acknowledged before."""
        core = self._core
        return (
            core.is_leader
            and self._ready_term == core.term
            and core.applied_index >= self._ready_index
        )

    @property
    def leader(self) -> int | None:
        """The leader of the current term, if known."""
        return self._core.leader

    @property
    def term(self) -> int:
        """The current term."""
        return self._core.term

    @property
    def commit_index(self) -> int:
        """The last entry known to be committed."""
        return self._core.commit_index

    @property
    def applied_index(self) -> int:
        """The last entry applied."""
        return self._core.applied_index

    @property
    def last_index(self) -> int:
        """The last entry in the log."""
        return self.journal.last_index

    @property
    def first_index(self) -> int:
        """The first entry that the journal holds."""
        return self.journal.base_index

    @property
    def in_flight(self) -> int:
        """Groups proposed here and not applied yet."""
        return len(self._proposed)

    @property
    def recovering(self) -> bool:
        """Whether this node may not vote because it lost its journal."""
        return self.guard.recovery.active

    @property
    def connected_peers(self) -> list[int]:
        """The peers connected now."""
        return self._transport.connected

    @property
    def peer_lag(self) -> dict[int, int]:
        """Entries that each peer is behind, as the leader knows it; empty on others."""
        if not self._core.is_leader:
            return {}
        last = self.journal.last_index
        return {peer: last - progress.match_index for peer, progress in self.guard.peers.items()}

    def term_at(self, index: int) -> int | None:
        """Return the term of the entry at `index`, or None when the journal does not hold it."""
        return self.journal.term_at(index) if self.journal.holds(index) else None
