"""The seal of a snapshot file: size and blake3 of the whole file as the last commit left it.

LMDB does not notice damage. Page checksums and digests protect what a snapshot says, the structure
check protects the tree; the seal protects every other byte as well, free space included, while
nothing is being written. Before a commit or an install begins, a mark takes its place durably that
says between which two indexes the file is changing: after a crash only contents can be checked,
but a flipped bit that made LMDB fall back to an older root is still found.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import google_crc32c

from node.storage import durable

_SEAL: Final = struct.Struct("<8sq32s")
_MARK: Final = struct.Struct("<8sqq")
_CHECKSUM: Final = struct.Struct("<I")
_SEAL_MAGIC: Final = b"QBSEAL01"
_MARK_MAGIC: Final = b"QBMARK01"


@dataclass(frozen=True, slots=True)
class SealCheck:
    """What the seal proves: that every byte is as sealed, or which indexes the snapshot may be at.

    Neither when there is no readable seal: a damaged one says nothing about the file.
    """

    sealed: bool
    indexes: tuple[int, ...] = ()


def seal_path(snapshot: Path) -> Path:
    """Return where the seal of `snapshot` is kept."""
    return snapshot.with_name(snapshot.name + ".seal")


def is_sealed(snapshot: Path) -> bool:
    """Return whether a seal is in place, without comparing it with the file."""
    try:
        return seal_path(snapshot).read_bytes().startswith(_SEAL_MAGIC)
    except FileNotFoundError:
        return False


def write_seal(snapshot: Path) -> None:
    """Seal the file as it is now; nothing may be writing to it. Reads the whole file."""
    size = snapshot.stat().st_size
    _write(snapshot, _SEAL.pack(_SEAL_MAGIC, size, durable.hash_file(snapshot)))


def break_seal(snapshot: Path, old_index: int, new_index: int) -> None:
    """Durably replace the seal by the mark of a change; index 0 stands for no snapshot."""
    _write(snapshot, _MARK.pack(_MARK_MAGIC, old_index, new_index))


def check_seal(snapshot: Path) -> SealCheck:
    """Return what the seal proves; ValueError when it is sound and the file differs from it."""
    try:
        record = seal_path(snapshot).read_bytes()
    except FileNotFoundError:
        return SealCheck(sealed=False)
    body = record[: -_CHECKSUM.size]
    if record[len(body) :] != _CHECKSUM.pack(google_crc32c.value(body)):
        return SealCheck(sealed=False)
    if body.startswith(_MARK_MAGIC) and len(body) == _MARK.size:
        _, old_index, new_index = _MARK.unpack(body)
        return SealCheck(sealed=False, indexes=(old_index, new_index))
    if not body.startswith(_SEAL_MAGIC) or len(body) != _SEAL.size:
        return SealCheck(sealed=False)
    _, size, digest = _SEAL.unpack(body)
    actual = snapshot.stat().st_size
    if actual != size:
        raise ValueError(f"it has {actual} bytes where its seal says {size}")
    if durable.hash_file(snapshot) != digest:
        raise ValueError("its bytes differ from those that were sealed")
    return SealCheck(sealed=True)


def _write(snapshot: Path, body: bytes) -> None:
    durable.write_whole(seal_path(snapshot), body + _CHECKSUM.pack(google_crc32c.value(body)))
