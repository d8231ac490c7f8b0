"""What a replica needs from the node around it, and the roles that it tells."""

from enum import IntEnum
from pathlib import Path
from typing import Protocol

from node.consensus.raft_core import CANDIDATE, FOLLOWER, LEADER


class Role(IntEnum):
    """What a replica is in the current term."""

    FOLLOWER = FOLLOWER
    CANDIDATE = CANDIDATE
    LEADER = LEADER


class StateMachine(Protocol):
    """What the log drives. An exception from either method ends the process."""

    def apply(self, index: int, term: int, group: bytes) -> None:
        """Apply a committed group. Indexes rise, with gaps where a leader's first entry stands."""

    def restore_from(self, snapshot_file: Path) -> None:
        """Replace the state by that of the snapshot just installed."""


class GroupSource(Protocol):
    """Where the leader gets groups from."""

    def take_group(self, max_bytes: int) -> bytes | None:
        """Return the next group to propose, at most about `max_bytes`; None when nothing waits."""
