"""Backups: compacted snapshot, journal and genesis, with a manifest that covers every byte.

A backup is complete or it is nothing: it is written under a temporary name, its manifest last, and
renamed when all of it is durable. The node may run meanwhile: when a newer snapshot came between,
behind which the journal may be cut, everything is copied again.
"""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import google_crc32c
from blake3 import blake3

from node.storage import durable
from node.storage.data_directory import DIRECTORY_MODE, FILE_MODE, DataDirectory
from node.storage.errors import BackupDamagedError, BackupError
from node.storage.snapshot_store import SNAPSHOT_NAME, SnapshotStore

MANIFEST_NAME: Final = "manifest.json"
_FORMAT: Final = "quorumbook backup 1"
_GENESIS: Final = "genesis.bin"
_JOURNAL: Final = "journal"
_ATTEMPTS: Final = 5
_PART_BYTES: Final = 1 << 20


class BackupFile(NamedTuple):
    """One file of a backup: its path within, its size and its blake3 in hex."""

    path: str
    size: int
    blake3: str


class BackupManifest(NamedTuple):
    """What a backup holds; `snapshot_index` is 0 when the node had no snapshot yet."""

    created_ns: int
    genesis_hash: str
    snapshot_index: int
    files: tuple[BackupFile, ...]

    @property
    def size_bytes(self) -> int:
        """Return the size of all files together."""
        return sum(file.size for file in self.files)


def create_backup(store: SnapshotStore, source: DataDirectory, destination: Path) -> BackupManifest:
    """Write a backup of `source`, whose store is open, to the new directory `destination`.

    Blocks for as long as the copying takes: call it in a thread. Raises BackupError when the
    destination exists.
    """
    if destination.exists():
        raise BackupError(
            f"{destination} exists; a backup is never written over: name a new directory"
        )
    unfinished = destination.with_name(destination.name + durable.TEMPORARY_SUFFIX)
    index, files = _copy_consistently(store, source, unfinished)
    genesis = blake3((unfinished / _GENESIS).read_bytes()).hexdigest()
    manifest = BackupManifest(time.time_ns(), genesis, index, tuple(files))
    durable.write_whole(unfinished / MANIFEST_NAME, _encode(manifest), FILE_MODE)
    durable.sync_directory(unfinished)
    unfinished.rename(destination)
    durable.sync_directory(destination.parent)
    return manifest


def _copy_consistently(
    store: SnapshotStore, source: DataDirectory, target: Path
) -> tuple[int, list[BackupFile]]:
    """Copy until no snapshot came between; return the index of the one copied, and the files."""
    for _ in range(_ATTEMPTS):
        shutil.rmtree(target, ignore_errors=True)
        before = store.latest()
        try:
            files = _copy_all(store, source, target)
        except FileNotFoundError:
            continue  # The node deleted a segment that we were about to copy.
        if store.latest() == before:
            return (before.index if before is not None else 0), files
    raise BackupError(
        f"{source.root} changed its snapshot during each of {_ATTEMPTS} "
        "attempts to copy it; try again"
    )


def _copy_all(store: SnapshotStore, source: DataDirectory, target: Path) -> list[BackupFile]:
    (target / _JOURNAL).mkdir(mode=DIRECTORY_MODE, parents=True)
    durable.write_whole(target / _GENESIS, source.genesis.read_bytes(), FILE_MODE)
    files = [_describe(target, target / _GENESIS)]
    if store.latest() is not None:
        files.append(_copy_snapshot(store, target))
    return files + _copy_journal(source.journal, target)


def verify_backup(backup: Path) -> BackupManifest:
    """Return the manifest of a sound backup.

    Every file is there, none is beside them, and each byte is as written.

    Raises BackupDamagedError that names every file that differs.
    """
    manifest = _read_manifest(backup)
    expected = {file.path: file for file in manifest.files}
    present = {str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file()} - {
        MANIFEST_NAME
    }
    findings = [f"{path} is missing" for path in sorted(expected.keys() - present)]
    findings += [f"{path} is not in the manifest" for path in sorted(present - expected.keys())]
    for path in sorted(expected.keys() & present):
        found, file = _describe(backup, backup / path), expected[path]
        if found.size != file.size:
            findings.append(f"{path} has {found.size} bytes, not {file.size}")
        elif found.blake3 != file.blake3:
            findings.append(f"{path} differs from what was written")
    if findings:
        raise BackupDamagedError(backup, findings)
    return manifest


def restore_backup(backup: Path, target: Path) -> BackupManifest:
    """Verify the backup and make `target` a data directory from it; it must be empty or missing.

    The journal brings the node's votes along: restore a backup only in place of the node it was
    taken from, and only when that node will never run again. Raises BackupDamagedError or
    BackupError with nothing written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupError(
            f"{target} is not empty; a backup is restored into an empty directory only"
        )
    manifest = verify_backup(backup)
    directory = DataDirectory(target)
    directory.create()
    for file in manifest.files:
        copied = target / file.path
        shutil.copyfile(backup / file.path, copied)
        copied.chmod(FILE_MODE)
        durable.sync_file(copied)
        if _describe(target, copied) != file:
            raise BackupError(f"{copied} differs from the backup after copying; check the disk")
    durable.sync_directory(directory.journal)
    durable.sync_directory(target)
    return manifest


def is_backup(path: Path) -> bool:
    """Return whether `path` is a directory with a backup's manifest."""
    return (path / MANIFEST_NAME).is_file()


def _copy_snapshot(store: SnapshotStore, destination: Path) -> BackupFile:
    copied = store.copy()
    target = destination / SNAPSHOT_NAME
    try:
        shutil.copyfile(copied.path, target)
    finally:
        copied.path.unlink()
    target.chmod(FILE_MODE)
    durable.sync_file(target)
    file = BackupFile(SNAPSHOT_NAME, copied.size, copied.blake3.hex())
    if _describe(destination, target) != file:
        raise BackupError(f"{target} differs from the snapshot after copying; check the disk")
    return file


def _copy_journal(journal: Path, destination: Path) -> list[BackupFile]:
    files = []
    for segment in sorted(journal.iterdir()):
        if not segment.is_file() or segment.name.endswith(durable.TEMPORARY_SUFFIX):
            continue
        target = destination / _JOURNAL / segment.name
        _copy_prefix(segment, target)
        files.append(_describe(destination, target))
    durable.sync_directory(destination / _JOURNAL)
    return files


def _copy_prefix(source: Path, target: Path) -> None:
    """Copy what the file holds when the copy begins.

    A segment that grows meanwhile ends in a torn tail at worst.
    """
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        left = os.fstat(reader.fileno()).st_size
        while left > 0 and (part := reader.read(min(left, _PART_BYTES))):
            writer.write(part)
            left -= len(part)
    durable.sync_file(target)


def _describe(root: Path, path: Path) -> BackupFile:
    return BackupFile(
        str(path.relative_to(root)), path.stat().st_size, durable.hash_file(path).hex()
    )


def _encode(manifest: BackupManifest) -> bytes:
    body = {
        "format": _FORMAT,
        "created_ns": manifest.created_ns,
        "genesis_hash": manifest.genesis_hash,
        "snapshot_index": manifest.snapshot_index,
        "files": [file._asdict() for file in manifest.files],
    }
    text = json.dumps(body, indent=1, sort_keys=True)
    return f"{text}\n{google_crc32c.value(text.encode()):08x}\n".encode()


def _read_manifest(backup: Path) -> BackupManifest:
    try:
        content = (backup / MANIFEST_NAME).read_bytes()
    except FileNotFoundError as error:
        raise BackupError(
            f"{backup} holds no {MANIFEST_NAME}: it is not a finished backup"
        ) from error
    text, _, checksum = content.removesuffix(b"\n").rpartition(b"\n")
    if not content.endswith(b"\n") or checksum != f"{google_crc32c.value(text):08x}".encode():
        raise BackupDamagedError(backup, [f"the checksum of {MANIFEST_NAME} is wrong"])
    body: dict[str, Any] = json.loads(text)
    if body["format"] != _FORMAT:
        raise BackupError(f"{backup} has format {body['format']!r}; this version reads {_FORMAT!r}")
    return BackupManifest(
        body["created_ns"],
        body["genesis_hash"],
        body["snapshot_index"],
        tuple(BackupFile(**file) for file in body["files"]),
    )
