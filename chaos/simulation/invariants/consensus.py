"""Invariants of the log: one leader a term, one log, nothing goes back or is only promised."""

from typing import TYPE_CHECKING, Final

from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.consensus.log_group import group_stamp_ns
from node.consensus.raft_core import LEADER

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

MOST_SKEW_NS: Final = 2_200_000_000
"""Faults set any number of clocks wrong by up to two seconds: that far the median may be off."""
READING_NS: Final = 20_000_000
"""How far a node's steady clock may creep ahead of the true time by being read and preempted."""
_SLEW_SHIFT: Final = 4
"""A leader may gain or lose a sixteenth of the time that passes (`LeaderClock`)."""


class OneLeaderATerm(Invariant):
    """At most one node leads in a term."""

    name = "one leader a term"

    def state_changed(self, host: Host, state: int) -> None:
        """Note who leads."""
        if state != LEADER or host.node is None:
            return
        term = host.node.replica.term
        known = self.cluster.leaders.setdefault(term, host.number)
        self.require(known == host.number, f"nodes {known} and {host.number} lead term {term}")


class LeadersKnowAll(Invariant):
    """Whoever wins an election has everything in its log that was ever applied anywhere."""

    name = "leaders know all"

    def state_changed(self, host: Host, state: int) -> None:
        """Look at the newest group applied: the log before it is the same by its rules."""
        newest = self.cluster.log.by_index.get(self.cluster.log.last_index)
        if state != LEADER or host.node is None or newest is None:
            return
        journal = host.node.replica.journal
        self.require(
            newest.index < journal.base_index
            or (journal.holds(newest.index) and journal.term_at(newest.index) == newest.term),
            f"node {host.number} leads term {journal.term} without entry {newest.index} of term "
            f"{newest.term}, which node {newest.by} has applied",
        )


class OneLog(Invariant):
    """Every replica applies the same group at an index and comes to the same digest."""

    name = "one log"

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Compare with who applied it first."""
        if first:
            return
        known = self.cluster.log.by_index[applied.index]
        self.require(
            known.group == applied.group,
            f"nodes {known.by} and {host.number} applied different groups at {applied.index}",
        )
        self.require(
            known.digest == applied.digest and known.replies == applied.replies,
            f"nodes {known.by} and {host.number} came to different digests at {applied.index}",
        )


class TimeGoesOn(Invariant):
    """Stamps never go back, and no clock that errs carries them away.

    Within a term, a leader's stamps move by what passes, a sixteenth more or less, and by
    `READING_NS`, whatever its wall clock does. Across leaders and restarts no stamp is ever ahead
    of the true time by more than `MOST_SKEW_NS`: faults set one clock at most wrong by more. It is
    looked at when the stamp is made: what is committed late has had time to come true.
    """

    name = "time goes on"

    def __init__(self, cluster: "Cluster") -> None:
        """Start at the beginning of time."""
        super().__init__(cluster)
        self._last_ns = 0
        self._made: dict[tuple[int, int, int], tuple[int, int]] = {}

    def stamped(self, host: Host, stamp_ns: int) -> None:
        """Compare with the stamp that the same leader made before: no clock carries it away."""
        assert host.node is not None
        led = (host.number, host.lives, host.node.replica.term)
        now_ns = self.cluster.scheduler.now_ns
        self._look_ahead(stamp_ns, now_ns, f"node {host.number} stamps a group")
        before = self._made.get(led)
        self._made[led] = (now_ns, stamp_ns)
        if before is None:
            return
        passed_ns, step_ns = now_ns - before[0], stamp_ns - before[1]
        slack_ns = (passed_ns >> _SLEW_SHIFT) + READING_NS
        self.require(
            max(0, passed_ns - slack_ns) <= step_ns <= passed_ns + slack_ns,
            f"node {host.number} stamps {step_ns} ns more while {passed_ns} ns pass",
        )

    def _look_ahead(self, stamp_ns: int, now_ns: int, what: str) -> None:
        ahead_ns = stamp_ns - (self.cluster.setting.epoch_ns + now_ns)
        self.require(ahead_ns <= MOST_SKEW_NS, f"{what} {ahead_ns} ns ahead of the true time")

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Compare with the stamp before, and with the true time."""
        del host
        if not first:
            return
        stamp_ns = group_stamp_ns(applied.group)
        step_ns = stamp_ns - self._last_ns
        self._last_ns = stamp_ns
        self.require(step_ns >= 0, f"entry {applied.index} goes back in time")
        self._look_ahead(stamp_ns, applied.at_ns, f"entry {applied.index} is applied")


class CommitNeverGoesBack(Invariant):
    """Within one life of a node, its commit and applied indexes only grow."""

    name = "commit never goes back"

    def __init__(self, cluster: "Cluster") -> None:
        """Know of no life yet."""
        super().__init__(cluster)
        self._seen: dict[tuple[int, int], tuple[int, int]] = {}

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Compare with what this life had reached."""
        del first
        if host.node is None:
            return
        commit = host.node.replica.commit_index
        life = (host.number, host.lives)
        before = self._seen.get(life, (0, 0))
        self._seen[life] = (commit, applied.index)
        self.require(
            commit >= before[0] and applied.index > before[1] and commit >= applied.index,
            f"node {host.number} went from {before} to {(commit, applied.index)}",
        )


class DurableOnAQuorum(Invariant):
    """What is applied anywhere, and so what is acknowledged, is on the disks of a quorum then."""

    name = "durable on a quorum"

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Look at every disk."""
        if not first:
            return
        cluster = self.cluster
        holders = [
            other.number
            for other in cluster.hosts.values()
            if other.holds(applied.index, applied.term)
        ]
        self.require(
            len(holders) > len(cluster.hosts) // 2,
            f"node {host.number} applied {applied.index}, durable only on {holders}",
        )
