"""Whenever the process is killed, the store holds one whole snapshot.

The last acknowledged one or the next.
"""

import random
import shutil
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from sys import executable

import pytest

from node.storage.probe import inspect
from tests.integration.crashing_store import (
    commit_next,
    digests,
    expected_pages,
    open_store,
)

ROUNDS = 20


def run(
    directory: Path, work: str, kill_at: int = 0, lines: int = 0, after_s: float = 0
) -> tuple[int, bool]:
    """Run the crashing process; return the last index it acknowledged and whether it was killed.

    With `lines` it is killed from outside, `after_s` seconds behind that many acknowledgements.
    """
    command = [
        executable,
        "-m",
        "tests.integration.crashing_store",
        str(directory),
        work,
        str(kill_at),
    ]
    acknowledged = 0
    with Popen(command, stdout=PIPE, text=True) as child:
        assert child.stdout is not None
        for number, line in enumerate(child.stdout, 1):
            acknowledged = int(line)
            if number == lines:
                with suppress(TimeoutExpired):
                    child.wait(after_s)
                child.kill()
    return acknowledged, child.returncode < 0


def check_whole(directory: Path, allowed: set[int]) -> int:
    """Probe the file, compare every page with what belongs to its index, and go on from there."""
    report = inspect(directory / "state.lmdb", digests)
    assert report.index in allowed
    store = open_store(directory)
    assert dict(store.pages()) == expected_pages(report.index)
    index = commit_next(store)
    assert dict(store.pages()) == expected_pages(index)
    store.close()
    assert inspect(directory / "state.lmdb", digests).sealed
    return index


def test_a_kill_at_every_durable_step_of_a_commit_leaves_a_whole_snapshot(tmp_path: Path) -> None:
    """Before and after each fsync, rename and unlink of our own, over three commits."""
    reached = 0
    for kill_at in range(1, 25):
        acknowledged, killed = run(tmp_path, "commit", kill_at)
        assert killed
        last = max(acknowledged, reached)
        reached = check_whole(tmp_path, {last, last + 1})


def test_a_kill_at_any_instant_of_a_commit_leaves_a_whole_snapshot(tmp_path: Path) -> None:
    """Killed from outside at random instants, inside LMDB's own writes as well."""
    rng = random.Random(5)
    reached = 0
    for _ in range(ROUNDS):
        acknowledged, killed = run(
            tmp_path, "commit", lines=rng.randrange(1, 12), after_s=rng.random() / 100
        )
        assert killed
        last = max(acknowledged, reached)
        reached = check_whole(tmp_path, {last, last + 1})


def test_a_kill_at_every_durable_step_of_an_install_leaves_the_old_or_the_new_snapshot(
    tmp_path: Path,
) -> None:
    """A half-installed copy never wins, and what was acknowledged as installed stays."""
    ahead = tmp_path / "ahead"
    ahead.mkdir()
    donor = open_store(ahead)
    for _ in range(20):
        commit_next(donor)
    copied = donor.copy()
    donor.close()
    outcomes = set()
    for kill_at in range(1, 40):
        directory = tmp_path / str(kill_at)
        directory.mkdir()
        store = open_store(directory)
        for _ in range(3):
            commit_next(store)
        store.close()
        shutil.copy(copied.path, directory / "peer.copy")
        (directory / "peer.blake3").write_bytes(copied.blake3)

        acknowledged, killed = run(directory, "install", kill_at)

        if not killed:
            assert acknowledged == 20
            break
        report = inspect(directory / "state.lmdb", digests)
        outcomes.add(report.index)
        check_whole(directory, {20} if acknowledged else {3, 20})
    else:
        pytest.fail("the install took more than 40 durable steps")
    assert outcomes == {3, 20}
