"""What a process left to the kernel alone is made durable before the next one counts on it."""

import errno
from pathlib import Path
from random import Random

import pytest

from chaos.simulation.disk import SimulatedDisk
from node.consensus.errors import JournalDamageError
from node.consensus.journal import Journal
from node.consensus.journal_segment import SegmentHeader, mark_name, segment_name

DIRECTORY = Path("/journal")


def test_what_a_killed_process_did_not_sync_is_durable_once_it_is_read() -> None:
    """A flush that was written and not synced is not counted on before it is: a power loss is next.

    Found by the simulator, as seed 41: the next start took it for durable, wrote a segment behind
    it, and lost it with the power.
    """
    for seed in range(20):
        disk = SimulatedDisk(Random(seed))
        journal = Journal(DIRECTORY, files=disk)
        journal.append(b"durable", 1, 1)
        journal.sync()
        journal.append(b"written, not synced", 2, 1)
        disk.sync_error = errno.EIO
        with pytest.raises(OSError, match="failed"):
            journal.sync()
        disk.kill()
        disk.repair()

        survivor = Journal(DIRECTORY, files=disk)
        assert survivor.synced_index == 2
        survivor.append(b"behind it", 3, 1)
        survivor.sync()
        disk.lose_power()
        assert Journal(DIRECTORY, files=disk).last_index == 3


@pytest.mark.parametrize("is_marked", [False, True])
def test_a_segment_that_never_began_leaves_the_one_before_it_marked(is_marked: bool) -> None:
    """Else nothing would show that this one is lost, until the next one begins.

    Found by the simulator, as seed 13,079: killed while it began a segment, started again, and
    robbed of the only segment with records before the next one began.
    """
    disk = SimulatedDisk(Random(1))
    journal = Journal(DIRECTORY, files=disk)
    journal.append(b"durable", 1, 1)
    journal.sync()
    header = SegmentHeader(2, 7, 1, 1, 1, 0, 1)
    names = [segment_name(2)]
    if is_marked:
        disk.remove(DIRECTORY / mark_name(1))
        names.append(mark_name(2))
    for name in names:
        opened = disk.create(DIRECTORY / name)
        disk.write(opened, [header.encode()] if name == segment_name(2) else [])
        disk.sync_data(opened)
        disk.close(opened)
    disk.sync_directory(DIRECTORY)

    assert Journal(DIRECTORY, files=disk).last_index == 1
    disk.lose_power()
    assert Journal(DIRECTORY, files=disk).last_index == 1
    disk.remove(DIRECTORY / segment_name(1))
    with pytest.raises(JournalDamageError, match="missing"):
        Journal(DIRECTORY, files=disk)
