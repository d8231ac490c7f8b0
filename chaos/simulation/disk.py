"""A disk in memory that forgets what was not synced, in place of the operating system's files."""

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from node.consensus.file_system import FileSystem

SECTOR = 64
"""Bytes that reach the disk together; small, so that a single flush tears in many ways."""


class PowerLostError(OSError):
    """The disk stopped in the middle of an operation."""


class _File:
    def __init__(self) -> None:
        self.data = bytearray()
        self.durable = 0


class SimulatedDisk(FileSystem):
    """Files, their durable prefixes, and names that last only once their directory was synced."""

    def __init__(self, random: Random) -> None:
        """Draw what survives a power loss from `random`."""
        self._random = random
        self._names: dict[Path, _File] = {}
        self._durable_names: dict[Path, _File] = {}
        self._open: dict[int, _File] = {}
        self._next = 3
        self.syncs = 0
        self.operations_left: int | None = None
        """When set, the disk stops after so many more operations that change it."""
        self.sync_error = 0
        """When set, syncs fail with this errno."""
        self.name_error = 0
        """When set, cutting files and syncing directories fail with this errno."""
        self.full = False
        self.failures = 0
        """How often an operation failed because the device did."""
        self.repairs = 0
        """How often its faults were ended."""
        self._failed: Callable[[], None] = lambda: None

    def _count(self) -> None:
        if self.operations_left is None:
            return
        if self.operations_left <= 0:
            raise PowerLostError("the power is gone")
        self.operations_left -= 1

    def make_directory(self, path: Path) -> None:
        """Every directory exists."""

    def names(self, directory: Path) -> list[str]:
        return sorted(path.name for path in self._names if path.parent == directory)

    def exists(self, path: Path) -> bool:
        return path in self._names

    def read(self, path: Path) -> bytes:
        return bytes(self._names[path].data)

    def open(self, path: Path) -> int:
        self._next += 1
        self._open[self._next] = self._names[path]
        return self._next

    def read_at(self, descriptor: int, offset: int, size: int) -> bytes:
        return bytes(self._open[descriptor].data[offset : offset + size])

    def create(self, path: Path) -> int:
        self._count()
        if self.full:
            raise self.failure(errno.ENOSPC, "no space left on the simulated disk")
        assert path not in self._names, path
        self._names[path] = file = _File()
        self._next += 1
        self._open[self._next] = file
        return self._next

    def write(self, descriptor: int, parts: Sequence[bytes]) -> None:
        self._count()
        if self.full:
            raise self.failure(errno.ENOSPC, "no space left on the simulated disk")
        self._open[descriptor].data += b"".join(parts)

    def sync_data(self, descriptor: int) -> None:
        self._count()
        self._require_syncs()
        file = self._open[descriptor]
        file.durable = len(file.data)
        self.syncs += 1

    def close(self, descriptor: int) -> None:
        del self._open[descriptor]

    def truncate(self, path: Path, size: int) -> None:
        self._count()
        self._require_names()
        self._require_syncs()
        file = self._names[path]
        del file.data[size:]
        file.durable = size

    def rewrite(self, path: Path, offset: int, data: bytes) -> None:
        self._count()
        self._require_syncs()
        file = self._names[path]
        file.data[offset : offset + len(data)] = data
        file.durable = len(file.data)

    def remove(self, path: Path) -> None:
        self._count()
        del self._names[path]

    def sync_directory(self, path: Path) -> None:
        self._count()
        self._require_names()
        self._require_syncs()
        inside = {name: file for name, file in self._names.items() if name.parent == path}
        outside = {name: file for name, file in self._durable_names.items() if name.parent != path}
        self._durable_names = inside | outside

    # Faults.

    def _require_syncs(self) -> None:
        if self.sync_error:
            raise self.failure(self.sync_error, "the simulated disk failed")

    def _require_names(self) -> None:
        if self.name_error:
            raise self.failure(self.name_error, "the simulated disk failed to keep a name")

    def replace(self, path: Path, data: bytes) -> None:
        """Put `data` in place of the file's bytes."""
        self._names[path].data[:] = data

    def paths(self, directory: Path) -> list[Path]:
        """Return the files in `directory` that are not empty, in order of their names."""
        return sorted(
            path for path, file in self._names.items() if path.parent == directory and file.data
        )

    def is_durable(self, path: Path) -> bool:
        """Tell whether no power loss can take the file, or any byte of it."""
        file = self._names[path]
        return self._durable_names.get(path) is file and file.durable == len(file.data)

    @property
    def everything_is_durable(self) -> bool:
        """Whether a power loss would take nothing of the files that are open."""
        names = list(self._durable_names.values())
        return all(
            len(file.data) == file.durable and any(file is known for known in names)
            for file in self._open.values()
        )

    def after_power_loss(self) -> "SimulatedDisk":
        """Return a disk with what a power loss would leave at least."""
        left = SimulatedDisk(self._random)
        for name, file in self._durable_names.items():
            left._names[name] = copy = _File()
            copy.data += file.data[: file.durable]
        return left

    def fail_syncs(self, number: int, failed: Callable[[], None]) -> None:
        """Let syncs fail with this errno until `repair`, and `failed` hear of each that does."""
        self.sync_error = number
        self._failed = failed

    def fail_names(self, number: int, failed: Callable[[], None]) -> None:
        """Let cutting files and syncing directories fail with this errno until `repair`.

        All else goes on, syncs of files too; `failed` hears of each that fails.
        """
        self.name_error = number
        self._failed = failed

    def fill_up(self, failed: Callable[[], None]) -> None:
        """Let writes fail for want of space until `repair`, and `failed` hear of each that does."""
        self.full = True
        self._failed = failed

    def failure(self, number: int, what: str) -> OSError:
        """Count an operation that fails because the device does; return its error."""
        self.failures += 1
        self._failed()
        return OSError(number, what)

    def repair(self) -> None:
        """End all faults of the device."""
        self.repairs += 1
        self.sync_error = 0
        self.name_error = 0
        self.full = False

    def kill(self) -> None:
        """End the process: open files are closed, the kernel keeps what was written."""
        self._open.clear()
        self.operations_left = None

    def lose_power(self) -> None:
        """Forget what was not synced, or any sectors of it."""
        self.kill()
        pending = [name for name in self._names if name not in self._durable_names]
        survivors = {
            name: file
            for name, file in self._durable_names.items()
            if name in self._names or self._random.random() < 0.5  # A removal may be lost too.
        }
        for name in pending:
            if self._random.random() < 0.5:
                survivors[name] = self._names[name]
        for file in survivors.values():
            self._tear(file)
        self._names = survivors
        self._durable_names = dict(survivors)

    def _tear(self, file: _File) -> None:
        data = file.data
        if len(data) > file.durable:
            size = self._random.randint(file.durable, len(data))
            del data[size:]
            for start in range(file.durable, size, SECTOR):
                if self._random.random() < 0.3:
                    end = min(start + SECTOR, size)
                    data[start:end] = bytes(end - start)
        file.durable = len(data)

    def wipe(self) -> None:
        """Lose everything."""
        self.kill()
        self._names.clear()
        self._durable_names.clear()
