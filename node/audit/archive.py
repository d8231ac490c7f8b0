"""Backups of a stopped node, and a data directory from one."""

from pathlib import Path

from node.storage.backup import BackupManifest, create_backup, restore_backup, verify_backup
from node.storage.data_directory import DataDirectory, genesis_hash
from node.storage.errors import StorageError
from node.storage.probe import probe_file
from node.storage.snapshot_store import SnapshotStore

__all__ = ["BackupManifest", "back_up", "restore_backup", "verify_backup"]


def back_up(root: Path, destination: Path) -> BackupManifest:
    """Back up the node whose data directory is `root` to the new directory `destination`.

    Raises DirectoryLockedError while the node runs, SnapshotDamagedError when its snapshot is
    damaged, StorageError when there is no node or the destination exists.
    """
    directory = DataDirectory(root)
    genesis = directory.read_genesis()
    if not directory.journal.is_dir():
        raise StorageError(f"{root} has no journal: there is nothing to back up")
    with directory.locked():
        if directory.snapshot.exists():
            probe_file(directory.snapshot)
        store = SnapshotStore(root, genesis_hash=genesis_hash(genesis))
        try:
            return create_backup(store, directory, destination)
        finally:
            store.close()
