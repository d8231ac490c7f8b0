"""The power-loss test itself: it passes on the product, and fails where it must."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from chaos.disks import without_fdatasync
from chaos.disks.ext4_disk import missing_for_ext4_disk
from chaos.disks.forgetful_disk import ForgetfulDisk, missing_for_forgetful_disk
from chaos.disks.power_losses import DiskKind, Outcome, PowerLosses, Scene, Tally
from chaos.disks.survivors import inspect_survivors
from chaos.disks.workplace import owned_folders, workplace
from chaos.history import Operation
from chaos.history import Outcome as Told
from client.replies import parse_replies
from node.consensus.errors import JournalDamageError
from node.consensus.journal import Journal
from tests.chaos.processes import await_true, nodes_in
from tests.unit.audited_cluster import GENESIS, build_log, write_node

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "chaos", "powerloss"]
MISSING = {"fuse": missing_for_forgetful_disk(), "ext4": missing_for_ext4_disk()}


def require(disk: str) -> None:
    """Skip, by name and with the reason, where there is no such disk."""
    if MISSING[disk]:
        pytest.skip(f"no {disk} disk: {MISSING[disk]}")


def run(disk: DiskKind, times: int, *, without: bool, evidence: Path) -> Tally:
    """Cut the power of a cluster of three so often; return what happened."""
    require(disk)
    scene = Scene(disk, 3, seed=7, without_fdatasync=without)
    with workplace() as folder:
        return PowerLosses(scene, folder, evidence, print).run(times)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the data of three nodes that hold the same log."""
    folder = tmp_path_factory.mktemp("cluster")
    log = build_log(60)
    for number in (1, 2, 3):
        write_node(folder / f"node-{number}", log)
    return folder


@pytest.fixture
def nodes(cluster: Path, tmp_path: Path) -> list[Path]:
    """Return copies of the nodes' folders that may be changed."""
    return [shutil.copytree(path, tmp_path / path.name) for path in sorted(cluster.iterdir())]


@pytest.fixture(scope="module")
def told() -> list[Operation]:
    """Return what a client was truly told of the commands in that log."""
    replies = {one[2]: one for one in parse_replies(b"".join(build_log(60).replies)) if one[2]}
    return [
        Operation(1, one.session, sequence, b"", 0, 1, Told.OK, one.code, *one[3:6])
        for sequence, one in sorted(replies.items())
    ]


def cut_to(folder: Path, last: int) -> None:
    """Let a node's journal end at index `last`, as if nothing behind it had been synced."""
    log = build_log(60)
    shutil.rmtree(folder / "journal")
    journal = Journal(folder / "journal")
    journal.save_vote(1, 1)
    for entry in log.entries[:last]:
        journal.append(*entry)
    journal.sync()
    journal.close()


def test_survivors_that_hold_everything_are_found_sound(
    nodes: list[Path], told: list[Operation]
) -> None:
    """All nodes whole, or one of three short of the end: the promise is kept."""
    assert inspect_survivors(nodes, GENESIS, told).findings == []
    cut_to(nodes[0], 20)

    found = inspect_survivors(nodes, GENESIS, told)

    assert (found.lost, found.altered, found.refused, found.findings) == (0, 0, 0, [])
    assert found.acknowledged == len(told) > 100


def test_what_only_a_minority_holds_is_found(nodes: list[Path], told: list[Operation]) -> None:
    """Nothing is lost as long as that node lives, and yet the promise is broken."""
    cut_to(nodes[0], 20)
    cut_to(nodes[1], 20)

    found = inspect_survivors(nodes, GENESIS, told)

    assert found.lost == 0
    assert "1 of 3 nodes hold it" in found.findings[0]


def test_what_no_disk_holds_is_counted_as_lost(nodes: list[Path], told: list[Operation]) -> None:
    """Every acknowledgement behind the longest log is lost, none before it."""
    for node in nodes:
        cut_to(node, 20)

    found = inspect_survivors(nodes, GENESIS, told)

    assert found.lost == sum(one.log_index > 20 for one in told) > 0


def test_another_reply_than_was_told_is_found(nodes: list[Path], told: list[Operation]) -> None:
    """The log holds the command, and the client was told something else about it."""
    wrong = told[40]
    changed = msgspec.structs.replace(wrong, filled=wrong.filled + 1)

    found = inspect_survivors(nodes, GENESIS, [*told[:40], changed, *told[41:]])

    assert (found.lost, found.altered) == (0, 1)


def test_a_journal_that_would_be_refused_is_found(nodes: list[Path], told: list[Operation]) -> None:
    """A damaged journal is no crash of the test but a finding that names the node."""
    segment = next((nodes[1] / "journal").glob("segment-*"))
    content = bytearray(segment.read_bytes())
    content[100] ^= 1
    segment.write_bytes(content)

    found = inspect_survivors(nodes, GENESIS, told)

    assert found.refused == 1
    assert "node-2 would refuse to start" in found.findings[0]


def test_only_the_sync_of_records_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal without its fdatasync loses what it called durable, and nothing else is broken."""
    require("fuse")
    monkeypatch.setattr(os, "fdatasync", without_fdatasync.sync_all_but_records)
    lost = 0
    with ForgetfulDisk(tmp_path / "disk", seed=3) as disk:
        for number in range(8):
            journal = Journal(disk.path / f"journal-{number}")
            for index in range(1, 20):
                journal.append(b"payload" * 30, index, 1)
                journal.sync()
            disk.lose_power()
            os.close(journal._descriptor)
            disk.restore_power()
            try:
                lost += Journal(disk.path / f"journal-{number}").last_index < 19
            except JournalDamageError:
                lost += 1  # Later flushes survived, and earlier ones did not.

    assert lost > 0


@pytest.mark.parametrize("disk", list(DiskKind))
def test_nothing_acknowledged_is_lost_with_the_power(disk: DiskKind, tmp_path: Path) -> None:
    """Real nodes on a real disk keep every promise through power losses in the middle of work."""
    tally = run(disk, 3, without=False, evidence=tmp_path)

    assert tally.findings == []
    assert tally.outcomes == {Outcome.HELD: 3}
    assert tally.operations.acknowledged > 100
    assert tally.operations.lost == tally.operations.diverged == 0
    assert tally.checks["replies asked for again"] > 0


def test_without_the_fdatasync_acknowledgements_are_lost(tmp_path: Path) -> None:
    """The same test, the journal's fdatasync taken away, finds the loss."""
    disk = DiskKind.FUSE if MISSING["ext4"] else DiskKind.EXT4
    tally = run(disk, 2, without=True, evidence=tmp_path)

    assert tally.outcomes[Outcome.LOST] > 0
    assert tally.operations.lost > 0
    assert tally.findings


@pytest.fixture
def interrupted() -> Iterator["subprocess.Popen[str]"]:
    """Return a run whose cluster is at work."""
    require("fuse")
    with subprocess.Popen(
        [*COMMAND, "--times", "50"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        while "held" not in process.stdout.readline():
            assert process.poll() is None
        yield process
        process.kill()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(
    interrupted: "subprocess.Popen[str]", kind: signal.Signals
) -> None:
    """Folder, mount and nodes are gone with the run, whichever way and how often it is asked."""
    (folder,) = owned_folders(interrupted.pid)
    assert await_true(lambda: nodes_in(folder) != [])
    for _ in range(6):
        interrupted.send_signal(kind)
        time.sleep(0.1)

    assert interrupted.wait(60) == 1
    assert not folder.exists()
    assert await_true(lambda: str(folder) not in Path("/proc/self/mountinfo").read_text())
    assert nodes_in(folder) == []
