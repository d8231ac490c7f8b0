"""A backup is whole or refused, and becomes a node's data directory only in an empty place."""

import random
from pathlib import Path

import pytest

from node.audit.archive import back_up
from node.audit.verify import verify
from node.storage.backup import MANIFEST_NAME, create_backup, restore_backup, verify_backup
from node.storage.data_directory import DataDirectory
from node.storage.errors import BackupDamagedError, BackupError, DirectoryLockedError
from node.storage.snapshot_store import SnapshotStore
from tests.unit.audited_cluster import build_log, write_node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a node's data directory with a snapshot and a journal that goes on behind it."""
    return write_node(tmp_path_factory.mktemp("node") / "1", build_log(80), snapshot_at=50)


def backup_of(node: Path, destination: Path) -> Path:
    """Back the node up as it does itself, with its store open."""
    store = SnapshotStore(node)
    try:
        create_backup(store, DataDirectory(node), destination)
    finally:
        store.close()
    return destination


def test_a_restored_backup_is_the_node_it_was_taken_from(node: Path, tmp_path: Path) -> None:
    """Log, snapshot and digests are the same, and files are for their owner alone."""
    backup = backup_of(node, tmp_path / "backup")
    manifest = verify_backup(backup)

    assert restore_backup(backup, tmp_path / "restored") == manifest

    report = verify([node, tmp_path / "restored"])
    assert report.ok, report.all_findings()
    assert manifest.snapshot_index > 0
    for path in (tmp_path / "restored").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_any_flipped_byte_of_any_file_is_found(node: Path, tmp_path: Path) -> None:
    """In 300 random places over all files, and in every byte of the manifest."""
    backup = backup_of(node, tmp_path / "backup")
    files = sorted(path for path in backup.rglob("*") if path.is_file() and path.stat().st_size)
    rng = random.Random(3)
    places = [(path, rng.randrange(path.stat().st_size)) for path in rng.choices(files, k=300)]
    manifest = backup / MANIFEST_NAME
    places += [(manifest, offset) for offset in range(manifest.stat().st_size)]
    for path, offset in places:
        sound = path.read_bytes()
        damaged = bytearray(sound)
        damaged[offset] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(BackupDamagedError):
            verify_backup(backup)
        path.write_bytes(sound)
    verify_backup(backup)


def test_missing_added_and_shortened_files_are_all_named(node: Path, tmp_path: Path) -> None:
    """One verification lists everything that differs."""
    backup = backup_of(node, tmp_path / "backup")
    (backup / "genesis.bin").unlink()
    (backup / "journal" / "extra").write_bytes(b"x")
    state = backup / "state.lmdb"
    state.write_bytes(state.read_bytes()[:-1])

    with pytest.raises(BackupDamagedError) as caught:
        verify_backup(backup)

    text = str(caught.value)
    assert "genesis.bin is missing" in text
    assert "journal/extra is not in the manifest" in text
    assert "state.lmdb has" in text


def test_nothing_is_ever_written_over(node: Path, tmp_path: Path) -> None:
    """Neither a backup nor a data directory is replaced, and a damaged backup restores nothing."""
    backup = backup_of(node, tmp_path / "backup")
    with pytest.raises(BackupError, match="never written over"):
        backup_of(node, backup)

    occupied = tmp_path / "occupied"
    occupied.mkdir()
    (occupied / "precious").write_bytes(b"x")
    with pytest.raises(BackupError, match="not empty"):
        restore_backup(backup, occupied)
    assert [path.name for path in occupied.iterdir()] == ["precious"]

    state = backup / "state.lmdb"
    state.write_bytes(state.read_bytes()[:-1])
    with pytest.raises(BackupDamagedError):
        restore_backup(backup, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_an_unfinished_backup_is_not_one(node: Path, tmp_path: Path) -> None:
    """Without its manifest, which is written last, a directory is refused."""
    backup = backup_of(node, tmp_path / "backup")
    (backup / MANIFEST_NAME).unlink()

    with pytest.raises(BackupError, match="not a finished backup"):
        verify_backup(backup)


def test_a_node_without_a_snapshot_is_backed_up_by_its_journal(tmp_path: Path) -> None:
    """Before the first checkpoint genesis and journal are everything."""
    node = write_node(tmp_path / "1", build_log(10))
    store = SnapshotStore(node)
    manifest = create_backup(store, DataDirectory(node), tmp_path / "backup")
    store.close()

    assert manifest.snapshot_index == 0
    assert verify([node, tmp_path / "backup"]).ok


def test_only_a_stopped_node_is_backed_up_from_outside(node: Path, tmp_path: Path) -> None:
    """While a process holds the folder its files change; afterwards the backup is whole."""
    held = DataDirectory(node).locked()
    with pytest.raises(DirectoryLockedError):
        back_up(node, tmp_path / "backup")
    held.unlock()
    manifest = back_up(node, tmp_path / "backup")

    assert manifest == verify_backup(tmp_path / "backup")
    assert not DataDirectory(node).in_use()
    assert verify([node, tmp_path / "backup"]).ok
