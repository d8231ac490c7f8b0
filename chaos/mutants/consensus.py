"""Planted bugs of the log: elections, matching, promises, snapshot transfers."""

from typing import Final

from chaos.mutants.mutant import Mutant

_TAILS: Final = ("--faults", "isolate-leader,bounce,kill-leader,restart,reset")
"""Leaders that are cut off with entries that only they have, and come back."""
_CLOCKS: Final = (
    "--faults",
    "clock-skew,kill-leader,bounce,power-loss-everywhere,restart,isolate-leader",
)
"""Leaders that have just started, and clocks that are hours off."""

CONSENSUS: Final = (
    Mutant(
        "promises-before-sync",
        "votes and acknowledgements leave before the journal is durable",
        "node/consensus/outbound.py",
        "        self._waiting.append((self._journal.position, peer, message))",
        "        self.now(peer, message)",
    ),
    Mutant(
        "leader-counts-itself-unsynced",
        "the leader's own log counts toward the quorum before its sync",
        "node/consensus/log_replication.py",
        "        matches = [self._journal.synced_index]",
        "        matches = [self._journal.last_index]",
    ),
    Mutant(
        "quorum-off-by-one",
        "one node fewer than a majority commits",
        "node/consensus/log_replication.py",
        "        self._quorum = (len(peers) + 1) // 2 + 1",
        "        self._quorum = (len(peers) + 1) // 2",
    ),
    Mutant(
        "vote-not-durable",
        "term and vote live in memory only",
        "node/consensus/journal.py",
        "        self._record(Record(VOTE, vote, term))\n        self._vote_position = self.position",
        "        self._vote_position = 0",
    ),
    Mutant(
        "vote-without-log-check",
        "a voter does not ask whether the candidate's log is as long as its own",
        "node/consensus/election.py",
        "                peer, message.term, message.last_index, message.last_term\n",
        "                peer, message.term, 1 << 40, 1 << 40\n",
    ),
    Mutant(
        "follower-always-truncates",
        "everything behind the previous entry is cut, although it matches",
        "node/consensus/log_matching.py",
        "            if index > journal.last_index or journal.term_at(index) != term:\n"
        "                break\n",
        "            if True:\n                break\n",
        guards_off=True,
    ),
    Mutant(
        "previous-term-not-checked",
        "entries are added behind whatever stands there",
        "node/consensus/log_matching.py",
        "        if ours == previous_term:\n            return None\n",
        "        return None\n",
        options=_TAILS,
    ),
    Mutant(
        "commit-beyond-verified-prefix",
        "a heartbeat commits entries that the leader has not confirmed",
        "node/consensus/log_matching.py",
        "            self._core.receive_heartbeat(peer, message.term, 0)\n            return False, wanted\n",
        "            self._core.receive_heartbeat(\n"
        "                peer, message.term, min(message.commit, journal.last_index)\n"
        "            )\n            return False, wanted\n",
        options=_TAILS,
    ),
    Mutant(
        "snapshot-chunks-commit",
        "an offered snapshot moves the commit index over a log that it did not verify",
        "node/consensus/snapshot_transfer.py",
        "    def receive_offer(self, peer: int, message: SnapshotOffer) -> None:\n",
        "    def receive_offer(self, peer: int, message: SnapshotOffer) -> None:\n"
        "        end = min(message.last_index, self._core.journal.last_index)\n"
        "        if end > self._core.commit_index:\n"
        "            self._core._SyncObj__raftCommitIndex = end\n"
        "            self._core.journal.commit = end\n"
        "        self._really_receive_offer(peer, message)\n\n"
        "    def _really_receive_offer(self, peer: int, message: SnapshotOffer) -> None:\n",
        options=_TAILS,
        guards_off=True,
    ),
    Mutant(
        "snapshot-keeps-conflicting-log",
        "the log behind an installed snapshot is kept whatever its term is there",
        "node/consensus/raft_core.py",
        "        if journal.holds(index) and journal.term_at(index) == term:\n",
        "        if journal.holds(index):\n",
        options=_TAILS,
    ),
    Mutant(
        "lost-disk-votes",
        "a node that lost its disk votes as if it had promised nothing",
        "node/consensus/raft_guard.py",
        "        election.may_vote = lambda: not self.recovery.active\n",
        "        self.recovery.active = False\n",
    ),
    Mutant(
        "clock-jump-of-a-leader",
        "the leader stamps groups with its own wall clock",
        "node/consensus/leader_clock.py",
        "            value = steady + max(-slew, min(slew, target - steady))\n",
        "            value = self._wall_ns()\n",
        options=("--faults", "clock-skew,kill-leader,restart"),
    ),
    Mutant(
        "stamp-without-floor",
        "a new leader does not know the stamps in the log",
        "node/consensus/leader_clock.py",
        "        self._floor = max(self._floor, value)\n        self._stamp = self._floor\n"
        "        self._stamp_at = now\n        return self._floor\n",
        "        self._stamp = value\n        self._stamp_at = now\n        return value\n",
        options=_CLOCKS,
    ),
    Mutant(
        "mean-of-two-clocks",
        "a leader that hears one other clock starts half way between the two",
        "node/consensus/leader_clock.py",
        "        return clocks[(len(clocks) - 1) // 2]\n",
        "        return (clocks[(len(clocks) - 1) // 2] + clocks[len(clocks) // 2]) // 2\n",
        options=_CLOCKS,
    ),
    Mutant(
        "leads-by-its-own-clock",
        "a new process leads by its own clock before it has heard another",
        "node/consensus/leader_clock.py",
        "        if not self._anchored and len(",
        "        if False and len(",
        options=_CLOCKS,
    ),
    Mutant(
        "time-stands-still",
        "behind a log that is ahead, time waits for the clocks",
        "node/consensus/leader_clock.py",
        "        self._stamp = self._floor\n        self._stamp_at = now\n",
        "        self._stamp = value\n        self._stamp_at = now\n",
        options=_CLOCKS,
    ),
    Mutant(
        "recovering-node-counts",
        "a node that lost its disk counts toward the quorum",
        "node/consensus/log_replication.py",
        "        if message.recovering:\n            progress.match_index = 0\n",
        "        if message.recovering:\n            progress.match_index = self._journal.last_index\n",
    ),
    Mutant(
        "applied-before-it-is-committed",
        "a node executes what its own log holds",
        "node/consensus/raft_core.py",
        "        while self.raftLastApplied < self.raftCommitIndex:\n",
        "        while self.raftLastApplied < journal.last_index:\n",
    ),
    Mutant(
        "old-terms-commit-by-counting",
        "a leader commits entries of older terms because a quorum holds them (figure 8)",
        "node/consensus/log_replication.py",
        "        durable = sorted(matches, reverse=True)[self._quorum - 1]\n",
        "        durable = sorted(matches, reverse=True)[self._quorum - 1]\n"
        "        if durable > self._core.commit_index:\n"
        "            self._core._SyncObj__raftCommitIndex = durable\n"
        "            self._journal.commit = durable\n",
        options=(
            "--nodes",
            "5",
            "--faults",
            "kill-leader,isolate-leader,bounce,restart,flap,reset",
        ),
    ),
)
