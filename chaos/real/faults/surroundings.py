"""What a node finds around itself: descriptors that run out, and a wall clock that jumps."""

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random
from resource import RLIMIT_NOFILE, prlimit
from typing import Final

from chaos.real import wrong_clock
from chaos.real.catalogue import NODES, kind
from chaos.real.cluster_nodes import UnfeltError
from chaos.real.faults.disks import free_node, outlasted
from chaos.real.faults.processes import stop_well
from chaos.real.node_process import FAIL_STOPPED, STOPPED
from chaos.real.pest_process import SILENT
from chaos.real.scene import Scene

_WRONG_CLOCK: Final = str(Path(wrong_clock.__file__).parent)
_JUMP_SECONDS_MOST: Final = 100_000


@kind("descriptor-limit", NODES, (0.5, 3.0))
async def descriptor_limit(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Let a node open a few more descriptors only, while clients take them all."""
    node = free_node(scene, random)
    pid = node.pid
    held = _descriptors(pid)
    limit = held + random.randint(0, 20)
    with scene.cluster.crippling(node.number, ends=(FAIL_STOPPED,)):
        before = prlimit(pid, RLIMIT_NOFILE)
        prlimit(pid, RLIMIT_NOFILE, (limit, before[1]))
        ticket = await scene.trading.start_pest(SILENT, node.number)
        met = _descriptors(pid) >= limit
        try:
            yield f"node {node.number}: {limit} descriptors, {held} in use"
            met = met or _descriptors(pid) >= limit
        finally:
            scene.trading.end_pest(ticket)
            with suppress(ProcessLookupError):
                prlimit(pid, RLIMIT_NOFILE, before)
        if await outlasted(scene, node) and not met:
            raise UnfeltError(f"node {node.number} never held all {limit} descriptors")


def _descriptors(pid: int) -> int:
    """Return how many descriptors a process holds; none once it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - nothing but their number
    except OSError:
        return 0


@kind("clock-jump", NODES, (0.3, 2.0))
async def clock_jump(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Set a node's wall clock wrong by up to a day, and set it again while the node runs."""
    node = free_node(scene, random)
    said = node.folder / "log" / "clock"
    first, second = (random.randint(-_JUMP_SECONDS_MOST, _JUMP_SECONDS_MOST) for _ in range(2))
    with scene.cluster.crippling(node.number, ends=(STOPPED,)):
        await stop_well(scene, node.number)
        said.write_text(f"{first:+d}\n")
        node.environment = {
            "PYTHONPATH": os.pathsep.join([_WRONG_CLOCK, os.environ.get("PYTHONPATH", "")]),
            "QUORUMBOOK_CHAOS_CLOCK": str(said),
        }
        try:
            await scene.cluster.revive(node.number)
        finally:
            node.environment = {}
    # It leads and follows like any other: only its clock is wrong.
    said.write_text(f"{second:+d}\n")
    yield f"node {node.number}: {first:+d} s, then {second:+d} s"
    with scene.cluster.crippling(node.number, ends=(STOPPED,)):
        await stop_well(scene, node.number)
        await scene.cluster.revive(node.number)
