"""What an invariant may look at, and when."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster
    from chaos.simulation.committed_log import Applied
    from chaos.simulation.following import Following
    from chaos.simulation.host import Host
    from chaos.simulation.reader_host import Answered


class ViolationError(AssertionError):
    """An invariant does not hold."""

    def __init__(self, invariant: str, what: str) -> None:
        """Say which one, and what was seen instead."""
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant
        self.what = what


OCCASIONS: Final = ("started", "state_changed", "stamped", "applied", "answered", "heard", "ended")
"""When an invariant can look: its methods of these names."""


class Invariant:
    """Looks at one cluster from its start to its end. Override what matters; count what is seen."""

    name = ""

    def __init__(self, cluster: "Cluster") -> None:
        """Watch `cluster`."""
        self.cluster = cluster
        self.checked = 0

    def require(self, holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Raise ViolationError unless `holds`."""
        self.checked += 1
        if not holds:
            raise ViolationError(self.name, what)

    def looks_when(self, occasion: str) -> bool:
        """Tell whether it looks on one of the OCCASIONS."""
        return getattr(type(self), occasion) is not getattr(Invariant, occasion)

    def started(self, host: "Host") -> None:
        """Look at a node that has just been put together from its disk."""

    def state_changed(self, host: "Host", state: int) -> None:
        """Look at a node whose Raft state has changed."""

    def stamped(self, host: "Host", stamp_ns: int) -> None:
        """Look at the stamp of a group that a leader has just made."""

    def applied(self, host: "Host", applied: "Applied", *, first: bool) -> None:
        """Look at a node that has just applied a group; `first` when no other has before."""

    def answered(self, answer: "Answered") -> None:
        """Look at what a reader was answered."""

    def heard(self, following: "Following", frames: bytes) -> None:
        """Look at events that a subscriber has just got."""

    def ended(self) -> None:
        """Look at everything once all faults are over and the cluster has come to rest."""
