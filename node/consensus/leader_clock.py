"""The time that a leader stamps on groups: steady, and drawn slowly toward the quorum's clocks."""

from collections.abc import Callable
from typing import Final

OFF_LIMIT_NS: Final = 500_000_000
"""A clock further than this from the median of the quorum's does not lead."""
SLEW_SHIFT: Final = 4
"""The stamp gains or loses at most a sixteenth of the time that passes."""
FRESH_NS: Final = 2_000_000_000
"""A peer's clock counts for this long after it was heard."""


class LeaderClock:
    """Issues stamps that never go back and never jump while the process lives.

    A stamp is the last one plus monotonic time elapsed, slewed toward the median wall clock of the
    nodes heard from. A follower takes over the leader's stamp from every message; only a process
    that never heard a leader starts from the median, and only once it has heard a quorum's clocks.
    A jump of any wall clock therefore moves time by a sixteenth of what passes. Where the log is
    ahead of all that, time goes on from the log's last stamp.
    """

    def __init__(
        self, wall_ns: Callable[[], int], monotonic_ns: Callable[[], int], nodes: int
    ) -> None:
        """Read this node's clocks through the two callables; the cluster has `nodes` nodes."""
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._quorum = nodes // 2 + 1
        self._heard: dict[int, tuple[int, int]] = {}
        self._stamp = 0
        self._stamp_at = monotonic_ns()
        self._anchored = False
        self._floor = 0

    def wall_ns(self) -> int:
        """Return this node's wall clock, as told to peers."""
        return self._wall_ns()

    def hear_peer(self, peer: int, wall_ns: int) -> None:
        """Take note of what a peer's wall clock shows now."""
        now = self._monotonic_ns()
        self._heard[peer] = (wall_ns - now, now)

    def hear_leader(self, stamp_ns: int) -> None:
        """Take over the leader's stamp."""
        self._stamp = stamp_ns
        self._stamp_at = self._monotonic_ns()
        self._anchored = True

    def not_before(self, stamp_ns: int) -> None:
        """Never issue a stamp below `stamp_ns`, which a group of the log carries."""
        self._floor = max(self._floor, stamp_ns)

    def stamp(self) -> int:
        """Return the stamp for a group made now, in ns since 1970.

        Never below any issued before.
        """
        now = self._monotonic_ns()
        target = self._median(now)
        if self._anchored:
            elapsed = now - self._stamp_at
            slew = elapsed >> SLEW_SHIFT
            steady = self._stamp + elapsed
            value = steady + max(-slew, min(slew, target - steady))
        else:
            value = target
            self._anchored = True
        self._floor = max(self._floor, value)
        self._stamp = self._floor
        self._stamp_at = now
        return self._floor

    def _clocks(self, now: int) -> list[int]:
        clocks = [self._wall_ns()]
        clocks.extend(offset + now for offset, at in self._heard.values() if now - at <= FRESH_NS)
        clocks.sort()
        return clocks

    def _median(self, now: int) -> int:
        """Return the middle clock; of two in the middle the earlier.

        One of them may be wrong by hours. A time that is too early is made good by the log's last
        stamp; one that is too late would stay in the log for good.
        """
        clocks = self._clocks(now)
        return clocks[(len(clocks) - 1) // 2]

    @property
    def offset_ns(self) -> int:
        """How far this node's clock is ahead of the nearest middle of the clocks heard.

        0 without a quorum.

        Of two clocks that disagree nobody can say which is wrong, so neither is.
        """
        clocks = self._clocks(self._monotonic_ns())
        if len(clocks) < self._quorum:
            return 0
        ours = self._wall_ns()
        low, high = clocks[(len(clocks) - 1) // 2], clocks[len(clocks) // 2]
        if ours > high:
            return ours - high
        return min(0, ours - low)

    @property
    def trusted(self) -> bool:
        """Whether this node's clock agrees with the quorum's well enough to lead.

        Who knows neither a leader's time nor the clocks of a quorum has only its own to go by, and
        does not lead.
        """
        if not self._anchored and len(self._clocks(self._monotonic_ns())) < self._quorum:
            return False
        return abs(self.offset_ns) <= OFF_LIMIT_NS
