"""What a node keeps its state in: the seam between the parts of a node and `SnapshotStore`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from node.storage.snapshot_meta import SnapshotMeta


class StateStore(Protocol):
    """One durable snapshot, replaced as a whole; `SnapshotStore` says what each method promises."""

    def latest(self) -> SnapshotMeta | None:
        """Return what the durable snapshot says of itself, None when there is none yet."""

    def pages(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) of every page in key order."""

    def commit(self, changes: Iterable[tuple[bytes, bytes]], meta: SnapshotMeta) -> None:
        """Make `changes` (b"" deletes) and `meta` durable, both or neither."""

    def copy(self) -> tuple[Path, bytes, int]:
        """Write a copy to a file of its own; return its path, blake3 and size."""

    def install(self, file: Path, blake3: bytes, size: int) -> SnapshotMeta:
        """Replace the snapshot by `file`, a copy, durably."""

    def close(self) -> None:
        """Close what is open."""
