"""The network between hosts: cuts, and everything that a wire can do to a frame."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Final

from chaos.real.abilities import NETWORK as SWITCH
from chaos.real.abilities import SOCKET_KILL
from chaos.real.catalogue import NETWORK, kind
from chaos.real.cluster_nodes import UnsuitableError
from chaos.real.link import LinkFaults
from chaos.real.scene import Scene
from chaos.real.site import CLIENTS_HOST
from chaos.real.wire import among, both_ways, one_way

CUT: Final = LinkFaults(cut=True)


def _others(scene: Scene, *numbers: int) -> list[int]:
    """Return every other node, and the clients."""
    return [*sorted(scene.cluster.numbers - set(numbers)), CLIENTS_HOST]


def _any_node(scene: Scene, random: Random) -> int:
    return random.choice(sorted(scene.cluster.numbers))


async def _leader_number(scene: Scene) -> int:
    number = await scene.cluster.leader_number()
    if not number:
        raise UnsuitableError("nobody leads")
    return number


# Cuts.


@kind("partition-minority", NETWORK, (0.3, 5.0), SWITCH)
async def partition_minority(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut a minority of the nodes off from the others and from the clients."""
    size = random.randint(1, (len(scene.cluster.nodes) - 1) // 2)
    minority = random.sample(sorted(scene.cluster.numbers), size)
    cut = both_ways(minority, _others(scene, *minority), CUT)
    with scene.cluster.hurting(*minority), scene.wire.disturbing(cut):
        yield f"nodes {sorted(minority)}"


@kind("leader-isolated", NETWORK, (0.3, 4.0), SWITCH)
async def leader_isolated(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut the leader off from everybody."""
    del random
    leader = await _leader_number(scene)
    cut = both_ways([leader], _others(scene, leader), CUT)
    with scene.cluster.hurting(leader), scene.wire.disturbing(cut):
        yield f"node {leader}"


@kind("leader-deserted", NETWORK, (0.3, 4.0), SWITCH)
async def leader_deserted(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut the leader off from its peers only: clients still reach it and must not be served."""
    del random
    leader = await _leader_number(scene)
    peers = sorted(scene.cluster.numbers - {leader})
    with (
        scene.cluster.hurting(leader),
        scene.wire.disturbing(both_ways([leader], peers, CUT)),
    ):
        yield f"node {leader}"


@kind("cut-outgoing", NETWORK, (0.3, 4.0), SWITCH)
async def cut_outgoing(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Lose whatever one node sends; it hears everything."""
    number = _any_node(scene, random)
    cut = dict.fromkeys(one_way([number], _others(scene, number)), CUT)
    with scene.cluster.hurting(number), scene.wire.disturbing(cut):
        yield f"node {number}"


@kind("cut-incoming", NETWORK, (0.3, 4.0), SWITCH)
async def cut_incoming(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Lose whatever is sent to one node; everybody hears it."""
    number = _any_node(scene, random)
    cut = dict.fromkeys(one_way(_others(scene, number), [number]), CUT)
    with scene.cluster.hurting(number), scene.wire.disturbing(cut):
        yield f"node {number}"


@kind("bridge", NETWORK, (0.5, 5.0), SWITCH)
async def bridge(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut the cluster in two halves that only one node connects."""
    numbers = random.sample(sorted(scene.cluster.numbers), len(scene.cluster.nodes))
    half = len(numbers) // 2
    left, middle, right = numbers[:half], numbers[half], numbers[half + 1 :]
    with scene.wire.disturbing(both_ways(left, right, CUT)):
        yield f"{sorted(left)} and {sorted(right)} see each other through node {middle} alone"


@kind("no-majority", NETWORK, (0.3, 2.0), SWITCH)
async def no_majority(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut every node off from every other: nobody may be told anything."""
    del random
    numbers = sorted(scene.cluster.numbers)
    with scene.cluster.hurting(*numbers), scene.wire.disturbing(among(numbers, CUT)):
        yield "all nodes"


@kind("swizzle", NETWORK, (0.2, 1.0), SWITCH)
async def swizzle(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut nodes off one after the other and let them back in another order."""
    cluster = scene.cluster
    numbers = random.sample(sorted(cluster.numbers), len(cluster.nodes) // 2 + 1)
    cuts = {number: both_ways([number], _others(scene, number), CUT) for number in numbers}
    with cluster.hurting(*numbers), ExitStack() as held:
        links = []
        for number in numbers:
            links.append(held.enter_context(ExitStack()))
            links[-1].enter_context(scene.wire.disturbing(cuts[number]))
            await asyncio.sleep(random.uniform(0.05, 0.5))
        yield f"nodes {numbers}"
        random.shuffle(links)
        for link in links:
            link.close()
            await asyncio.sleep(random.uniform(0.05, 0.5))


@kind("flapping", NETWORK, (0.1, 0.3), SWITCH)
async def flapping(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut the link between two nodes ten times, for a tenth of a second or so each."""
    one, other = random.sample(sorted(scene.cluster.numbers), 2)
    for _ in range(9):
        with scene.wire.disturbing(both_ways([one], [other], CUT)):
            await asyncio.sleep(random.uniform(0.02, 0.25))
        await asyncio.sleep(random.uniform(0.02, 0.25))
    with scene.wire.disturbing(both_ways([one], [other], CUT)):
        yield f"nodes {one} and {other}"


@kind("clients-cut-off", NETWORK, (0.3, 2.5), SWITCH)
async def clients_cut_off(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Cut the clients off from the leader, which does not notice."""
    del random
    leader = await _leader_number(scene)
    cut = both_ways([CLIENTS_HOST], [leader], CUT)
    with scene.cluster.hurting(*scene.cluster.numbers), scene.wire.disturbing(cut):
        yield f"from node {leader}"


@kind("connections-killed", NETWORK, (0.0, 0.2), SWITCH, SOCKET_KILL)
async def connections_killed(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Reset every connection of one node, three times."""
    number = _any_node(scene, random)
    for _ in range(3):
        await scene.kill_connections(number)
        await asyncio.sleep(random.uniform(0.05, 0.3))
    yield f"node {number}"


# A wire that is there, but bad.


@contextmanager
def _everywhere(scene: Scene, faults: LinkFaults, *, hopeless: bool = False) -> Iterator[str]:
    """Put `faults` on every link meanwhile; when `hopeless`, expect no progress."""
    hurt = scene.cluster.numbers if hopeless else frozenset[int]()
    with (
        scene.cluster.hurting(*hurt),
        scene.wire.disturbing(among(_others(scene), faults)),
    ):
        yield f"every link: {_said(faults)}"


def _said(faults: LinkFaults) -> str:
    parts = []
    for name in LinkFaults.__struct_fields__:
        value = getattr(faults, name)
        if value:
            parts.append(f"{name} {value:.3g}")
    return ", ".join(parts)


@kind("delay", NETWORK, (0.5, 4.0), SWITCH)
async def delay(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Deliver every frame 2 to 25 ms late."""
    with _everywhere(scene, LinkFaults(delay_ms=random.uniform(2, 25))) as what:
        yield what


@kind("jitter", NETWORK, (0.5, 4.0), SWITCH)
async def jitter(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Deliver frames up to 40 ms late, each differently."""
    with _everywhere(scene, LinkFaults(jitter_ms=random.uniform(5, 40))) as what:
        yield what


@kind("loss", NETWORK, (0.5, 4.0), SWITCH)
async def loss(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Lose 1 to 15 of a hundred frames."""
    with _everywhere(scene, LinkFaults(loss=random.uniform(0.01, 0.15)), hopeless=True) as what:
        yield what


@kind("duplication", NETWORK, (0.5, 4.0), SWITCH)
async def duplication(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Deliver up to half of all frames twice."""
    with _everywhere(scene, LinkFaults(duplication=random.uniform(0.05, 0.5))) as what:
        yield what


@kind("corruption", NETWORK, (0.5, 4.0), SWITCH)
async def corruption(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Flip a bit in 1 to 10 of a hundred frames: the kernel drops them."""
    faults = LinkFaults(corruption=random.uniform(0.01, 0.1))
    with _everywhere(scene, faults, hopeless=True) as what:
        yield what


@kind("forgery", NETWORK, (0.5, 4.0), SWITCH)
async def forgery(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Flip two bits in some frames between nodes so that TCP's checksum stays right."""
    faults = LinkFaults(forgery=random.uniform(0.005, 0.05))
    numbers = sorted(scene.cluster.numbers)
    with scene.cluster.hurting(*numbers), scene.wire.disturbing(among(numbers, faults)):
        yield f"links between nodes: {_said(faults)}"


@kind("reordering", NETWORK, (0.5, 4.0), SWITCH)
async def reordering(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Hold 5 to 40 of a hundred frames back, so that others overtake them."""
    faults = LinkFaults(delay_ms=0.2, reordering=random.uniform(0.05, 0.4))
    with _everywhere(scene, faults) as what:
        yield what


@kind("slow-link", NETWORK, (1.0, 5.0), SWITCH)
async def slow_link(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Let one node send and receive no more than 60 to 400 kB/s."""
    number = _any_node(scene, random)
    faults = LinkFaults(bytes_per_second=random.uniform(60_000, 400_000))
    links = both_ways([number], _others(scene, number), faults)
    with scene.cluster.hurting(number), scene.wire.disturbing(links):
        yield f"node {number}: {_said(faults)}"


@kind("bad-network", NETWORK, (0.5, 3.0), SWITCH)
async def bad_network(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Delay, jitter, lose, double, corrupt and reorder frames, all at once."""
    faults = LinkFaults(
        delay_ms=random.uniform(0, 10),
        jitter_ms=random.uniform(0, 20),
        loss=random.uniform(0, 0.05),
        duplication=random.uniform(0, 0.1),
        corruption=random.uniform(0, 0.03),
        reordering=random.uniform(0, 0.2),
    )
    with _everywhere(scene, faults, hopeless=True) as what:
        yield what
