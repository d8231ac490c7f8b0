"""Workloads: every command that a client can send is sent by some simulated client."""

from random import Random

from chaos.workloads.knowledge import Knowledge
from chaos.workloads.registry import OPERATOR, TRADER, write_one
from node.domain import commands
from node.protocol.command_frames import CommandFrames


def test_every_command_has_a_workload() -> None:
    """A new command without a workload fails here: then no simulation would ever try it."""
    known = {workload.kind for workload in (*TRADER, *OPERATOR)}
    sent_by_clients = {
        kind for kind in commands.COMMAND_SIZES if kind <= commands.MAX_CLIENT_COMMAND
    }

    assert known == sent_by_clients


def test_a_workload_writes_whole_frames_of_its_kind() -> None:
    """Whatever is drawn, exactly one frame of the right size is written."""
    random, known = Random(1), Knowledge(1, 3, 3)
    for workload in (*TRADER, *OPERATOR):
        for _ in range(20):
            frames = CommandFrames(1)
            workload.write(frames, random, known)
            content = frames.take()
            assert len(content) == commands.COMMAND_SIZES[workload.kind]
            assert int.from_bytes(content[4:6], "little") == workload.kind


def test_the_mix_is_drawn_by_weight() -> None:
    """Placements are most of what a trader does, and everything happens now and then."""
    random, known, frames = Random(2), Knowledge(1, 3, 3), CommandFrames(1)
    seen: dict[int, int] = {}
    for _ in range(2_000):
        write_one(TRADER, frames, random, known)
        kind = int.from_bytes(frames.take()[4:6], "little")
        seen[kind] = seen.get(kind, 0) + 1

    assert set(seen) == {workload.kind for workload in TRADER}
    assert seen[commands.PLACE] + seen[commands.PLACE_WITH_TERMS] > 1_000
