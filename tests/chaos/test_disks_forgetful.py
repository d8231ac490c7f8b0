"""The mounted disk that forgets: the kernel's files on it keep the promises of the model."""

import errno
import fcntl
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from chaos.disks.forgetful_disk import ForgetfulDisk, missing_for_forgetful_disk
from chaos.disks.workplace import mounts_below, remove_leftovers, workplace
from node.consensus.journal import Journal
from node.storage import durable
from tests.chaos.processes import await_true

pytestmark = pytest.mark.skipif(
    bool(missing_for_forgetful_disk()), reason=f"no such disk: {missing_for_forgetful_disk()}"
)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[ForgetfulDisk]:
    """Return a mounted disk."""
    with ForgetfulDisk(tmp_path / "disk", seed=1) as mounted:
        yield mounted


def cut_power(disk: ForgetfulDisk) -> None:
    """Lose and restore the power of a disk of which nothing is open."""
    disk.lose_power()
    disk.restore_power()


def test_names_bytes_and_links_are_as_on_any_disk(disk: ForgetfulDisk) -> None:
    """Folders, renames, both kinds of links, removal, sizes, modes and times work."""
    root = disk.path
    (root / "a").mkdir(mode=0o700)
    (root / "a" / "log").write_bytes(b"one")
    with (root / "a" / "log").open("ab") as file:
        file.write(b" two")
    (root / "a" / "log").rename(root / "log")
    (root / "alias").hardlink_to(root / "log")
    (root / "link").symlink_to("log")
    (root / "log").chmod(0o640)

    assert (root / "link").read_bytes() == b"one two"
    assert (root / "alias").stat().st_nlink == 2
    assert (root / "log").stat().st_mode & 0o777 == 0o640
    assert abs((root / "log").stat().st_mtime - time.time()) < 3_600
    assert sorted(path.name for path in root.iterdir()) == ["a", "alias", "link", "log"]
    (root / "alias").unlink()
    (root / "a").rmdir()
    with pytest.raises(FileExistsError):
        os.close(os.open(root / "log", os.O_CREAT | os.O_EXCL))
    with (root / "log").open("wb") as file:
        file.truncate(3)
    assert (root / "log").read_bytes() == bytes(3)


def test_a_folder_of_many_names_is_listed_whole(disk: ForgetfulDisk) -> None:
    """Listings longer than one answer have no gap and no repetition."""
    names = {f"name-{number:05d}-{'x' * 60}" for number in range(500)}
    for name in names:
        (disk.path / name).touch()

    assert sorted(os.listdir(disk.path)) == sorted(names)  # noqa: PTH208 - as the journal does


def test_what_is_synced_survives_and_what_is_not_is_gone(disk: ForgetfulDisk) -> None:
    """A file written durably is there after the loss; one that was never synced is not."""
    durable.write_whole(disk.path / "kept", b"kept")
    for number in range(40):
        (disk.path / f"never-{number}").write_bytes(b"synced")
    with (disk.path / "kept").open("ab") as file:
        file.write(b"!" * 100_000)

    disk.lose_power()
    with pytest.raises(OSError, match="Input/output"):
        list(disk.path.iterdir())
    loss = disk.restore_power()

    assert (disk.path / "kept").read_bytes().startswith(b"kept")
    assert loss.names_lost + loss.names_kept == 40
    assert len(list(disk.path.iterdir())) == 1 + loss.names_kept


def test_what_survived_a_loss_survives_the_next_one(disk: ForgetfulDisk) -> None:
    """After the power is back, what can be read is durable."""
    (disk.path / "log").write_bytes(b"x" * 10_000)
    cut_power(disk)
    found = {path.name: path.read_bytes() for path in disk.path.iterdir()}
    cut_power(disk)

    assert {path.name: path.read_bytes() for path in disk.path.iterdir()} == found


def test_a_descriptor_for_durable_writes_needs_no_sync(disk: ForgetfulDisk) -> None:
    """O_DSYNC, by which LMDB writes its root, makes each write durable."""
    durable.write_whole(disk.path / "root", bytes(4_096))
    descriptor = os.open(disk.path / "root", os.O_WRONLY | os.O_DSYNC)
    os.pwrite(descriptor, b"new root", 0)
    os.close(descriptor)
    cut_power(disk)

    assert (disk.path / "root").read_bytes()[:8] == b"new root"


def test_a_shared_mapping_is_read_and_synced(disk: ForgetfulDisk) -> None:
    """Stores through a mapping reach the file, and msync makes them durable."""
    durable.write_whole(disk.path / "map", bytes(8_192))
    with (disk.path / "map").open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
        mapping[5_000:5_003] = b"abc"
        mapping.flush()
    cut_power(disk)

    assert (disk.path / "map").read_bytes()[5_000:5_003] == b"abc"


def test_committed_transactions_of_lmdb_survive(disk: ForgetfulDisk) -> None:
    """Whatever else a power loss takes, LMDB opens with its last commit."""
    path = disk.path / "state.lmdb"
    for number in range(8):
        environment = lmdb.open(str(path), subdir=False, map_size=1 << 36)
        durable.sync_directory(disk.path)
        with environment.begin(write=True) as transaction:
            for key in range(50):
                transaction.put(b"%d-%d" % (number, key), os.urandom(500))
        with environment.begin() as transaction:
            assert transaction.stat()["entries"] == 50 * (number + 1)
        environment.close()
        cut_power(disk)

    with lmdb.open(str(path), subdir=False, readonly=True) as environment:
        assert environment.stat()["entries"] == 400


def test_a_journal_keeps_what_it_said_was_durable(disk: ForgetfulDisk) -> None:
    """Over many losses in the middle of its writes, the journal never forgets a sync."""
    index = 0
    for _ in range(12):
        journal = Journal(disk.path / "journal", segment_bytes=4_000)
        assert journal.last_index >= index
        index = journal.last_index
        for _ in range(20):
            index += 1
            journal.append(b"payload" * 20, index, 1)
            journal.sync()
        journal.append(b"unsynced" * 500, index + 1, 1)
        flush = journal.begin_flush()
        assert flush is not None
        disk.fail_fsyncs(errno.EIO)
        with pytest.raises(OSError, match="Input/output"):
            flush.run()
        disk.lose_power()
        os.close(journal._descriptor)
        disk.heal()
        disk.restore_power()


def test_a_failed_fsync_fails_where_it_was_asked_for(disk: ForgetfulDisk) -> None:
    """Errors concern the files of a pattern, until the disk is healed."""
    (disk.path / "node-1").mkdir()
    (disk.path / "node-2").mkdir()
    disk.fail_fsyncs(errno.EIO, "node-2/*")

    durable.write_whole(disk.path / "node-1" / "file", b"x")
    with pytest.raises(OSError, match="Input/output"):
        durable.write_whole(disk.path / "node-2" / "file", b"x")
    disk.heal()
    durable.write_whole(disk.path / "node-2" / "file", b"x")

    assert disk.counters().syncs_failed == 1


def test_ignored_fsyncs_make_nothing_durable(disk: ForgetfulDisk) -> None:
    """A disk that lies says that all is well and forgets."""
    durable.write_whole(disk.path / "log", b"")
    disk.ignore_fsyncs("log")
    lost = 0
    for _ in range(10):
        with (disk.path / "log").open("ab") as file:
            file.write(b"x" * 600)
            file.flush()
            os.fdatasync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        cut_power(disk)
        lost += (disk.path / "log").stat().st_size < size

    assert lost > 0
    assert disk.counters().syncs_ignored == 10


def test_a_full_disk_says_so_until_it_is_healed(disk: ForgetfulDisk) -> None:
    """ENOSPC for what is new; statvfs agrees; what was there can be overwritten."""
    durable.write_whole(disk.path / "log", bytes(10_000))
    disk.fill()

    with pytest.raises(OSError, match="No space left"):
        (disk.path / "other").write_bytes(b"x")
    assert os.statvfs(disk.path).f_bavail == 0
    with (disk.path / "log").open("r+b") as file:
        file.write(b"y" * 10_000)
    disk.heal()
    (disk.path / "other").write_bytes(b"x")
    with (disk.path / "log").open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, 50_000)
    assert (disk.path / "log").stat().st_size == 50_000


def test_refused_writes_are_counted(disk: ForgetfulDisk) -> None:
    """Writes fail with the number that was asked for."""
    (disk.path / "log").touch()
    disk.fail_writes(errno.EIO, "log")

    with pytest.raises(OSError, match="Input/output"):
        (disk.path / "log").write_bytes(b"x")

    assert disk.counters().writes_refused == 1


def test_a_slow_sync_holds_up_nobody_else(disk: ForgetfulDisk) -> None:
    """While one sync waits, other files are written, read and synced."""
    durable.write_whole(disk.path / "slow", b"")
    disk.slow_down(60_000, "slow")
    program = f"import os; os.fsync(os.open({str(disk.path / 'slow')!r}, os.O_RDWR))"
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as waiting:
        durable.write_whole(disk.path / "fast", b"fast")
        assert (disk.path / "fast").read_bytes() == b"fast"
        assert waiting.poll() is None
        disk.lose_power()  # Whatever waits fails at once: nobody outlasts a power loss.
        assert waiting.wait(30) == 1
    disk.heal()
    disk.restore_power()


def test_a_lock_is_held_between_processes(disk: ForgetfulDisk) -> None:
    """The lock of a data directory works as on any disk."""
    with (disk.path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        program = (
            f"import fcntl; fcntl.flock(open({str(disk.path / 'lock')!r}), "
            "fcntl.LOCK_EX | fcntl.LOCK_NB)"
        )
        other = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert b"BlockingIOError" in other.stderr


def test_the_disk_goes_away_with_its_context_though_it_is_in_use(tmp_path: Path) -> None:
    """An open file keeps neither mount nor process."""
    with ForgetfulDisk(tmp_path / "disk") as disk:
        file = (disk.path / "log").open("wb")
        file.write(b"x")

    with pytest.raises(OSError, match=r"not connected|abort"):
        file.close()
    assert mounts_below(tmp_path) == []
    assert not (tmp_path / "disk").exists()


OWNER = """
import sys, time
from pathlib import Path
from chaos.disks.forgetful_disk import ForgetfulDisk
from chaos.disks.workplace import workplace
with workplace() as folder, ForgetfulDisk(folder / "disk") as disk:
    (disk.path / "log").write_bytes(b"x")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_run_that_was_ended(kind: signal.Signals) -> None:
    """Interrupted, a run cleans up; killed, its mount goes, and the next run does the rest."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().decode().strip())
        assert len(mounts_below(folder)) == 1
        owner.send_signal(kind)
        owner.wait(30)

    assert await_true(lambda: not mounts_below(folder))
    if kind is signal.SIGKILL:
        assert folder in remove_leftovers()
    assert not folder.exists()


def test_a_workplace_ends_what_still_runs_in_it() -> None:
    """A process that holds a file there does not outlive the folder."""
    with workplace() as folder:
        log = (folder / "log").open("wb")
        sleeper = subprocess.Popen(["sleep", "600"], stdout=log)
        log.close()

    assert sleeper.wait(30) == -signal.SIGKILL
    assert not folder.exists()
