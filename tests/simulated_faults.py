"""A schedule of faults drawn from the cluster's seed."""

from tests.simulated_cluster import SimulatedCluster


class FaultSchedule:
    """Runs a cluster under load and faults, then heals it and checks that it converged."""

    def __init__(self, cluster: SimulatedCluster, *, disk_loss: bool = True) -> None:
        """Draw from `cluster.random`."""
        self._cluster = cluster
        self._random = cluster.random
        self._disk_loss = disk_loss
        self.counts: dict[str, int] = {}

    def run(self, seconds: float) -> None:
        """Let `seconds` pass under faults, then check convergence."""
        cluster = self._cluster
        end = cluster.now + seconds
        while cluster.now < end:
            self._load()
            self._maybe_fault()
            cluster.run(self._random.choice((0.001, 0.005, 0.02)))
        cluster.check_convergence()

    def _load(self) -> None:
        cluster = self._cluster
        for node in cluster.ready_leaders:
            if self._random.random() < 0.5:
                for _ in range(self._random.choice((1, 1, 2, 5, 20))):
                    cluster.propose(node)
            if self._random.random() < 0.3:
                cluster.read(node)

    def _maybe_fault(self) -> None:
        if self._random.random() > 0.06:
            return
        fault = self._random.choice(
            (
                self.kill,
                self.kill_leader,
                self.lose_power,
                self.lose_power_everywhere,
                self.restart,
                self.restart,
                self.restart,
                self.cut_one_way,
                self.isolate,
                self.mend,
                self.mend,
                self.reset,
                self.pause,
                self.slow_down,
                self.snapshot,
                self.snapshot,
                self.snapshot,
                self.transfer,
                self.skew,
                self.lose_disk,
                self.bounce,
                self.bounce,
            )
        )
        fault()
        self.counts[fault.__name__] = self.counts.get(fault.__name__, 0) + 1

    def _alive(self) -> list[int]:
        return [number for number, node in self._cluster.nodes.items() if node.alive]

    def _crash(self, numbers: list[int], *, power: bool) -> None:
        if numbers and len(self._alive()) >= self._cluster.quorum:
            self._cluster.crash(self._random.choice(numbers), power=power)

    def kill(self) -> None:
        self._crash(self._alive(), power=False)

    def kill_leader(self) -> None:
        leaders = [node.number for node in self._cluster.ready_leaders]
        self._crash(leaders, power=self._random.random() < 0.5)

    def lose_power(self) -> None:
        self._crash(self._alive(), power=True)

    def lose_power_everywhere(self) -> None:
        if self._random.random() < 0.5:
            for number in self._alive():
                self._cluster.crash(number, power=True)
            for number in self._cluster.numbers:
                self._cluster.restart(number)

    def restart(self) -> None:
        for number, node in self._cluster.nodes.items():
            if not node.alive and self._random.random() < 0.6:
                self._cluster.restart(number)

    def bounce(self) -> None:
        alive = self._alive()
        if alive:
            number = self._random.choice(alive)
            self._cluster.crash(number, power=self._random.random() < 0.5)
            self._cluster.restart(number)

    def cut_one_way(self) -> None:
        one, other = self._random.sample(self._cluster.numbers, 2)
        self._cluster.network.blocked.add((one, other))

    def isolate(self) -> None:
        one = self._random.choice(self._cluster.numbers)
        for other in self._cluster.numbers:
            if other != one:
                self._cluster.network.blocked |= {(one, other), (other, one)}

    def mend(self) -> None:
        self._cluster.network.unblock()
        self._cluster.network.slow.clear()

    def reset(self) -> None:
        self._cluster.network.reset(*self._random.sample(self._cluster.numbers, 2))

    def pause(self) -> None:
        node = self._cluster.nodes[self._random.choice(self._cluster.numbers)]
        node.paused_until = self._cluster.now + self._random.choice((0.05, 0.2, 0.6))

    def slow_down(self) -> None:
        one, other = self._random.sample(self._cluster.numbers, 2)
        self._cluster.network.slow[one, other] = self._random.choice((0.01, 0.05, 0.2))

    def snapshot(self) -> None:
        alive = self._alive()
        if alive:
            self._cluster.nodes[self._random.choice(alive)].take_snapshot()

    def transfer(self) -> None:
        for node in self._cluster.ready_leaders:
            node.guard.election.transfer(None)

    def skew(self) -> None:
        node = self._cluster.nodes[self._random.choice(self._cluster.numbers)]
        node.skew_ns = self._random.choice((0, 0, 10_000_000, 2_000_000_000, -86_400_000_000_000))

    def lose_disk(self) -> None:
        """Lose a whole disk, while no other node misses anything."""
        cluster = self._cluster
        if not self._disk_loss or any(node.marked_recovering for node in cluster.nodes.values()):
            return
        if self._random.random() < 0.5:
            number = self._random.choice(cluster.numbers)
            node = cluster.nodes[number]
            if node.alive:
                cluster.crash(number, power=True)
            node.disk.wipe()
            node.snapshot = None
            node.marked_recovering = node.disk_lost = True
            cluster.restart(number)
