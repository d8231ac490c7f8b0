"""A fault at work: the cluster it strikes, and its own dice."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chaos.simulation.client_host import ClientHost
    from chaos.simulation.cluster import Cluster
    from chaos.simulation.host import Host
    from chaos.simulation.reader_host import ReaderHost


class Strike:
    """What a fault needs to choose its victims.

    Each strike has dice of its own, so that leaving out another one changes none of its draws.
    """

    def __init__(
        self, cluster: "Cluster", kind: str, seed: int, count: Callable[[str], None]
    ) -> None:
        """Strike `cluster`; tell `count` the kind once the fault has taken effect."""
        self.cluster = cluster
        self.kind = kind
        self.random = Random(seed)
        self._count = count
        self._counted = False

    def felt(self) -> None:
        """Hear that it took effect: a node ended, a message was held, a sync took longer.

        Only that is counted, and once: a fault without a victim, or of a machine that is down all
        the while, shows nothing.
        """
        if not self._counted:
            self._counted = True
            self._count(self.kind)

    def note(self, lane: str, text: str, until_ms: float = -1.0) -> None:
        """Put the fault on the timeline."""
        self.cluster.trace(7, len(text))
        self.cluster.note(lane, self.kind, text, until_ms)

    @property
    def hosts(self) -> list["Host"]:
        """All machines."""
        return list(self.cluster.hosts.values())

    @property
    def alive(self) -> list["Host"]:
        """Machines on which a node runs."""
        return [host for host in self.hosts if host.alive]

    @property
    def leaders(self) -> list["Host"]:
        """Machines whose node believes that it leads."""
        return [
            host for host in self.alive if host.node is not None and host.node.replica.is_leader
        ]

    @property
    def clients(self) -> "list[ClientHost | ReaderHost]":
        """All clients, those that only read among them."""
        return [*self.cluster.clients, *self.cluster.readers]

    @property
    def quorum(self) -> int:
        """How many nodes are a majority."""
        return len(self.hosts) // 2 + 1

    def any_alive(self) -> "Host | None":
        """Choose a machine on which a node runs."""
        alive = self.alive
        return self.random.choice(alive) if alive else None

    def pair(self) -> tuple["Host", "Host"]:
        """Choose two machines."""
        one, other = self.random.sample(self.hosts, 2)
        return one, other

    def later(self, seconds: float, action: Callable[[], None]) -> float:
        """Do `action` in a while; return when, in ms since the start."""
        self.cluster.scheduler.after(round(seconds * 1e9), action)
        return self.cluster.now_ms + seconds * 1_000
