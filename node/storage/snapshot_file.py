"""One snapshot file: what LMDB holds in it, and how it is opened; the only importer of lmdb.

A file holds pages (10-byte key, value behind a CRC32C over both) and one meta record. Everything
about durability is in `snapshot_store`.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import google_crc32c
import lmdb
import lmdb.verify

from node.storage import durable
from node.storage.errors import SnapshotContradictionError, SnapshotDamagedError
from node.storage.snapshot_meta import SnapshotMeta, decode_meta

KEY_SIZE: Final = 10
Environment = lmdb.Environment
MapFullError = lmdb.MapFullError
FileError = lmdb.Error
"""What LMDB raises on a file that it cannot read or write."""

META_KEY: Final = b"\xffmeta"
"""Sorts behind every page: kinds are positive, so a page key begins with a byte below 0x80."""
_CHECKSUM_SIZE: Final = 4


def read_meta(path: Path) -> SnapshotMeta | None:
    """Return a file's meta; nobody may be writing to it.

    Call it only after a probe, or in a child process.
    """
    with (
        open_file(path, readonly=True, lock=False) as environment,
        environment.begin() as transaction,
    ):
        return meta_in(path, transaction)


def read_pages(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield a file's checked pages; nobody may be writing to it.

    Call it only after a probe, or in a child process.
    """
    with (
        open_file(path, readonly=True, lock=False) as environment,
        environment.begin() as transaction,
    ):
        yield from pages_in(path, transaction)


def copy_from_live(path: Path, target: Path) -> None:
    """Copy the snapshot of a file that another process may be writing; in a child process."""
    with open_file(path, readonly=True, lock=True) as environment:
        compact(environment, target)


def structure_faults(path: Path) -> list[str]:
    """Return what is wrong with the file's trees and free list, without LMDB: [] when sound."""
    try:
        verify = lmdb.verify.verify
        faults: list[str] = verify(str(path), subdir=False)  # type: ignore[no-untyped-call]
    except lmdb.verify.VerifyError as error:
        return [str(error)]
    return faults


def open_file(path: Path, *, readonly: bool, lock: bool, map_size: int = 0) -> lmdb.Environment:
    """Open a file with every write durable; without `lock` nobody else may have it open."""
    return lmdb.open(
        str(path),
        subdir=False,
        map_size=map_size or max(path.stat().st_size * 2, 1 << 20),
        readonly=readonly,
        lock=lock,
        create=not readonly,
        mode=0o600,
        sync=True,
        metasync=True,
    )


def create_file(path: Path, map_size: int) -> None:
    """Make an empty store whose name appears only when its content is durable."""
    temporary = path.with_name(path.name + durable.TEMPORARY_SUFFIX)
    lmdb.open(str(temporary), subdir=False, map_size=map_size, mode=0o600, lock=False).close()
    durable.replace(temporary, path)


def compact(environment: lmdb.Environment, target: Path) -> None:
    """Copy the committed snapshot to the new file `target`, without its free space."""
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        environment.copyfd(descriptor, compact=True)
    finally:
        os.close(descriptor)


def write_snapshot(
    transaction: "lmdb.Transaction[bytes]", changes: dict[bytes, bytes], meta: SnapshotMeta
) -> None:
    """Write changes and meta in a transaction; raises SnapshotContradictionError."""
    for key, value in changes.items():
        if len(key) != KEY_SIZE or key >= META_KEY:
            raise SnapshotContradictionError(
                f"a page key has {KEY_SIZE} bytes below 0x80, not {key.hex()}"
            )
        if value:
            transaction.put(key, _checksum(key, value) + value)
        else:
            transaction.delete(key)
    transaction.put(META_KEY, meta.encode())
    pages = transaction.stat()["entries"] - 1
    if pages != meta.page_count:
        raise SnapshotContradictionError(
            f"the snapshot at index {meta.index} says {meta.page_count} pages and "
            f"the store would hold {pages}"
        )


def pages_in(path: Path, transaction: "lmdb.Transaction[bytes]") -> Iterator[tuple[bytes, bytes]]:
    """Yield the pages that a transaction sees, each checked; raises SnapshotDamagedError."""
    with transaction.cursor() as cursor:
        for key, record in cursor:
            if key == META_KEY:
                continue
            value = record[_CHECKSUM_SIZE:]
            if len(key) != KEY_SIZE or record[:_CHECKSUM_SIZE] != _checksum(key, value):
                raise SnapshotDamagedError(path, f"the checksum of page {key.hex()} is wrong")
            yield key, value


def _checksum(key: bytes, value: bytes) -> bytes:
    checksum: int = google_crc32c.extend(google_crc32c.value(key), value)
    return checksum.to_bytes(_CHECKSUM_SIZE, "little")


def meta_in(path: Path, transaction: "lmdb.Transaction[bytes]") -> SnapshotMeta | None:
    """Return the meta that a transaction sees; raises SnapshotDamagedError."""
    record = transaction.get(META_KEY)
    if record is None:
        if transaction.stat()["entries"]:
            raise SnapshotDamagedError(path, "it holds pages but no meta record")
        return None
    try:
        return decode_meta(record)
    except (ValueError, UnicodeDecodeError) as error:
        raise SnapshotDamagedError(path, str(error)) from error
