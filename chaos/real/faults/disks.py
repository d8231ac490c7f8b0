"""Disks that fail, fill up, are slow, or lose power."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from resource import RLIM_INFINITY, RLIMIT_FSIZE, prlimit
from typing import Final

from chaos.real.abilities import STRACE, VOLUMES
from chaos.real.catalogue import DISK, kind
from chaos.real.cluster_nodes import UnsuitableError
from chaos.real.node_process import NodeFailedError, NodeProcess
from chaos.real.scene import Scene
from chaos.real.tracer import tampering

_FAIL_STOP_SECONDS: Final = 8.0
_INJECTION_SECONDS: Final = 4.0
_FAIL_STOP_CODE: Final = 70


def free_node(scene: Scene, random: Random) -> NodeProcess:
    """Return a running node on which no fault works. Raises UnsuitableError."""
    numbers = [number for number in sorted(scene.cluster.free) if scene.cluster.nodes[number].pid]
    if not numbers:
        raise UnsuitableError("no node is whole")
    return scene.cluster.nodes[random.choice(numbers)]


async def revive_if_dead(scene: Scene, node: NodeProcess) -> None:
    """Start a node again if it ended. Raises NodeFailedError."""
    if not node.pid:
        await scene.cluster.revive(node.number)


@kind("kill-at-fsync", DISK, (0.0, 0.5), STRACE)
async def kill_at_fsync(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Kill a node as it calls fdatasync for the n-th time from now."""
    node = free_node(scene, random)
    count = random.randint(1, 40)
    with scene.cluster.crippling(node.number):
        injection = f"fdatasync:signal=KILL:when={count}"
        async with tampering(node.pid, injection, node.folder / "log", scene.belongings):
            code = await node.ended(_INJECTION_SECONDS)
        await node.kill()
        yield f"node {node.number} at call {count}" + ("" if code else ", which did not come")
        await scene.cluster.revive(node.number)


@kind("fsync-error", DISK, (0.0, 0.5), STRACE)
async def fsync_error(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Let fdatasync fail with EIO: the node must end, for what it wrote may be gone."""
    node = free_node(scene, random)
    count = random.randint(1, 20)
    with scene.cluster.crippling(node.number):
        injection = f"fdatasync:error=EIO:when={count}"
        async with tampering(node.pid, injection, node.folder / "log", scene.belongings) as tracer:
            injected = await tracer.await_injection(_INJECTION_SECONDS)
            code = await node.ended(_FAIL_STOP_SECONDS if injected else 0.0)
        if injected and code != _FAIL_STOP_CODE:
            raise NodeFailedError(
                f"fdatasync failed on node {node.number}, which "
                + ("went on" if code is None else f"ended with code {code}")
            )
        yield f"node {node.number} at call {count}" + ("" if injected else ", which did not come")
        await revive_if_dead(scene, node)


@kind("slow-disk", DISK, (0.5, 4.0), STRACE)
async def slow_disk(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Make every fdatasync of a node take 5 to 150 ms longer."""
    node = free_node(scene, random)
    late_ms = random.randint(5, 150)
    with scene.cluster.crippling(node.number):
        injection = f"fdatasync:delay_exit={late_ms * 1_000}"
        async with tampering(node.pid, injection, node.folder / "log", scene.belongings):
            yield f"node {node.number}: {late_ms} ms"


@kind("file-limit", DISK, (0.5, 3.0))
async def file_limit(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Let a node's files grow no further: it must end rather than go on without its journal."""
    node = free_node(scene, random)
    newest = max((node.folder / "journal").glob("segment-*"))
    size = newest.stat().st_size + random.randrange(100_000)
    pid = node.pid
    with scene.cluster.crippling(node.number):
        prlimit(pid, RLIMIT_FSIZE, (size, RLIM_INFINITY))
        yield f"node {node.number}: {size} bytes"
        if node.pid == pid:
            prlimit(pid, RLIMIT_FSIZE, (RLIM_INFINITY, RLIM_INFINITY))
        await revive_if_dead(scene, node)


@kind("disk-full", DISK, (0.5, 4.0), VOLUMES)
async def disk_full(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Fill a node's disk; make room again later."""
    node = free_node(scene, random)
    volume = scene.volumes[node.number]
    leave = random.randrange(300_000)
    with scene.cluster.crippling(node.number):
        try:
            await asyncio.to_thread(volume.fill, leave)
            yield f"node {node.number}: {leave} bytes left"
        finally:
            volume.free()
        # A node that meets the full disk just now must not be taken for one that withstood it.
        await node.ended(0.2)
        await revive_if_dead(scene, node)


@kind("power-cut", DISK, (0.0, 1.0), VOLUMES)
async def power_cut(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut the power of a node: what it had not synced is gone."""
    node = free_node(scene, random)
    with scene.cluster.crippling(node.number):
        await _cut_power(scene, [node])
        yield f"node {node.number}"
        await scene.cluster.revive(node.number)


@kind("power-cut-all", DISK, (0.0, 1.0), VOLUMES)
async def power_cut_all(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut the power of all nodes at once."""
    cluster = scene.cluster
    numbers = sorted(cluster.numbers)
    with cluster.crippling(*numbers):
        await _cut_power(scene, list(cluster.nodes.values()))
        yield "all nodes"
        random.shuffle(numbers)
        await asyncio.gather(*(cluster.revive(number) for number in numbers))


async def _cut_power(scene: Scene, nodes: list[NodeProcess]) -> None:
    volumes = [scene.volumes[node.number] for node in nodes]
    await asyncio.gather(*(asyncio.to_thread(volume.lose_power) for volume in volumes))
    await asyncio.gather(*(node.kill() for node in nodes))
    await asyncio.gather(*(asyncio.to_thread(volume.power_up) for volume in volumes))
