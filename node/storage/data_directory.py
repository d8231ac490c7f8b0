"""One node's data on disk: where each part is, who may touch it, and that only one process does."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from blake3 import blake3

from node.domain.genesis import Genesis
from node.domain.identifiers import PUBLIC_KEY_SIZE
from node.domain.limits import LIMIT_COUNT
from node.storage import durable
from node.storage.errors import DirectoryLockedError, GenesisMismatchError, StorageError
from node.storage.snapshot_store import SNAPSHOT_NAME

DIRECTORY_MODE: Final = 0o700
FILE_MODE: Final = 0o600
CLUSTER_KEY_SIZE: Final = 32
_GENESIS_MAGIC: Final = b"QBGENES1"
_CLUSTER_ID_SIZE: Final = 16
_INTEGER_SIZE: Final = 8


class DataDirectory:
    """Name the parts of a node's data directory and hold its lock.

    `with DataDirectory(path).locked(): ...` keeps every other node process away; reading (audit)
    needs no lock.
    """

    def __init__(self, root: Path) -> None:
        """Only names things: nothing is touched before `create` or `locked`."""
        self.root: Final = root
        self.genesis: Final = root / "genesis.bin"
        self.settings: Final = root / "node.toml"
        self.cluster_key: Final = root / "cluster.key"
        self.journal: Final = root / "journal"
        self.snapshot: Final = root / SNAPSHOT_NAME
        self.incoming: Final = root / "incoming"
        self.log: Final = root / "log"
        self.lock_file: Final = root / "node.lock"
        self.fresh: Final = root / "fresh"
        self.recovering: Final = root / "recovering"
        self.identity_seal: Final = root / "identity.seal"
        self._lock_descriptor = -1

    def create(self) -> None:
        """Make the directory and its parts, for the owner alone.

        What exists is kept, its mode corrected.
        """
        for directory in (self.root, self.journal, self.incoming, self.log):
            directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
            directory.chmod(DIRECTORY_MODE)
        durable.sync_directory(self.root)
        durable.sync_directory(self.root.parent)

    def locked(self) -> Self:
        """Take the lock for the life of this process, or until `unlock`.

        Raises DirectoryLockedError when another process holds it.
        """
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            _lock(descriptor)
        except OSError as error:
            owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise DirectoryLockedError(self.root, owner) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock_descriptor = descriptor
        return self

    def unlock(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._lock_descriptor >= 0:
            os.close(self._lock_descriptor)
            self._lock_descriptor = -1

    def in_use(self) -> bool:
        """Return whether a process holds the lock at this moment."""
        if not self.lock_file.exists():
            return False
        descriptor = os.open(self.lock_file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def __enter__(self) -> Self:
        """Return itself; the lock is held since `locked`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lock back."""
        self.unlock()

    def write_genesis(self, genesis: Genesis) -> None:
        """Make `genesis` this directory's own, durably.

        Raises GenesisMismatchError when it already has another.
        """
        if self.genesis.exists():
            self.check_genesis(genesis)
            return
        durable.write_whole(self.genesis, genesis.encode(), FILE_MODE)

    def check_genesis(self, expected: Genesis) -> None:
        """Return quietly when the genesis on disk is `expected`; GenesisMismatchError otherwise."""
        found = genesis_hash(self.read_genesis())
        if found != genesis_hash(expected):
            raise GenesisMismatchError(
                self.genesis, f"its hash is {found.hex()}, expected {genesis_hash(expected).hex()}"
            )

    def read_cluster_key(self) -> bytes:
        """Return the 32 bytes by which peers know each other.

        Raises StorageError when the file is missing or has another size.
        """
        return _read_key(self.cluster_key)

    def read_genesis(self) -> Genesis:
        """Return the genesis on disk; GenesisMismatchError when the file is not one."""
        return read_genesis(self.genesis)


def _read_key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except FileNotFoundError as error:
        raise StorageError(f"there is no {path}; copy it from another node, mode 0600") from error
    if len(key) != CLUSTER_KEY_SIZE:
        raise StorageError(
            f"{path} has {len(key)} bytes, a cluster key has {CLUSTER_KEY_SIZE}; "
            "copy it from another node"
        )
    return key


def _lock(descriptor: int) -> None:
    """Take the lock; one more try comes after a moment, since `in_use` holds it for an instant."""
    for pause_s in (0.01, 0.05, 0.2):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause_s)
        else:
            return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def genesis_hash(genesis: Genesis) -> bytes:
    """Return the genesis' blake3: what nodes compare when they meet, and the first chain digest."""
    return blake3(genesis.encode()).digest()


def read_genesis(path: Path) -> Genesis:
    """Return the genesis in the file at `path`.

    Raises GenesisMismatchError when it is not one, StorageError when it is missing.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise StorageError(
            f"there is no {path}; is {path.parent} the data directory of a node?"
        ) from error
    try:
        return decode_genesis(content)
    except ValueError as error:
        raise GenesisMismatchError(path, str(error)) from error


def decode_genesis(content: bytes) -> Genesis:
    """Return the genesis of which `content` is the encoding.

    Raises ValueError when it is not exactly one.
    """
    shard_at = len(_GENESIS_MAGIC) + _CLUSTER_ID_SIZE
    key_at = shard_at + _INTEGER_SIZE
    limits_at = key_at + PUBLIC_KEY_SIZE
    expected = limits_at + LIMIT_COUNT * _INTEGER_SIZE
    if len(content) != expected or not content.startswith(_GENESIS_MAGIC):
        raise ValueError(f"it is not a genesis of {expected} bytes")
    limits = tuple(
        int.from_bytes(content[offset : offset + _INTEGER_SIZE], "little")
        for offset in range(limits_at, expected, _INTEGER_SIZE)
    )
    return Genesis(
        content[len(_GENESIS_MAGIC) : shard_at],
        int.from_bytes(content[shard_at:key_at], "little"),
        content[key_at:limits_at],
        limits,
    )
