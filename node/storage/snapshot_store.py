"""The snapshot: every page of the venue at one log index, in one LMDB file.

What is durable when:

- `commit`: the seal gives way to a mark (fsync of file and directory), LMDB writes pages
  (fdatasync), then its root (synchronous write): this is the instant at which the new snapshot
  exists; then the new seal (fsync of file and directory).
- `install`: the copy is hashed and probed while it is only a file; then mark, fsync of the copy,
  rename over ours, fsync of the directory: the rename is the instant at which the new snapshot
  exists, and a crash before it leaves the old one; then the new seal.
"""

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from node.storage import durable
from node.storage.errors import (
    SnapshotContradictionError,
    SnapshotDamagedError,
    SnapshotFullError,
    SnapshotMismatchError,
    SnapshotWriteError,
)
from node.storage.seal import break_seal, is_sealed, write_seal
from node.storage.snapshot_file import (
    Environment,
    FileError,
    MapFullError,
    compact,
    create_file,
    meta_in,
    open_file,
    pages_in,
    read_meta,
    write_snapshot,
)
from node.storage.snapshot_meta import SnapshotMeta

SNAPSHOT_NAME: Final = "state.lmdb"
_FIRST_MAP_SIZE: Final = 256 << 20
_MOST_MAP_SIZE: Final = 1 << 40
_MOST_TREE_BYTES_PER_PAGE: Final = 4 * 4096
_NO_ROOM: Final = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


class SnapshotCopy(NamedTuple):
    """A compacted copy in a file of its own; whoever asked for it deletes it."""

    path: Path
    blake3: bytes
    size: int


class SnapshotStore:
    """Keep one snapshot durable, replace it in steps or as a whole, and lend copies of it.

    Every method may be called from any thread. Commits and installs take turns; copies and reads go
    on beside commits, each at one snapshot. One store a file a process; the data directory's lock
    keeps other nodes away.
    """

    def __init__(
        self,
        directory: Path,
        *,
        genesis_hash: bytes | None = None,
        probe: Callable[[Path], object] | None = None,
        first_map_size: int = _FIRST_MAP_SIZE,
        most_map_size: int = _MOST_MAP_SIZE,
    ) -> None:
        """Open the snapshot in `directory`, which the caller has probed, or create an empty one.

        With `genesis_hash`, snapshots of another cluster are refused. `probe` checks a copy before
        it is installed (default: `node.storage.probe.probe_file`, in a child process). The map
        grows from `first_map_size` by doubling.
        """
        self.path: Final = directory / SNAPSHOT_NAME
        self._genesis_hash = genesis_hash
        self._probe = probe
        self._first_map_size = first_map_size
        self._most_map_size = most_map_size
        self._writing = threading.Lock()
        self._gate = threading.Condition()
        self._readers = 0
        self._owed: dict[bytes, bytes] = {}
        self._copies = 0
        self._installed_index = 0
        _remove_leftovers(directory)
        if not self.path.exists():
            create_file(self.path, first_map_size)
        self._environment = self._open()
        self._latest = self._read_latest()
        if not is_sealed(self.path):
            self._seal()

    def close(self) -> None:
        """Close the file, after reads and copies in progress; nothing may be called afterwards."""
        with self._writing, self._alone():
            self._environment.close()

    def latest(self) -> SnapshotMeta | None:
        """Return what the committed snapshot says of itself, None when there is none yet."""
        return self._latest

    def pages(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) of every page in key order, at one snapshot.

        Raises SnapshotDamagedError on a bad checksum.

        Exhaust or close the iterator: while it is open, installs and growth of the map wait for it.
        """
        with self._reading() as environment, environment.begin() as transaction:
            yield from pages_in(self.path, transaction)

    def commit(self, changes: Iterable[tuple[bytes, bytes]], meta: SnapshotMeta) -> None:
        """Apply `changes` (b"" deletes) and `meta` in one durable transaction, then seal the file.

        `changes` are what differs from the previous commit; `meta.page_count` is of the whole.
        Raises SnapshotFullError when there is no room: the previous snapshot stays and the changes
        are kept for the next commit. Raises SnapshotContradictionError, with nothing written, when
        index, genesis or page count do not follow; and SnapshotWriteError when the disk failed,
        after which the node must stop. Does nothing when an install of a later snapshot has
        overtaken it.
        """
        with self._writing:
            if meta.index <= self._installed_index:
                return
            self._check_follows(meta)
            self._owed.update(changes)
            self._break_seal(meta.index)
            while not self._try_commit(meta):
                self._grow()
            self._owed = {}
            self._latest = meta
            self._seal()

    def copy(self) -> SnapshotCopy:
        """Write a compacted copy of the snapshot beside it; return its path, blake3 and size.

        Commits go on meanwhile. The copy is durable; the caller deletes it (leftovers go when the
        store opens).
        """
        with self._gate:
            self._copies += 1
            target = self.path.with_name(
                f"{SNAPSHOT_NAME}.copy-{self._copies}{durable.TEMPORARY_SUFFIX}"
            )
        with self._reading() as environment:
            compact(environment, target)
        durable.sync_file(target)
        return SnapshotCopy(target, durable.hash_file(target), target.stat().st_size)

    def install(self, file: Path, blake3: bytes, size: int) -> SnapshotMeta:
        """Replace the snapshot by `file`, a copy, which is consumed; return its meta.

        Size and hash are checked before anything opens the file as LMDB, then a child process
        probes it. Raises SnapshotMismatchError or SnapshotDamagedError with ours untouched. Crash-
        safe at every point.
        """
        actual = file.stat().st_size
        if actual != size:
            raise SnapshotMismatchError(file, f"it has {actual} bytes, not {size}")
        if durable.hash_file(file) != blake3:
            raise SnapshotMismatchError(file, "its blake3 is not the one its sender gave")
        self._probe_copy(file)
        meta = read_meta(file)
        if meta is None:
            raise SnapshotMismatchError(file, "it holds no snapshot")
        with self._writing:
            self._check_installable(file, meta)
            self._replace_by(_beside(file, self.path), meta.index)
            self._owed = {}
            self._latest = meta
            self._installed_index = meta.index
            self._seal()
        return meta

    def _probe_copy(self, file: Path) -> None:
        if self._probe is not None:
            self._probe(file)
            return
        # Late, since the probe reads through this module.
        from node.storage.probe import probe_file  # noqa: PLC0415

        probe_file(file)

    def _check_installable(self, file: Path, meta: SnapshotMeta) -> None:
        if self._genesis_hash is not None and meta.genesis_hash != self._genesis_hash:
            raise SnapshotMismatchError(file, "it belongs to a cluster with another genesis")
        if self._latest is not None and meta.index < self._latest.index:
            raise SnapshotMismatchError(
                file, f"it ends at index {meta.index}, behind ours at {self._latest.index}"
            )

    def _check_follows(self, meta: SnapshotMeta) -> None:
        if self._genesis_hash is not None and meta.genesis_hash != self._genesis_hash:
            raise SnapshotContradictionError(
                f"the snapshot at index {meta.index} has another genesis than this store"
            )
        if self._latest is not None and meta.index <= self._latest.index:
            raise SnapshotContradictionError(
                f"a snapshot at index {meta.index} cannot follow the one at {self._latest.index}"
            )

    def _try_commit(self, meta: SnapshotMeta) -> bool:
        """Commit what is owed; False when the map is full and may grow."""
        try:
            self._environment.reader_check()  # A reader that was killed must not pin old pages.
            with self._reading() as environment, environment.begin(write=True) as transaction:
                write_snapshot(transaction, self._owed, meta)
        except MapFullError as error:
            if self._environment.info()["map_size"] < self._most_map_size:
                return False
            raise self._full(error) from error
        except SnapshotContradictionError:
            self._owed = {}
            raise
        except FileError as error:
            self._reopen()
            if self._has_room():
                raise SnapshotWriteError(self.path, str(error)) from error
            raise self._full(error) from error
        return True

    def _break_seal(self, index: int) -> None:
        old_index = self._latest.index if self._latest is not None else 0
        try:
            break_seal(self.path, old_index, index)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise self._full(error) from error
            raise SnapshotWriteError(self.path, str(error)) from error

    def _seal(self) -> None:
        """Seal the file; without room for that the mark stays, and only contents can be checked."""
        try:
            write_seal(self.path)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise SnapshotWriteError(self.path, str(error)) from error

    def _has_room(self) -> bool:
        """Tell a full disk from a broken one: LMDB calls both an input/output error."""
        needed = sum(len(value) + _MOST_TREE_BYTES_PER_PAGE for value in self._owed.values())
        with self.path.open("r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), self.path.stat().st_size, needed + 1)
            except OSError as error:
                return error.errno not in _NO_ROOM
        return True

    def _full(self, error: FileError | OSError) -> SnapshotFullError:
        free_bytes = shutil.disk_usage(self.path.parent).free
        return SnapshotFullError(
            self.path, self._environment.info()["map_size"], free_bytes, str(error)
        )

    def _grow(self) -> None:
        with self._alone():
            size = self._environment.info()["map_size"]
            self._environment.set_mapsize(min(size * 2, self._most_map_size))

    def _reopen(self) -> None:
        """Open the file anew: LMDB refuses everything after a failed write of its root."""
        with self._alone():
            self._environment.close()
            self._environment = self._open()

    def _replace_by(self, file: Path, index: int) -> None:
        with self._alone():
            self._environment.close()
            try:
                self._break_seal(index)
                # The lock file carries the old file's transaction number: a reader in another
                # process keeps the old pair.
                _lock_path(self.path).unlink(missing_ok=True)
                durable.replace(file, self.path)
            finally:
                self._environment = self._open()

    def _open(self) -> Environment:
        map_size = max(self._first_map_size, self.path.stat().st_size * 2)
        try:
            return open_file(self.path, readonly=False, lock=True, map_size=map_size)
        except FileError as error:
            raise SnapshotDamagedError(self.path, f"LMDB cannot open it ({error})") from error

    def _read_latest(self) -> SnapshotMeta | None:
        with self._reading() as environment, environment.begin() as transaction:
            return meta_in(self.path, transaction)

    @contextmanager
    def _reading(self) -> Iterator[Environment]:
        with self._gate:
            self._readers += 1
        try:
            yield self._environment
        finally:
            with self._gate:
                self._readers -= 1
                self._gate.notify_all()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until nobody reads, and keep readers out.

        The map may move or the file be replaced.
        """
        with self._gate:
            self._gate.wait_for(lambda: self._readers == 0)
            yield


def _remove_leftovers(directory: Path) -> None:
    for leftover in directory.glob(f"{SNAPSHOT_NAME}*{durable.TEMPORARY_SUFFIX}*"):
        leftover.unlink()


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + "-lock")


def _beside(file: Path, target: Path) -> Path:
    """Return `file` on the file system of `target`, moved there when it is on another one."""
    if file.stat().st_dev == target.parent.stat().st_dev:
        return file
    moved = target.with_name(f"{target.name}.install{durable.TEMPORARY_SUFFIX}")
    shutil.copyfile(file, moved)
    moved.chmod(0o600)
    file.unlink()
    return moved
