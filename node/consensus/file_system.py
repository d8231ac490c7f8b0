"""The operating system's files, as consensus uses them: the seam where a simulated disk goes."""

import os
from collections.abc import Sequence
from pathlib import Path

_VECTOR_LIMIT = 512  # Below every system's IOV_MAX (1024 on Linux).


class FileSystem:
    """Files of the operating system. Any error is raised as OSError and nothing is retried."""

    def make_directory(self, path: Path) -> None:
        """Create `path` and its parents unless they exist, durably."""
        if path.is_dir():
            return
        self.make_directory(path.parent)
        path.mkdir(exist_ok=True)
        self.sync_directory(path.parent)

    def names(self, directory: Path) -> list[str]:
        """Return the names in `directory`, sorted."""
        return sorted(os.listdir(directory))  # noqa: PTH208 - Path.iterdir makes a Path a name.

    def exists(self, path: Path) -> bool:
        """Tell whether `path` exists."""
        return path.exists()

    def read(self, path: Path) -> bytes:
        """Return all bytes of `path`."""
        return path.read_bytes()

    def open(self, path: Path) -> int:
        """Return a descriptor to read `path` with."""
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read_at(self, descriptor: int, offset: int, size: int) -> bytes:
        """Return up to `size` bytes at `offset`."""
        return os.pread(descriptor, size, offset)

    def create(self, path: Path) -> int:
        """Create `path`, which must not exist, and return a descriptor to append with."""
        return os.open(
            path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600
        )

    def write(self, descriptor: int, parts: Sequence[bytes]) -> None:
        """Append all of `parts`, in order."""
        for start in range(0, len(parts), _VECTOR_LIMIT):
            some = parts[start : start + _VECTOR_LIMIT]
            wanted = sum(map(len, some))
            written = os.writev(descriptor, some)
            if written != wanted:
                rest = memoryview(b"".join(some))[written:]
                while rest:
                    rest = rest[os.write(descriptor, rest) :]

    def sync_data(self, descriptor: int) -> None:
        """Make what was written to `descriptor` durable, with the size needed to read it back."""
        os.fdatasync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close `descriptor`."""
        os.close(descriptor)

    def truncate(self, path: Path, size: int) -> None:
        """Cut `path` to `size` bytes, durably."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rewrite(self, path: Path, offset: int, data: bytes) -> None:
        """Write `data` over the same bytes at `offset` of `path`, durably."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            rest = memoryview(data)
            while rest:
                written = os.pwrite(descriptor, rest, offset)
                offset += written
                rest = rest[written:]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Unlink `path`; durable once its directory is synced."""
        path.unlink()

    def sync_directory(self, path: Path) -> None:
        """Make the names in `path` durable."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
