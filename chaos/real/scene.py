"""What faults work on: one round's nodes, network, clients and folders."""

from dataclasses import dataclass

from chaos.real.abilities import Abilities
from chaos.real.belongings import Belongings
from chaos.real.cluster_nodes import ClusterNodes
from chaos.real.trading import Trading


@dataclass(frozen=True)
class Scene:
    """The parts of one round that a fault may touch."""

    cluster: ClusterNodes
    trading: Trading
    abilities: Abilities
    belongings: Belongings
    leader_kills_ns: list[tuple[int, bool]]
    """When a leader was killed on purpose, and whether nothing else was broken then."""
