"""Versions of the client protocol: what this node speaks, and what a client picks from that."""

from typing import Final

PROTOCOL_VERSION: Final = 1
OLDEST_PROTOCOL_VERSION: Final = 1


def is_spoken(version: int) -> bool:
    """Tell whether this code speaks `version`."""
    return OLDEST_PROTOCOL_VERSION <= version <= PROTOCOL_VERSION


def choose_version(oldest: int, newest: int) -> int:
    """Return the newest version that both this code and a peer of `oldest..newest` speak.

    0 if none.
    """
    candidate = min(newest, PROTOCOL_VERSION)
    return candidate if candidate >= max(oldest, OLDEST_PROTOCOL_VERSION) else 0
