"""What faults work on: one round's nodes, network, clients and folders."""

import asyncio
from dataclasses import dataclass, field
from time import monotonic_ns

from chaos.real.abilities import Abilities
from chaos.real.belongings import Belongings
from chaos.real.cluster_nodes import ClusterNodes
from chaos.real.namespace_site import NamespaceSite
from chaos.real.site import Site
from chaos.real.tool import run_tool
from chaos.real.trading import Trading
from chaos.real.volume import Volume
from chaos.real.wire import Wire


@dataclass(frozen=True)
class Scene:
    """The parts of one round that a fault may touch."""

    cluster: ClusterNodes
    trading: Trading
    site: Site
    abilities: Abilities
    belongings: Belongings
    volumes: dict[int, Volume]
    """The disk of each node; empty without the ability."""
    at_work: set[int] = field(default_factory=set)
    """The numbers of the faults that work just now."""
    leader_kills_ns: list[tuple[int, bool]] = field(default_factory=list)
    """When a leader was killed on purpose, and whether nothing else was broken then."""

    def note_leader_kill(self) -> None:
        """Note that a leader is about to be killed."""
        self.leader_kills_ns.append((monotonic_ns(), len(self.at_work) == 1))

    @property
    def wire(self) -> Wire:
        """The network; only for kinds that need it."""
        assert isinstance(self.site, NamespaceSite)
        return self.site.wire

    async def kill_connections(self, number: int) -> None:
        """Reset every TCP connection of a node that is not within its own host."""
        words = ["ss", "-K", "-t", "state", "established", "dst", "10.77.0.0/24"]
        await asyncio.to_thread(run_tool, *self.site.command(number, words))
