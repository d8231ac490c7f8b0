"""A node without consensus, for tests of sockets.

The real venue and gateway, and a log that commits at once.

It does what the composition root does, in the same order, and can be told to lose leadership or to
stop committing.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from os import urandom

from nacl.signing import SigningKey

from node.domain.genesis import Genesis, default_limits
from node.domain.groups import GROUP_HEADER_SIZE, RULES_VERSION
from node.engine.venue import Venue
from node.gateway.gateway import Gateway
from node.gateway.gateway_limits import GatewayLimits
from node.gateway.seams import BarrierLostError, GatewayIdentity, LeaderAddress
from node.gateway.venue_reads import VenueReads

CLUSTER_ID = bytes(range(16))
OPERATOR = SigningKey(b"operator".ljust(32, b"."))
TRADERS = [SigningKey(f"trader {number}".encode().ljust(32, b".")) for number in range(8)]


class History:
    """Past events, all of them or the newest `most` groups."""

    def __init__(self, most: int = 1_000_000) -> None:
        """Start empty."""
        self.most = most
        self.groups: list[tuple[int, bytes]] = []
        self.oldest_index = 1

    def append(self, index: int, events: bytes) -> None:
        """Hold a group's events."""
        self.groups.append((index, events))
        if len(self.groups) > self.most:
            self.groups.pop(0)
            self.oldest_index = self.groups[0][0]

    def since(self, index: int) -> Iterator[tuple[int, bytes]]:
        """Yield the groups behind `index`."""
        assert index + 1 >= self.oldest_index
        return iter([group for group in self.groups if group[0] > index])


class SingleNode:
    """One node that leads itself."""

    def __init__(
        self,
        *,
        node: int = 1,
        limits: GatewayLimits | None = None,
        venue: Venue | None = None,
        history: History | None = None,
    ) -> None:
        """Compose it around `venue`, a fresh one by default. Call inside a running loop."""
        self.node = node
        self.venue = venue or Venue(
            Genesis(CLUSTER_ID, 0, bytes(OPERATOR.verify_key), default_limits())
        )
        self.history = history or History()
        self.is_leader = True
        self.leader: LeaderAddress | None = None
        self.held = False
        self.barriers_fail = False
        self.port = 0
        self.peers: list[SingleNode] = []
        """Nodes that apply the same log, as followers or as the next leader."""
        self._driving = False
        self.gateway = Gateway(
            identity=GatewayIdentity(CLUSTER_ID, node),
            limits=limits or GatewayLimits(),
            view=VenueReads(self.venue),
            leadership=self,
            history=self.history,
            random_bytes=urandom,
        )

    @property
    def ready(self) -> bool:
        """Lead and be ready at once."""
        return self.is_leader

    def leader_address(self) -> LeaderAddress | None:
        """Return what the test has set."""
        return self.leader

    async def read_barrier(self) -> int:
        """Return at once: everything acknowledged has been applied here."""
        if self.barriers_fail or not self.is_leader:
            raise BarrierLostError
        return self.venue.log_index

    def kick(self) -> None:
        """Commit what waits in the next step of the loop."""
        if not self._driving:
            self._driving = True
            asyncio.get_running_loop().call_soon(self._drive)

    def hold(self) -> None:
        """Commit nothing until `release`."""
        self.held = True

    def release(self) -> None:
        """Commit again."""
        self.held = False
        self.kick()

    def _drive(self) -> None:
        self._driving = False
        if self.held or not self.is_leader:
            return
        while (taken := self.gateway.take(1 << 20)) is not None:
            self.commit(*taken)

    def commit(self, records: list[bytes], count: int) -> None:
        """Apply one group here and at the peers, and publish what came of it."""
        body = b"".join(records)
        index = self.venue.log_index + 1
        stamp = self.venue.stamp_ns + 1_000
        length = GROUP_HEADER_SIZE + len(body)
        header = struct.pack("<ihhqii", length, RULES_VERSION, 0, stamp, count, 0)
        for node in (self, *self.peers):
            node.apply(index, header + body)

    def apply(self, index: int, group: bytes) -> None:
        """Apply a committed group and publish what came of it.

        Without a step of the loop in between.
        """
        self.venue.apply(index, group)
        self.history.append(index, self.venue.events)
        self.gateway.publish(self.venue.replies, self.venue.events)

    def lose_leadership(self, to: LeaderAddress | None = None) -> None:
        """Follow `to` from now on."""
        self.is_leader = False
        self.leader = to
        self.gateway.leadership_lost()

    def address(self) -> LeaderAddress:
        """Return where clients reach this node."""
        return LeaderAddress(self.node, "127.0.0.1", self.port)


@contextmanager
def nothing_uncaught() -> Iterator[None]:
    """Fail if the loop reports an exception that nobody caught: it would end a node."""
    reports: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, report: reports.append(report))
    yield
    loop.set_exception_handler(None)
    assert reports == []


@asynccontextmanager
async def single_node(**options: object) -> AsyncIterator[SingleNode]:
    """Run a node on a free port of the loopback interface."""
    node = SingleNode(**options)  # type: ignore[arg-type]
    node.port = await node.gateway.start("127.0.0.1", 0)
    try:
        with nothing_uncaught():
            yield node
    finally:
        await node.gateway.stop()


@asynccontextmanager
async def three_nodes(**options: object) -> AsyncIterator[list[SingleNode]]:
    """Run three nodes over one log; the first one leads."""
    nodes = [SingleNode(node=number, **options) for number in (1, 2, 3)]  # type: ignore[arg-type]
    for node in nodes:
        node.peers = [peer for peer in nodes if peer is not node]
        node.port = await node.gateway.start("127.0.0.1", 0)
    follow(nodes, nodes[0])
    try:
        with nothing_uncaught():
            yield nodes
    finally:
        for node in nodes:
            await node.gateway.stop()


def follow(nodes: list[SingleNode], leader: SingleNode) -> None:
    """Have `leader` lead and the others follow."""
    for node in nodes:
        if node is not leader:
            node.lose_leadership(leader.address())
    leader.is_leader = True
    leader.leader = leader.address()
    leader.kick()
