"""The points at which something becomes durable.

Every fsync outside LMDB and the journal is made here.
"""

import os
from pathlib import Path
from typing import Final

from blake3 import blake3

TEMPORARY_SUFFIX: Final = ".new"
"""A file that ends so is not finished: whoever finds one at start may delete it."""


def sync_file(path: Path) -> None:
    """Make the file's content and size durable; its name becomes so with `sync_directory`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable: creations, renames and deletions done so far."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> bool:
    """Delete `path` durably; return False, with no fsync, when it was not there."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_directory(path.parent)
    return True


def replace(source: Path, target: Path) -> None:
    """Give `source` the name `target` durably.

    After a crash the name means the old file or the new one, whole.
    """
    sync_file(source)
    source.rename(target)
    sync_directory(target.parent)
    if source.parent != target.parent:
        sync_directory(source.parent)


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write `content` to `path` durably.

    After a crash it holds the old bytes or the new ones, whole.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    replace(temporary, path)


def hash_file(path: Path) -> bytes:
    """Return the blake3 of the file's bytes, 32 bytes, without holding the interpreter lock."""
    return blake3().update_mmap(path).digest()
