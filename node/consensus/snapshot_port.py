"""Snapshot transfers over real files.

Copies and installs run in a thread, the loop only reads and writes chunks.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from blake3 import blake3

from node.consensus.file_system import FileSystem


class SnapshotPosition(Protocol):
    """Where a snapshot ends in the log."""

    @property
    def index(self) -> int:
        """The last entry in it."""

    @property
    def term(self) -> int:
        """The term of that entry."""

    @property
    def stamp_ns(self) -> int:
        """The stamp of the last group in it; 0 when there is none."""


class SnapshotSource(Protocol):
    """This node's snapshot (the storage package implements it).

    `copy` and `install` run in a thread.
    """

    def latest(self) -> SnapshotPosition | None:
        """Return where the durable snapshot ends, or None when there is none yet."""

    def copy(self) -> tuple[Path, bytes, int]:
        """Make a copy; return its path, which the caller deletes, its blake3 and its size."""

    def install(self, file: Path, blake3: bytes, size: int) -> SnapshotPosition:
        """Verify `file`, then replace our snapshot by it, durably. Raises when it is no good."""


class FileCopy:
    """A copy being sent; deleted when closed."""

    def __init__(self, files: FileSystem, index: int, path: Path, digest: bytes, size: int) -> None:
        """Send the file at `path`."""
        self._files = files
        self.index = index
        self.blake3 = digest
        self.size = size
        self._path = path
        self._descriptor = files.open(path)

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes at `offset`."""
        return self._files.read_at(self._descriptor, offset, size)

    def close(self) -> None:
        """Close and delete the file."""
        if self._descriptor >= 0:
            self._files.close(self._descriptor)
            self._descriptor = -1
            if self._files.exists(self._path):  # Nobody else should have removed it, and may have.
                self._files.remove(self._path)


class FileInbox:
    """A file being received."""

    def __init__(
        self, port: "FileSnapshots", files: FileSystem, path: Path, size: int, digest: bytes
    ) -> None:
        """Receive into the new file `path`."""
        self._port = port
        self._files = files
        self._path = path
        self._size = size
        self._digest = digest
        self._hash = blake3()
        self._descriptor = files.create(path)

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._files.write(self._descriptor, [data])
        self._hash.update(data)

    def install(self, done: Callable[[tuple[int, int] | None], None]) -> None:
        """Install the file unless its hash is not the one that was offered."""
        if self._hash.digest() != self._digest:
            self.discard()
            done(None)
            return
        descriptor, self._descriptor = self._descriptor, -1
        self._port.install(descriptor, self._path, self._digest, self._size, done)

    def discard(self) -> None:
        """Delete the file."""
        if self._descriptor >= 0:
            self._files.close(self._descriptor)
            self._descriptor = -1
            if self._files.exists(self._path):  # Nobody else should have removed it, and may have.
                self._files.remove(self._path)


class FileSnapshots:
    """Copies from and installs into a SnapshotSource, for `node.consensus.snapshot_transfer`."""

    def __init__(
        self,
        source: SnapshotSource,
        inbox: Path,
        load: Callable[[Path], None],
        failed: Callable[[BaseException], None],
        files: FileSystem,
    ) -> None:
        """Receive into the file `inbox`; `load` replaces the state machine's state, in the loop.

        Whatever a thread or `load` raises goes to `failed`, which must end the process: a snapshot
        that was sent whole and cannot be installed leaves this node without a way on.
        """
        self._source = source
        self._inbox = inbox
        self._load = load
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()
        self._files = files
        self._clear_inbox()  # What an earlier process did not finish.

    def _clear_inbox(self) -> None:
        if self._files.exists(self._inbox):
            self._files.remove(self._inbox)

    def _start(self, work: Callable[[], None], then: Callable[[], None]) -> None:
        async def run() -> None:
            try:
                await asyncio.get_running_loop().run_in_executor(None, work)
                then()
            except BaseException as error:  # noqa: BLE001 - see __init__.
                if not isinstance(error, asyncio.CancelledError):
                    self._failed(error)

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def copy(self, done: Callable[[FileCopy | None], None]) -> None:
        """Copy the snapshot in a thread, then call `done`."""
        made: list[FileCopy] = []

        def work() -> None:
            latest = self._source.latest()
            if latest is not None:
                made.append(FileCopy(self._files, latest.index, *self._source.copy()))

        self._start(work, lambda: done(made[0] if made else None))

    def receive(self, size: int, blake3: bytes) -> FileInbox:
        """Prepare to receive a file."""
        self._clear_inbox()
        return FileInbox(self, self._files, self._inbox, size, blake3)

    def install(
        self,
        descriptor: int,
        file: Path,
        digest: bytes,
        size: int,
        done: Callable[[tuple[int, int] | None], None],
    ) -> None:
        """Install in a thread what `descriptor` has written, load in the loop, then call `done`."""
        installed: list[SnapshotPosition] = []

        def work() -> None:
            self._files.sync_data(descriptor)
            self._files.close(descriptor)
            installed.append(self._source.install(file, digest, size))

        def then() -> None:
            self._load(file)
            done((installed[0].index, installed[0].term))

        self._start(work, then)

    async def stop(self) -> None:
        """Wait for work in threads to end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
