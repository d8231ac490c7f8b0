"""The ext4 whose power can be cut: synced is durable, unsynced is really lost, nothing is left."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.disks.ext4_disk import Ext4Disk, missing_for_ext4_disk
from chaos.disks.workplace import mounts_below, workplace
from node.consensus.journal import Journal
from node.storage import durable

pytestmark = pytest.mark.skipif(
    bool(missing_for_ext4_disk()), reason=f"no such disk: {missing_for_ext4_disk()}"
)


@pytest.fixture(scope="module")
def disk() -> Iterator[Ext4Disk]:
    """Return a mounted disk."""
    with (
        workplace() as folder,
        Ext4Disk(folder / "disk", folder / "image", seed=3, image_bytes=256 << 20) as mounted,
    ):
        yield mounted


def loops_on(image: Path) -> list[str]:
    """Return the loop devices of an image."""
    return [
        device.parts[3]
        for device in Path("/sys/block").glob("loop*/loop/backing_file")
        if device.read_text().strip() == str(image)
    ]


def test_what_is_synced_survives_and_what_is_not_can_be_lost(disk: Ext4Disk) -> None:
    """Over several losses every durable file is whole, and unsynced bytes are missing."""
    lost = 0
    for number in range(8):
        durable.write_whole(disk.path / f"kept-{number}", b"kept" * 3_000)
        (disk.path / f"never-{number}").write_bytes(b"x" * 100_000)
        disk.lose_power()
        with pytest.raises(OSError, match="Input/output"):
            (disk.path / "other").write_bytes(b"x")
        disk.restore_power()
        never = disk.path / f"never-{number}"
        lost += not never.exists() or never.read_bytes() != b"x" * 100_000
        for kept in range(number + 1):
            assert (disk.path / f"kept-{kept}").read_bytes() == b"kept" * 3_000

    assert lost == 8


def test_a_journal_keeps_what_it_said_was_durable(disk: Ext4Disk) -> None:
    """Over several losses in the middle of its writes, the journal never forgets a sync."""
    index = 0
    for _ in range(8):
        journal = Journal(disk.path / "journal", segment_bytes=4_000)
        assert journal.last_index >= index
        index = journal.last_index
        for _ in range(20):
            index += 1
            journal.append(b"payload" * 20, index, 1)
            journal.sync()
        os.write(journal._descriptor, b"unsynced" * 2_000)
        disk.lose_power()
        os.close(journal._descriptor)
        disk.restore_power()


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    """Mount, loop device and image go with the context, though a file is open."""
    with Ext4Disk(tmp_path / "disk", tmp_path / "image", image_bytes=64 << 20) as disk:
        file = (disk.path / "log").open("wb")
        assert len(loops_on(tmp_path / "image")) == 1
    file.close()

    assert mounts_below(tmp_path) == []
    assert loops_on(tmp_path / "image") == []
    assert list(tmp_path.iterdir()) == []
