"""What can go wrong on disk.

One exception a kind, each saying what was found and what to do about it.
"""

from pathlib import Path


class StorageError(Exception):
    """The disk, or what is on it, does not allow what was asked."""


class SnapshotDamagedError(StorageError):
    """The snapshot's bytes contradict themselves.

    It must not be served, copied or repaired in place.
    """

    def __init__(self, path: Path, finding: str) -> None:
        """Name the file and what the check found in it."""
        super().__init__(
            f"snapshot {path} is damaged: {finding}; run `quorumbook node start N --recover` "
            "to rebuild this node from its peers; leave its journal alone: it holds its votes"
        )
        self.path = path
        self.finding = finding


class JournalLostError(StorageError):
    """The node has taken part in the cluster, but its journal, and with it its votes, is gone."""

    def __init__(self, path: Path) -> None:
        """Name the journal's folder."""
        super().__init__(
            f"there is no journal in {path}, and this node is not new: it may have forgotten votes "
            "and acknowledged commands; run `quorumbook node start N --recover` to rebuild it from "
            "its peers before it votes again"
        )


class IdentityChangedError(StorageError):
    """The genesis or the cluster key is not the one that the node first started with."""

    def __init__(self, path: Path, seal: Path) -> None:
        """Name the file that differs, and the seal that says so."""
        super().__init__(
            f"{path} is not the file that this node first started with; copy it from another node. "
            f"If the cluster key was changed on all nodes on purpose, remove {seal}"
        )
        self.path = path


class SnapshotMismatchError(StorageError):
    """A copied snapshot is not the file that its sender described, or not one for this cluster."""

    def __init__(self, path: Path, finding: str) -> None:
        """Name the file and how it differs from what was expected."""
        super().__init__(
            f"snapshot copy {path} was refused: {finding}; ask a peer for another copy"
        )
        self.path = path
        self.finding = finding


class SnapshotContradictionError(StorageError):
    """What was to be committed does not follow from what the store holds.

    A fault of ours, nothing was written.
    """


class SnapshotFullError(StorageError):
    """There was no room for the snapshot; the one before it is intact, and its changes are owed."""

    def __init__(self, path: Path, map_size: int, free_bytes: int, cause: str) -> None:
        """Name the file, the size it may have, and what its disk has left."""
        super().__init__(
            f"no room to commit to {path}: {cause}; the map holds "
            f"{map_size} bytes and the disk has "
            f"{free_bytes} bytes free; make room: the next checkpoint writes what is owed"
        )
        self.map_size = map_size
        self.free_bytes = free_bytes


class SnapshotWriteError(StorageError):
    """The disk failed under the store: what reached it is unknown, so the node must stop."""

    def __init__(self, path: Path, cause: str) -> None:
        """Name the file and what the disk answered."""
        super().__init__(f"writing {path} failed: {cause}; stop this node and check its disk")


class EventsTooOldError(StorageError):
    """The events asked for are no longer held."""

    def __init__(self, asked: int, oldest: int) -> None:
        """Name what was asked for and the oldest held: log indexes, or stream sequences."""
        super().__init__(
            f"events from {asked} are no longer held; the oldest is {oldest}: take a snapshot first"
        )
        self.asked = asked
        self.oldest = oldest


class DirectoryLockedError(StorageError):
    """Another process runs on this data directory."""

    def __init__(self, directory: Path, owner: str) -> None:
        """Name the directory and who holds it."""
        super().__init__(
            f"data directory {directory} is in use by process {owner}; stop that node first: "
            "two processes on one directory would vote twice"
        )


class GenesisMismatchError(StorageError):
    """The genesis on disk is not a genesis, or not the one expected."""

    def __init__(self, path: Path, finding: str) -> None:
        """Name the file and what is wrong with it."""
        super().__init__(
            f"genesis {path}: {finding}; a node belongs to one cluster for "
            "life: use its own directory"
        )
        self.path = path


class BackupError(StorageError):
    """A backup cannot be made, or restored, where it was asked to be."""


class BackupDamagedError(StorageError):
    """A backup is not what its manifest says."""

    def __init__(self, path: Path, findings: list[str]) -> None:
        """Name the backup and every file that differs."""
        super().__init__(f"backup {path} is damaged: {'; '.join(findings)}; use another backup")
        self.path = path
        self.findings = findings
