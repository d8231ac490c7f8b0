"""Disks that fail, fill up, are slow, or lose power."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random
from resource import RLIM_INFINITY, RLIMIT_FSIZE, prlimit
from typing import Final

from chaos.real.abilities import STRACE, VOLUMES
from chaos.real.catalogue import DISK, kind
from chaos.real.cluster_nodes import UnfeltError, UnsuitableError
from chaos.real.node_process import (
    ANY_END,
    FAIL_STOPPED,
    KILLED,
    NodeFailedError,
    NodeProcess,
)
from chaos.real.scene import Scene
from chaos.real.tracer import tampering

_FAIL_STOP_SECONDS: Final = 8.0
_INJECTION_SECONDS: Final = 4.0
_AFTERMATH_SECONDS: Final = 1.0
"""One that has met a limit just now must not be taken for one that withstood it."""


def free_node(scene: Scene, random: Random) -> NodeProcess:
    """Return a running node on which no fault works. Raises UnsuitableError."""
    numbers = [number for number in sorted(scene.cluster.free) if scene.cluster.nodes[number].pid]
    if not numbers:
        raise UnsuitableError("no node is whole")
    return scene.cluster.nodes[random.choice(numbers)]


async def outlasted(scene: Scene, node: NodeProcess) -> bool:
    """Start a node again if a fault that is over has ended it; return whether it had not.

    Raises NodeFailedError.
    """
    if await node.ended(_AFTERMATH_SECONDS) is None:
        return True
    await scene.cluster.revive(node.number)
    return False


@kind("kill-at-fsync", DISK, (0.0, 0.5), STRACE)
async def kill_at_fsync(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Kill a node as it calls fdatasync for the n-th time from now."""
    node = free_node(scene, random)
    count = random.randint(1, 40)
    with scene.cluster.crippling(node.number, ends=(KILLED,)):
        injection = f"fdatasync:signal=KILL:when={count}"
        async with tampering(node.pid, injection, node.folder / "log", scene.belongings):
            await node.ended(_INJECTION_SECONDS)
        if await node.ended(_AFTERMATH_SECONDS) is None:
            raise UnfeltError(f"node {node.number} at call {count}, which did not come")
        yield f"node {node.number} at call {count}"
        await scene.cluster.revive(node.number)


@kind("fsync-error", DISK, (0.0, 0.5), STRACE)
async def fsync_error(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Let fdatasync fail with EIO: the node must end, for what it wrote may be gone."""
    node = free_node(scene, random)
    count = random.randint(1, 20)
    with scene.cluster.crippling(node.number, ends=(FAIL_STOPPED,)):
        injection = f"fdatasync:error=EIO:when={count}"
        async with tampering(node.pid, injection, node.folder / "log", scene.belongings) as tracer:
            injected = await tracer.await_injection(_INJECTION_SECONDS)
            code = await node.ended(_FAIL_STOP_SECONDS if injected else 0.0)
        if not injected and await outlasted(scene, node):
            raise UnfeltError(f"node {node.number} at call {count}, which did not come")
        if injected and code != FAIL_STOPPED:
            raise NodeFailedError(
                f"fdatasync failed on node {node.number}, which "
                + ("went on" if code is None else f"ended with code {code}")
            )
        yield f"node {node.number} at call {count}"
        if injected:
            await scene.cluster.revive(node.number)


@kind("slow-disk", DISK, (0.5, 4.0), STRACE)
async def slow_disk(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Make every fdatasync of a node take 5 to 150 ms longer."""
    node = free_node(scene, random)
    late_ms = random.randint(5, 150)
    with scene.cluster.crippling(node.number):
        injection = f"fdatasync:delay_exit={late_ms * 1_000}"
        async with tampering(node.pid, injection, node.folder / "log", scene.belongings) as tracer:
            yield f"node {node.number}: {late_ms} ms"
            injected = tracer.injected
    if not injected:
        raise UnfeltError(f"node {node.number} called nothing meanwhile")


@kind("file-limit", DISK, (0.5, 3.0))
async def file_limit(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Let a node's files grow no further: it must end rather than go on without its journal."""
    node = free_node(scene, random)
    newest = max((node.folder / "journal").glob("segment-*"))
    size = newest.stat().st_size + random.randrange(100_000)
    pid = node.pid
    with scene.cluster.crippling(node.number, ends=(FAIL_STOPPED,)):
        prlimit(pid, RLIMIT_FSIZE, (size, RLIM_INFINITY))
        yield f"node {node.number}: {size} bytes"
        with suppress(ProcessLookupError):  # It has ended, and may be a moment from it.
            prlimit(pid, RLIMIT_FSIZE, (RLIM_INFINITY, RLIM_INFINITY))
        if await outlasted(scene, node):
            raise UnfeltError(f"node {node.number}: no file reached {size} bytes")


@kind("disk-full", DISK, (0.5, 4.0), VOLUMES)
async def disk_full(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Fill a node's disk; make room again later."""
    node = free_node(scene, random)
    volume = scene.volumes[node.number]
    leave = random.randrange(300_000)
    with scene.cluster.crippling(node.number, ends=(FAIL_STOPPED,)):
        try:
            await asyncio.to_thread(volume.fill, leave)
            yield f"node {node.number}: {leave} bytes left"
        finally:
            volume.free()
        if await outlasted(scene, node):
            raise UnfeltError(f"node {node.number} did not need the {leave} bytes left")


@kind("power-cut", DISK, (0.0, 1.0), VOLUMES)
async def power_cut(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut the power of a node: what it had not synced is gone."""
    node = free_node(scene, random)
    with scene.cluster.crippling(node.number, ends=ANY_END):
        await _cut_power(scene, [node])
        yield f"node {node.number}"
        await scene.cluster.revive(node.number)


@kind("power-cut-all", DISK, (0.0, 1.0), VOLUMES)
async def power_cut_all(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut the power of all nodes at once."""
    cluster = scene.cluster
    numbers = sorted(cluster.numbers)
    with cluster.crippling(*numbers, ends=ANY_END):
        await _cut_power(scene, list(cluster.nodes.values()))
        yield "all nodes"
        random.shuffle(numbers)
        await asyncio.gather(*(cluster.revive(number) for number in numbers))


async def _cut_power(scene: Scene, nodes: list[NodeProcess]) -> None:
    volumes = [scene.volumes[node.number] for node in nodes]
    await asyncio.gather(*(asyncio.to_thread(volume.lose_power) for volume in volumes))
    await asyncio.gather(*(node.kill() for node in nodes))
    await asyncio.gather(*(asyncio.to_thread(volume.power_up) for volume in volumes))
