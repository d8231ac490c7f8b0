"""The follower's side of replication, as the Raft paper has it.

Nothing that matches is ever cut.
"""

from node.consensus.errors import LogContradictionError
from node.consensus.journal import Journal
from node.consensus.journal_recovery import Entry
from node.consensus.peer_messages import Append
from node.consensus.raft_core import RaftCore


class LogMatching:
    """Brings the log in line with the leader's, and says from where to go on."""

    def __init__(self, core: RaftCore, journal: Journal) -> None:
        """Work on `core` and its `journal`."""
        self._core = core
        self._journal = journal
        self.duplicates = 0

    def receive(self, peer: int, message: Append) -> tuple[bool, int]:
        """Take entries of the current leader; return whether they fit and the next index wanted.

        Raises LogContradictionError when the leader contradicts what is committed: one of us is
        broken, and repairing would lose acknowledged commands.
        """
        journal = self._journal
        previous, previous_term, entries = (
            message.previous_index,
            message.previous_term,
            message.entries,
        )
        base = journal.base_index
        if previous < base:
            # Up to our base everything is committed, hence equal on both sides.
            end = entries[-1][1] if entries else previous
            if end <= base:
                self._core.receive_heartbeat(peer, message.term, min(message.commit, end))
                return True, end + 1
            entries = entries[base - previous :]
            previous, previous_term = base, journal.term_at(base)
        wanted = self._find_mismatch(previous, previous_term)
        if wanted is not None:
            self._core.receive_heartbeat(peer, message.term, 0)
            return False, wanted
        return True, self._extend(peer, message, (previous, previous_term), entries)

    def _find_mismatch(self, previous: int, previous_term: int) -> int | None:
        """Return None if our log holds (previous, term), else from where the leader should send."""
        journal = self._journal
        if previous > journal.last_index:
            return journal.last_index + 1
        ours = journal.term_at(previous)
        if ours == previous_term:
            return None
        commit = self._core.commit_index
        if previous <= commit:
            raise LogContradictionError(
                f"the leader has term {previous_term} at committed entry {previous}, we have {ours}"
            )
        while previous - 1 > commit and journal.term_at(previous - 1) == ours:
            previous -= 1
        return previous

    def _extend(
        self, peer: int, message: Append, previous: tuple[int, int], entries: list[Entry]
    ) -> int:
        """Add what is new behind `previous`, cut only what conflicts; return the next index."""
        journal = self._journal
        known = 0
        for _payload, index, term in entries:
            if index > journal.last_index or journal.term_at(index) != term:
                break
            previous = (index, term)
            known += 1
        self.duplicates += known
        entries = entries[known:]
        if not entries:
            self._core.receive_heartbeat(peer, message.term, min(message.commit, previous[0]))
            return previous[0] + 1
        if previous[0] < journal.last_index and previous[0] < self._core.commit_index:
            raise LogContradictionError(
                f"the leader replaces entry {previous[0] + 1}, "
                f"committed up to {self._core.commit_index}"
            )
        end = entries[-1][1]
        self._core.receive_append(peer, message.term, previous, entries, min(message.commit, end))
        return end + 1
