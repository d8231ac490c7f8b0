"""A whole cluster of real journals, cores and guards in one process: one clock, one seed."""

import heapq
from collections.abc import Callable
from random import Random

from node.consensus.journal_recovery import recover
from tests.simulated_network import SimulatedNetwork
from tests.simulated_node import (
    DIRECTORY,
    MOST_SKEW_NS,
    STAMP_DIGITS,
    SimulatedNode,
    ViolationError,
)


class SimulatedCluster:
    """Nodes, network, clock and checks. Every fault is a method.

    `tests.simulated_faults` draws them.
    """

    def __init__(
        self,
        seed: int,
        nodes: int = 3,
        sabotage: Callable[[SimulatedNode], None] = lambda _node: None,
    ) -> None:
        """Start all nodes, connected."""
        self.seed = seed
        self.random = Random(seed)
        self.now = 1.0
        self.sabotage = sabotage
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._event_count = 0
        self.numbers = list(range(1, nodes + 1))
        self.quorum = nodes // 2 + 1
        self.slow_disks: dict[int, float] = {}
        self.leaders: dict[int, int] = {}
        self.log: dict[int, tuple[int, bytes]] = {}
        self.acknowledged: dict[int, bytes] = {}
        self.last_acknowledged = 0
        self.last_stamp_ns = 0
        self.reads_answered = 0
        self.proposals = 0
        self.network = SimulatedNetwork(self, self.random, self.numbers)
        self.network.deliver = lambda sender, receiver, message: self.nodes[receiver].receive(
            sender, message
        )
        self.network.connected = self._connected
        self.network.disconnected = self._disconnected
        self.nodes = {number: SimulatedNode(self, number) for number in self.numbers}
        for node in self.nodes.values():
            node.start()
        self._reconnect()

    # Time.

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Run `action` at `time`."""
        self._event_count += 1
        heapq.heappush(self._events, (time, self._event_count, action))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            time, _count, action = heapq.heappop(self._events)
            self.now = max(self.now, time)
            action()
        self.now = end

    def sync_seconds(self) -> float:
        """Draw how long one sync takes."""
        return self.random.choice((0.0002, 0.0005, 0.001, 0.01))

    # Connections.

    def _connected(self, node: int, peer: int) -> None:
        self.nodes[node].guard.connect(peer)

    def _disconnected(self, node: int, peer: int) -> None:
        if self.nodes[node].alive:
            self.nodes[node].guard.disconnect(peer)

    def _reconnect(self) -> None:
        for one in self.numbers:
            for other in self.numbers:
                if one < other and self.nodes[one].alive and self.nodes[other].alive:
                    self.network.connect(one, other)
        self.at(self.now + 0.1, self._reconnect)

    def crash(self, number: int, *, power: bool) -> None:
        """Stop a node."""
        node = self.nodes[number]
        node.crash(power=power)
        for other in self.numbers:
            if other != number:
                self.network.reset(number, other)

    def restart(self, number: int) -> None:
        """Start a stopped node; it connects within a tenth of a second."""
        self.nodes[number].start()

    # Load.

    @property
    def ready_leaders(self) -> list[SimulatedNode]:
        """Alive nodes that may propose."""
        return [
            node
            for node in self.nodes.values()
            if node.alive
            and node.core.is_leader
            and node.paused_until <= self.now
            and node.core.applied_index >= node.guard.replication.first_index
            and node.guard.election.transferring_to is None
        ]

    def propose(self, node: SimulatedNode) -> None:
        """Propose something new at a leader, stamped with its time."""
        self.proposals += 1
        padding = b"x" * self.random.choice((0, 0, 20, 150))
        stamp_ns = node.clock.stamp()
        node.propose(b"%020d %d-%d:%s" % (stamp_ns, self.seed, self.proposals, padding))

    def read(self, node: SimulatedNode) -> None:
        """Ask for a read index and check the answer."""
        known = self.last_acknowledged

        def answer(index: int | None) -> None:
            if index is not None:
                self.reads_answered += 1
                if index < known:
                    raise ViolationError(f"read at {index} after {known} was acknowledged")

        node.guard.read_index(answer)
        node.kick()

    # Invariants.

    def check_leader(self, node: SimulatedNode) -> None:
        """At most one leader a term."""
        known = self.leaders.setdefault(node.core.term, node.number)
        if known != node.number:
            raise ViolationError(f"nodes {known} and {node.number} lead term {node.core.term}")

    def check_applied(self, node: SimulatedNode, index: int, term: int, group: bytes) -> None:
        """Same index, same group; stamps never go back and follow the true time."""
        if index not in self.log:
            stamp_ns = int(group[:STAMP_DIGITS])
            if stamp_ns < self.last_stamp_ns:
                raise ViolationError(f"entry {index} goes back in time")
            if stamp_ns > self.now * 1e9 + MOST_SKEW_NS:
                raise ViolationError(f"entry {index} is stamped {stamp_ns} at {self.now}")
            self.last_stamp_ns = stamp_ns
        known = self.log.setdefault(index, (term, group))
        if known != (term, group):
            raise ViolationError(f"node {node.number} applied another group at {index}")

    def acknowledge(self, node: SimulatedNode, index: int, term: int, group: bytes) -> None:
        """Acknowledged means durable on a quorum at that instant."""
        holders = [other.number for other in self.nodes.values() if self._holds(other, index, term)]
        if len(holders) < self.quorum:
            raise ViolationError(
                f"node {node.number} acknowledged {index}, durable only on {holders} at {self.now}"
            )
        self.acknowledged[index] = group
        self.last_acknowledged = max(self.last_acknowledged, index)

    def _holds(self, node: SimulatedNode, index: int, term: int) -> bool:
        if node.disk_lost:
            return True  # It may have held the entry on the disk that it lost since.
        if node.snapshot is not None and node.snapshot.index >= index:
            return True
        if node.alive:
            journal = node.journal
            return journal.base_index > index or (
                journal.synced_index >= index
                and journal.holds(index)
                and journal.term_at(index) == term
            )
        stored = recover(node.disk, DIRECTORY)
        at = index - stored.base_index
        return at < 0 or (at < len(stored.entries) and stored.entries[at][2] == term)

    def heal(self) -> None:
        """End all faults."""
        self.network.unblock()
        self.network.slow.clear()
        self.slow_disks.clear()
        for node in self.nodes.values():
            node.paused_until = 0.0
            node.skew_ns = 0
            if not node.alive:
                node.start()

    def check_convergence(self) -> None:
        """After healing: one leader, equal states, every acknowledged group in its place."""
        self.heal()
        for _attempt in range(40):
            self.run(0.5)
            ready = self.ready_leaders
            if len(ready) == 1:
                self.propose(ready[0])
                self.run(0.5)
                if self._converged():
                    break
        else:
            raise ViolationError(f"no convergence: {self.describe()}")
        states = [node.groups for node in self.nodes.values()]
        if any(state != states[0] for state in states):
            raise ViolationError("states differ")
        final = dict(states[0])
        lost = [index for index, group in self.acknowledged.items() if final.get(index) != group]
        if lost:
            raise ViolationError(f"acknowledged groups lost: {lost[:5]}")

    def _converged(self) -> bool:
        indexes = {node.core.applied_index for node in self.nodes.values()}
        return len(indexes) == 1 and not any(
            node.guard.recovery.active for node in self.nodes.values()
        )

    def describe(self) -> str:
        """Return where every node stands."""
        return "; ".join(
            f"{node.number}: state {node.core.state} term {node.core.term} "
            f"log {node.journal.base_index}"
            f"..{node.journal.last_index} commit {node.core.commit_index} "
            f"applied {node.core.applied_index}"
            f" recovering {node.guard.recovery.active}"
            for node in self.nodes.values()
        )
