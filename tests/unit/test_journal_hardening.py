"""What a process left to the kernel alone is made durable before the next one counts on it."""

import errno
from pathlib import Path
from random import Random

import pytest

from chaos.simulation.disk import SimulatedDisk
from node.consensus.journal import Journal

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
