"""Snapshot transfers over real files.

Copies and installs run in a thread, the loop only reads and writes chunks.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from blake3 import blake3


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

    def __init__(self, index: int, path: Path, digest: bytes, size: int) -> None:
        """Send the file at `path`."""
        self.index = index
        self.blake3 = digest
        self.size = size
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes at `offset`."""
        return os.pread(self._descriptor, size, offset)

    def close(self) -> None:
        """Close and delete the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._path.unlink(missing_ok=True)


class FileInbox:
    """A file being received."""

    def __init__(self, port: "FileSnapshots", path: Path, size: int, digest: bytes) -> None:
        """Receive into `path`, which is replaced."""
        self._port = port
        self._path = path
        self._size = size
        self._digest = digest
        self._hash = blake3()
        self._file = path.open("wb")

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._file.write(data)
        self._hash.update(data)

    def install(self, done: Callable[[tuple[int, int] | None], None]) -> None:
        """Install the file unless its hash is not the one that was offered."""
        self._file.close()
        if self._hash.digest() != self._digest:
            self.discard()
            done(None)
            return
        self._port.install(self._path, self._digest, self._size, done)

    def discard(self) -> None:
        """Delete the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class FileSnapshots:
    """Copies from and installs into a SnapshotSource, for `node.consensus.snapshot_transfer`."""

    def __init__(
        self,
        source: SnapshotSource,
        inbox: Path,
        load: Callable[[Path], None],
        failed: Callable[[BaseException], None],
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
        inbox.unlink(missing_ok=True)  # What an earlier process did not finish.

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
                made.append(FileCopy(latest.index, *self._source.copy()))

        self._start(work, lambda: done(made[0] if made else None))

    def receive(self, size: int, blake3: bytes) -> FileInbox:
        """Prepare to receive a file."""
        return FileInbox(self, self._inbox, size, blake3)

    def install(
        self, file: Path, digest: bytes, size: int, done: Callable[[tuple[int, int] | None], None]
    ) -> None:
        """Install in a thread, load in the loop, then call `done`."""
        installed: list[SnapshotPosition] = []

        def work() -> None:
            with file.open("rb") as received:
                os.fsync(received.fileno())
            installed.append(self._source.install(file, digest, size))

        def then() -> None:
            self._load(file)
            done((installed[0].index, installed[0].term))

        self._start(work, then)

    async def stop(self) -> None:
        """Wait for work in threads to end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
