"""What can go wrong outside the replica's own logic; each error says what to do."""

from pathlib import Path


class ConsensusError(Exception):
    """The world failed the replicated log."""


class JournalDamageError(ConsensusError):
    """Bytes that were once durable cannot be read back.

    The node must not vote with what is left.
    """

    def __init__(self, path: Path, offset: int, what: str) -> None:
        """Name the file, the byte offset and the damage found there."""
        super().__init__(
            f"{path} is damaged at byte {offset}: {what}; do not edit it: set this node's "
            "files aside and rebuild the node with `quorumbook node start N --recover`"
        )
        self.path = path
        self.offset = offset
        self.what = what


class SnapshotGapError(ConsensusError):
    """The journal does not reach back to the snapshot, so the state cannot be rebuilt from them."""

    def __init__(self, snapshot_index: int, first_index: int) -> None:
        """Name the index where the snapshot ends and the first one that the journal holds."""
        super().__init__(
            f"the snapshot ends at index {snapshot_index} but the journal starts at {first_index}: "
            "one of them was replaced by hand; run `quorumbook node start N --recover`"
        )
        self.snapshot_index = snapshot_index
        self.first_index = first_index


class NotLeaderError(ConsensusError):
    """This replica does not lead, or stopped leading before it could answer."""


class PeerRefusedError(ConsensusError):
    """A connection between two nodes was refused during its handshake."""


class GenesisMismatchError(PeerRefusedError):
    """The other node belongs to a cluster with another genesis."""

    def __init__(self, ours: bytes, theirs: bytes) -> None:
        """Name both genesis hashes."""
        super().__init__(
            f"our genesis is {ours.hex()[:16]}, the peer's is {theirs.hex()[:16]}: "
            "they are nodes of "
            "two clusters; check the peer address or the data directory"
        )


class WireError(ConsensusError):
    """A peer sent bytes that no correct peer sends; the connection is closed."""


class UnsupportedCoreError(ConsensusError):
    """The installed pysyncobj is not the one whose source this package was written against."""


class LogContradictionError(AssertionError):
    """A peer contradicts committed entries, or we are about to.

    The replica must stop, not repair.
    """
