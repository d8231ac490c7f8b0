"""The kinds of faults, by what they break; importing this fills the catalogue."""

from chaos.real.faults import clients, damage, disks, network, processes, surroundings

__all__ = ["clients", "damage", "disks", "network", "processes", "surroundings"]
