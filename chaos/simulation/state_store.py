"""A snapshot store in memory: what LMDB promises, without LMDB.

A commit is atomic and durable at the instant it runs; a copy is a file on the host's disk, with the
same checks before it is installed. What LMDB itself does to real disks is tested with real disks.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from chaos.simulation.disk import SimulatedDisk
from node.storage.errors import (
    SnapshotContradictionError,
    SnapshotFullError,
    SnapshotMismatchError,
)
from node.storage.snapshot_meta import SnapshotMeta, decode_meta


class Stored(NamedTuple):
    """What is durable."""

    pages: dict[bytes, bytes]
    meta: SnapshotMeta | None


class SimulatedStore:
    """One host's snapshot. It outlives processes and power; `lose` is the end of the disk."""

    def __init__(self, directory: Path, disk: SimulatedDisk) -> None:
        """Start empty; copies go to `directory` on `disk`."""
        self._directory = directory
        self._disk = disk
        self._stored = Stored({}, None)
        self._owed: dict[bytes, bytes] = {}
        self._copies = 0
        self.commits = 0
        self.installs = 0

    def latest(self) -> SnapshotMeta | None:
        """Return what the snapshot says of itself."""
        return self._stored.meta

    def pages(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all pages in key order."""
        return iter(sorted(self._stored.pages.items()))

    def commit(self, changes: Iterable[tuple[bytes, bytes]], meta: SnapshotMeta) -> None:
        """Replace the snapshot. Raises SnapshotFullError, SnapshotContradictionError."""
        latest = self._stored.meta
        if latest is not None and meta.index <= latest.index:
            if self.installs:
                return  # An install has overtaken it.
            raise SnapshotContradictionError(f"{meta.index} cannot follow {latest.index}")
        self._owed.update(changes)
        if self._disk.full:
            raise SnapshotFullError(self._directory, 0, 0, "the simulated disk is full")
        pages = dict(self._stored.pages)
        for key, value in self._owed.items():
            if value:
                pages[key] = value
            else:
                pages.pop(key, None)
        if len(pages) != meta.page_count:
            raise SnapshotContradictionError(
                f"the snapshot at {meta.index} says {meta.page_count} pages, it has {len(pages)}"
            )
        self._owed = {}
        self._stored = Stored(pages, meta)
        self.commits += 1

    def copy(self) -> tuple[Path, bytes, int]:
        """Write a copy to the disk."""
        meta = self._stored.meta
        assert meta is not None
        self._copies += 1
        path = self._directory / f"copy-{self._copies}.new"
        content = _encode(self._stored.pages, meta)
        descriptor = self._disk.create(path)
        self._disk.write(descriptor, [content])
        self._disk.sync_data(descriptor)
        self._disk.close(descriptor)
        return path, blake3(content).digest(), len(content)

    def install(self, file: Path, blake3_: bytes, size: int) -> SnapshotMeta:
        """Replace the snapshot by a copy. Raises SnapshotMismatchError."""
        content = self._disk.read(file)
        if len(content) != size or blake3(content).digest() != blake3_:
            raise SnapshotMismatchError(file, "it is not what its sender gave")
        pages, meta = _decode(content)
        latest = self._stored.meta
        if latest is not None and meta.index < latest.index:
            raise SnapshotMismatchError(file, f"it ends at {meta.index}, behind {latest.index}")
        self._stored = Stored(pages, meta)
        self._owed = {}
        self.installs += 1
        self._disk.remove(file)
        return meta

    def reopen(self) -> None:
        """Start another process: what it owed is forgotten, copies it made are deleted."""
        self._owed = {}
        self.installs = 0
        for path in self._disk.paths(self._directory):
            if path.suffix == ".new":
                self._disk.remove(path)

    def lose(self) -> None:
        """Lose the snapshot with the disk."""
        self._stored = Stored({}, None)
        self._owed = {}

    def close(self) -> None:
        """Nothing is open."""


def _encode(pages: dict[bytes, bytes], meta: SnapshotMeta) -> bytes:
    parts = []
    for content in (meta.encode(), *(part for page in sorted(pages.items()) for part in page)):
        parts += [len(content).to_bytes(4, "little"), content]
    return b"".join(parts)


def _decode(content: bytes) -> tuple[dict[bytes, bytes], SnapshotMeta]:
    parts = []
    at = 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "little")
        parts.append(content[at + 4 : at + 4 + size])
        at += 4 + size
    return dict(zip(parts[1::2], parts[2::2], strict=True)), decode_meta(parts[0])
