"""A voter that lost its disk, until it holds again everything it may have promised."""

from collections.abc import Callable

from node.consensus.outbound import Outbound
from node.consensus.peer_messages import RecoveryAnswer, RecoveryQuestion
from node.consensus.raft_core import RaftCore
from node.consensus.timing import Timing


class RecoveryMode:
    """Keeps this node from voting, campaigning and counting until it has caught up.

    It asks the leader for a mark: the commit index after a quorum *without this node* confirmed the
    leader. When the log holds everything up to the mark durably, nothing acknowledged by the lost
    disk is missing. It asks only after every campaign that might hold a vote of the lost disk is
    over.
    """

    def __init__(
        self,
        core: RaftCore,
        outbound: Outbound,
        timing: Timing,
        now: Callable[[], float],
        *,
        active: bool,
    ) -> None:
        """Start recovering if `active`."""
        self.active = active
        self.on_recovered: Callable[[], None] = lambda: None
        self._core = core
        self._outbound = outbound
        self._timing = timing
        self._now = now
        self._ask_at = now() + 2 * timing.election_most
        self._nonce = 0
        self._mark: tuple[int, int] | None = None

    def heartbeat(self) -> None:
        """Ask the leader for a mark, and see whether it is reached."""
        if not self.active:
            return
        core = self._core
        mark = self._mark
        if mark is not None and mark[0] == core.term:
            if core.commit_index >= mark[1] and core.journal.synced_index >= mark[1]:
                self.active = False
                self.on_recovered()
            return
        now = self._now()
        if now >= self._ask_at and core.leader is not None:
            self._ask_at = now + self._timing.election_most
            self._nonce += 1
            self._outbound.now(core.leader, RecoveryQuestion(self._nonce))

    def receive_answer(self, message: RecoveryAnswer) -> None:
        """Take the mark from the leader of the current term."""
        if message.nonce == self._nonce and message.term == self._core.term:
            self._mark = (message.term, message.commit)
