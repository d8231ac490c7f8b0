"""The parent of a probe turns whatever becomes of the child into one typed answer."""

import sys
from pathlib import Path

import pytest

from node.storage import probe
from node.storage.errors import SnapshotDamagedError, StorageError
from node.storage.snapshot_store import SnapshotStore


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """Return an empty, sound snapshot file."""
    SnapshotStore(tmp_path).close()
    return tmp_path / "state.lmdb"


def replace_child(monkeypatch: pytest.MonkeyPatch, directory: Path, script: str) -> None:
    """Let a shell script stand in for the interpreter that the probe starts."""
    child = directory / "child"
    child.write_text(f"#!/bin/sh\n{script}\n")
    child.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(child))


def test_a_child_that_dies_of_a_signal_found_damage(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LMDB on damaged bytes may end the process: that is an answer, not an accident."""
    replace_child(monkeypatch, tmp_path, "kill -SEGV $$")

    with pytest.raises(SnapshotDamagedError, match="killed by signal 11"):
        probe.probe_file(snapshot)


def test_a_child_that_never_ends_is_given_up(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node does not hang at its start because its snapshot sends the probe in circles."""
    replace_child(monkeypatch, tmp_path, "exec sleep 600")
    monkeypatch.setattr(probe, "_TIMEOUT_S", 0)

    with pytest.raises(SnapshotDamagedError, match="did not finish"):
        probe.probe_file(snapshot)


def test_a_child_that_cannot_run_says_nothing_about_the_file(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken installation is not reported as damage: nobody should rebuild a node for it."""
    replace_child(monkeypatch, tmp_path, "echo 'no module named node' >&2; exit 1")

    with pytest.raises(StorageError, match=r"could not run.*node") as caught:
        probe.probe_file(snapshot)
    assert not isinstance(caught.value, SnapshotDamagedError)


def test_a_new_snapshot_file_is_sound_and_empty(snapshot: Path) -> None:
    """A node that never took a snapshot starts."""
    report = probe.probe_file(snapshot)

    assert (report.index, report.page_count, report.sealed) == (0, 0, True)
