"""What a client hears of a failover: nothing, between one connection and the next."""

from collections.abc import Collection
from typing import NamedTuple


class Silence(NamedTuple):
    """From the last reply on one connection of a session to the first on its next one."""

    from_ns: int
    until_ns: int

    @property
    def ms(self) -> float:
        """Return how long it was."""
        return (self.until_ns - self.from_ns) / 1e6


def of_all(silences: Collection[Silence]) -> Silence:
    """Return the cluster's silence: from anybody's last old reply to anybody's first new one."""
    return Silence(max(one.from_ns for one in silences), min(one.until_ns for one in silences))
