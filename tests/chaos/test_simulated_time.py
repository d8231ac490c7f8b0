"""The invariant of log time: a jump by hours is always seen, lag and small skews never are."""

from types import SimpleNamespace
from typing import Any

import pytest

from chaos.simulation.committed_log import Applied
from chaos.simulation.invariants.consensus import MOST_SKEW_NS, READING_NS, TimeGoesOn
from chaos.simulation.invariants.invariant import ViolationError
from node.consensus.log_group import build_group

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
EPOCH = 1_800_000_000 * SECOND


class Watched:
    """Time that is moved by hand, leaders, and the invariant that looks at their stamps."""

    def __init__(self) -> None:
        self.scheduler = SimpleNamespace(now_ns=SECOND)
        cluster: Any = SimpleNamespace(
            scheduler=self.scheduler, setting=SimpleNamespace(epoch_ns=EPOCH)
        )
        self.invariant = TimeGoesOn(cluster)
        self._applied = 0

    def stamp(self, ahead_ns: int, *, leader: int = 1, term: int = 1) -> None:
        """Have a leader stamp a group so far ahead of the true time."""
        host: Any = SimpleNamespace(
            number=leader, lives=1, node=SimpleNamespace(replica=SimpleNamespace(term=term))
        )
        self.invariant.stamped(host, EPOCH + self.scheduler.now_ns + ahead_ns)

    def apply(self, stamp_ns: int) -> None:
        """Have a group with this stamp applied now."""
        self._applied += 1
        group = build_group([], 0, stamp_ns)
        applied = Applied(self._applied, 1, group, b"", b"", b"", 1, self.scheduler.now_ns)
        host: Any = None
        self.invariant.applied(host, applied, first=True)

    def wait(self, ns: int) -> None:
        """Let time pass."""
        self.scheduler.now_ns += ns


@pytest.mark.parametrize("jump_ns", [24 * HOUR, HOUR, 3 * SECOND, -HOUR])
def test_a_leader_does_not_follow_a_jump_of_its_clock(jump_ns: int) -> None:
    """Neither forward nor back, in the middle of its term."""
    watched = Watched()
    watched.stamp(0)
    watched.wait(SECOND // 10)
    with pytest.raises(ViolationError):
        watched.stamp(jump_ns)


@pytest.mark.parametrize("jump_ns", [24 * HOUR, HOUR, 3 * SECOND])
def test_a_new_leader_does_not_bring_its_own_time(jump_ns: int) -> None:
    """It is looked at when it stamps, however late the group is committed."""
    watched = Watched()
    watched.stamp(0)
    watched.wait(SECOND // 10)
    with pytest.raises(ViolationError, match="ahead of the true time"):
        watched.stamp(jump_ns, leader=2, term=2)


def test_time_does_not_stand_still() -> None:
    """A leader whose log is ahead of its clock goes on from there."""
    watched = Watched()
    watched.stamp(0)
    watched.wait(SECOND)
    with pytest.raises(ViolationError, match="0 ns more while"):
        watched.stamp(-SECOND)


def test_slewing_lag_and_small_skews_are_no_news() -> None:
    """A sixteenth either way, clocks that creep, commits that come late, leaders seconds apart."""
    watched = Watched()
    watched.stamp(0)
    watched.wait(16 * SECOND)
    watched.stamp(SECOND + READING_NS)
    watched.wait(16 * SECOND)
    watched.stamp(0)
    stamped_ns = EPOCH + watched.scheduler.now_ns
    watched.wait(HOUR)
    watched.apply(stamped_ns)
    watched.stamp(MOST_SKEW_NS, leader=2, term=2)
    watched.wait(SECOND)
    watched.stamp(-HOUR, leader=3, term=3)
    watched.wait(SECOND)
    watched.stamp(-HOUR, leader=3, term=3)


def test_the_log_never_goes_back_and_takes_no_time_from_the_future() -> None:
    """Whoever stamped it."""
    watched = Watched()
    watched.apply(EPOCH + SECOND)
    with pytest.raises(ViolationError, match="back in time"):
        watched.apply(EPOCH + SECOND - 1)
    with pytest.raises(ViolationError, match="ahead of the true time"):
        Watched().apply(EPOCH + HOUR)
