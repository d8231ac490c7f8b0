"""Invariants of the log: one leader a term, one log, nothing goes back or is only promised."""

from typing import TYPE_CHECKING

from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.consensus.log_group import group_stamp_ns
from node.consensus.raft_core import LEADER

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

MOST_SKEW_NS = 2_200_000_000
"""The fastest clock that a fault sets is two seconds ahead."""
MOST_DELAY_NS = 1_000_000_000
"""From a group's stamp to its first application, while one leader lasts."""


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
    """Stamps never go back, and no clock that errs carries them away."""

    name = "time goes on"

    def __init__(self, cluster: "Cluster") -> None:
        """Start at the beginning of time."""
        super().__init__(cluster)
        self._last_ns = 0
        self._last_term = 0
        self._last_applied_ns = 0

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Compare with the stamp before and with the true time."""
        if not first:
            return
        stamp_ns = group_stamp_ns(applied.group)
        step_ns = stamp_ns - self._last_ns
        passed_ns = applied.at_ns - self._last_applied_ns
        same_term = applied.term == self._last_term
        self._last_ns, self._last_term = stamp_ns, applied.term
        self._last_applied_ns = applied.at_ns
        self.require(step_ns >= 0, f"entry {applied.index} goes back in time")
        self.require(
            not same_term or step_ns <= passed_ns + passed_ns // 16 + MOST_DELAY_NS,
            f"entry {applied.index} is stamped {step_ns} ns later, {passed_ns} ns have passed",
        )
        ahead_ns = stamp_ns - (self.cluster.setting.epoch_ns + applied.at_ns)
        self.require(
            ahead_ns <= MOST_SKEW_NS,
            f"node {host.number} applied entry {applied.index}, stamped {ahead_ns} ns ahead",
        )


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
