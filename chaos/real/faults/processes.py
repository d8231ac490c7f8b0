"""Processes that end or stand still."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Final

from chaos.real.catalogue import NODES, kind
from chaos.real.cluster_nodes import UnsuitableError
from chaos.real.node_process import KILLED, STOPPED, NodeFailedError, NodeProcess
from chaos.real.scene import Scene

_STOPPED_MS: Final = 24


@kind("kill-leader", NODES, (0.1, 2.0))
async def kill_leader(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Kill the leader with SIGKILL; start it again later."""
    del random
    leader = await scene.cluster.leader()
    with scene.cluster.crippling(leader.number, ends=(KILLED,)):
        scene.note_leader_kill()
        await leader.kill()
        yield f"node {leader.number}"
        await scene.cluster.revive(leader.number)


@kind("kill-follower", NODES, (0.1, 3.0))
async def kill_follower(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Kill a follower with SIGKILL; start it again later."""
    follower = random.choice(await scene.cluster.follower())
    with scene.cluster.crippling(follower.number, ends=(KILLED,)):
        await follower.kill()
        yield f"node {follower.number}"
        await scene.cluster.revive(follower.number)


@kind("kill-all", NODES, (0.0, 1.0))
async def kill_all(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Kill every node at once; start them in another order."""
    cluster = scene.cluster
    numbers = sorted(cluster.numbers)
    with cluster.crippling(*numbers, ends=(KILLED,)):
        for number in numbers:
            cluster.nodes[number].signal(signal.SIGKILL)
        await asyncio.gather(*(cluster.nodes[number].kill() for number in numbers))
        yield "all nodes"
        random.shuffle(numbers)
        await asyncio.gather(*(cluster.revive(number) for number in numbers))


@kind("crash-loop", NODES, (0.0, 0.1))
async def crash_loop(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Kill a node three times, each time while it is starting or catching up."""
    number = random.choice(sorted(scene.cluster.free) or _nobody())
    node = scene.cluster.nodes[number]
    with scene.cluster.crippling(number, ends=(KILLED,)):
        await node.kill()
        for _ in range(2):
            node.spawn()
            await asyncio.sleep(random.uniform(0.2, 1.5))
            await node.kill()
        yield f"node {number}"
        await scene.cluster.revive(number)


@kind("restart", NODES, (0.0, 0.5))
async def restart(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Stop a node with SIGTERM, as an operator would, and start it again."""
    number = random.choice(sorted(scene.cluster.free) or _nobody())
    with scene.cluster.crippling(number, ends=(STOPPED,)):
        await stop_well(scene, number)
        yield f"node {number}"
        await scene.cluster.revive(number)


@kind("transfer", NODES, (0.0, 0.5))
async def transfer(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Stop the leader with SIGTERM: it hands over before it ends."""
    del random
    leader = await scene.cluster.leader()
    with scene.cluster.crippling(leader.number, ends=(STOPPED,)):
        await stop_well(scene, leader.number)
        yield f"node {leader.number}"
        await scene.cluster.revive(leader.number)


async def stop_well(scene: Scene, number: int) -> None:
    """Ask a node to stop. Raises NodeFailedError unless it ends as it should."""
    code = await scene.cluster.nodes[number].stop()
    if code != STOPPED:
        said = "had to be killed" if code is None else f"ended with code {code}"
        raise NodeFailedError(
            f"node {number} was asked to stop and {said}: "
            f"{scene.cluster.nodes[number].last_words()}"
        )


@contextmanager
def _paused(scene: Scene, *numbers: int) -> Iterator[None]:
    """Keep nodes from running meanwhile."""
    nodes = [scene.cluster.nodes[number] for number in numbers]
    with scene.cluster.crippling(*numbers):
        try:
            for node in nodes:
                node.signal(signal.SIGSTOP)
            yield
        finally:
            for node in nodes:
                node.signal(signal.SIGCONT)


@kind("pause-leader-short", NODES, (0.02, 0.09))
async def pause_leader_short(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Stop the leader's process for less than 100 ms."""
    del random
    leader = await scene.cluster.leader()
    with _paused(scene, leader.number):
        yield f"node {leader.number}"


@kind("pause-leader-long", NODES, (0.5, 4.0))
async def pause_leader_long(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Stop the leader's process until another leads; it wakes up believing that it leads."""
    del random
    leader = await scene.cluster.leader()
    with _paused(scene, leader.number):
        yield f"node {leader.number}"


@kind("pause-follower", NODES, (0.05, 5.0))
async def pause_follower(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Stop a follower's process for up to 5 s."""
    follower = random.choice(await scene.cluster.follower())
    with _paused(scene, follower.number):
        yield f"node {follower.number}"


@kind("pause-majority", NODES, (0.2, 2.0))
async def pause_majority(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Stop the processes of a majority, the leader among them perhaps, and wake them one by one."""
    cluster = scene.cluster
    size = len(cluster.nodes) // 2 + 1
    if len(cluster.free) < size:
        _nobody()
    numbers = random.sample(sorted(cluster.free), size)
    with _paused(scene, *numbers):
        yield f"nodes {sorted(numbers)}"
        for number in numbers:
            cluster.nodes[number].signal(signal.SIGCONT)
            await asyncio.sleep(random.uniform(0.0, 0.4))


@kind("pause-all", NODES, (0.2, 3.0))
async def pause_all(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Stop the processes of all nodes, as a host does that moves its virtual machines."""
    del random
    with _paused(scene, *scene.cluster.numbers):
        yield "all nodes"


@kind("starved", NODES, (0.5, 4.0))
async def starved(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Leave a node a fifth of a core or less."""
    node = scene.cluster.nodes[random.choice(sorted(scene.cluster.free) or _nobody())]
    running_ms = random.randint(2, 6)
    with scene.cluster.crippling(node.number):
        starving = asyncio.create_task(_starve(node, running_ms / 1_000))
        try:
            yield f"node {node.number}: {running_ms} of {running_ms + _STOPPED_MS} ms"
        finally:
            starving.cancel()
            with suppress(asyncio.CancelledError):
                await starving
            node.signal(signal.SIGCONT)


async def _starve(node: NodeProcess, running_seconds: float) -> None:
    while True:
        node.signal(signal.SIGSTOP)
        await asyncio.sleep(_STOPPED_MS / 1_000)
        node.signal(signal.SIGCONT)
        await asyncio.sleep(running_seconds)


def _nobody() -> list[int]:
    raise UnsuitableError("no node is whole")
