"""Configuration of one node: typed, frozen, read from TOML once.

Nothing that replicas must agree on.
"""

from config.loading import ConfigError, load_node, load_profile, profile_names
from config.schema import Endpoint, Member, NodeConfig, Profile

__all__ = [
    "ConfigError",
    "Endpoint",
    "Member",
    "NodeConfig",
    "Profile",
    "load_node",
    "load_profile",
    "profile_names",
]
