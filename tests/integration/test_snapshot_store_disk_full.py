"""A full disk costs a checkpoint, never a snapshot: on a real file system of a few megabytes."""

import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import pytest

from node.storage.errors import SnapshotFullError
from node.storage.probe import inspect
from tests.integration.crashing_store import commit_next, digests, expected_pages, open_store

SIZE = 4 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 4 MiB; skipped by name where that is not allowed."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(mounted)]
    if os.geteuid() != 0 or run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("a full disk needs the right to mount a tmpfs")
    yield mounted
    run(["umount", "--lazy", str(mounted)], check=True)


def test_commits_on_a_full_disk_are_owed_and_made_good_when_there_is_room(small_disk: Path) -> None:
    """Whatever little room is left, the last snapshot stays whole; later all changes arrive."""
    store = open_store(small_disk)
    for _ in range(5):
        commit_next(store)
    filler = small_disk / "filler"
    for left in (1 << 20, 200 << 10, 60 << 10, 8 << 10, 4 << 10, 0):
        filler.unlink(missing_ok=True)
        free = os.statvfs(small_disk)
        filler.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - left)))
        before = store.latest()
        assert before is not None
        full = False
        try:
            for _ in range(40):
                commit_next(store)
        except SnapshotFullError:
            full = True
        assert full or left > 4 << 10
        latest = store.latest()
        assert latest is not None
        assert dict(store.pages()) == expected_pages(latest.index)
    filler.unlink()

    index = commit_next(store)

    assert dict(store.pages()) == expected_pages(index)
    store.close()
    assert inspect(small_disk / "state.lmdb", digests).index == index
