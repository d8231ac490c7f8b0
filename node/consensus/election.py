"""Who leads: silence of the leader, pre-votes, votes, check-quorum and handing leadership over."""

from collections.abc import Callable
from random import Random

from node.consensus.outbound import Outbound
from node.consensus.peer_messages import (
    NewerTerm,
    PreVote,
    PreVoteRequest,
    TimeoutNow,
    Vote,
    VoteRequest,
)
from node.consensus.peer_progress import NEVER, Progress
from node.consensus.raft_core import CANDIDATE, RaftCore
from node.consensus.timing import Timing


class Election:
    """Starts and answers elections.

    A node asks first (pre-vote) so that a lonely one raises no term.
    """

    def __init__(
        self,
        core: RaftCore,
        outbound: Outbound,
        peers: dict[int, Progress],
        timing: Timing,
        now: Callable[[], float],
        random: Random,
    ) -> None:
        """Elect for `core` among `peers`."""
        self._core = core
        self._outbound = outbound
        self._peers = peers
        self._timing = timing
        self._now = now
        self._random = random
        self._quorum = (len(peers) + 1) // 2 + 1
        self._contact_at = NEVER
        self._pre_votes: set[int] = set()
        self._pre_term = 0
        self.may_vote: Callable[[], bool] = lambda: True
        self.may_campaign: Callable[[], bool] = lambda: True
        self.may_lead: Callable[[], bool] = lambda: True
        self.transferring_to: int | None = None
        self._transfer_until = NEVER
        self.campaigns = 0
        self.deadline = 0.0
        self._wait()
        core.on_vote_request = self._ask_for_vote
        core.on_vote = self._vote

    def _wait(self) -> None:
        timing = self._timing
        self.deadline = self._now() + self._random.uniform(
            timing.election_least, timing.election_most
        )

    def hear_leader(self) -> None:
        """Take note that the leader of the current term is alive."""
        self._contact_at = self._now()
        self._pre_term = 0
        self._wait()

    def heartbeat(self) -> None:
        """Look at the clock: campaign, or give up leading."""
        now = self._now()
        if self._core.is_leader:
            self._wait()
            self._contact_at = now
            self._check_quorum(now)
        elif now >= self.deadline:
            self._wait()
            if self._core.state == CANDIDATE:
                self._core.step_down()  # Votes that come later than this no longer count.
            if self.may_vote() and self.may_campaign():
                self._ask_for_pre_votes()

    def _check_quorum(self, now: float) -> None:
        least = now - self._timing.election_most
        heard = sum(progress.heard_at > least for progress in self._peers.values())
        if heard + 1 < self._quorum:
            self._core.step_down()
        elif self.transferring_to is not None:
            self._continue_transfer(now)
        elif not self.may_lead() and not self.transfer(None):
            self._core.step_down()

    # Pre-votes.

    def _ask_for_pre_votes(self) -> None:
        journal = self._core.journal
        self._pre_term = self._core.term + 1
        self._pre_votes = set()
        message = PreVoteRequest(self._pre_term, journal.last_index, journal.last_term)
        for progress in self._peers.values():
            if progress.connected:
                self._outbound.promise(progress.peer, message)

    def receive_pre_vote_request(self, peer: int, message: PreVoteRequest) -> None:
        """Say whether `peer` would win our vote: not while we hear a leader."""
        journal = self._core.journal
        fresh = (message.last_term, message.last_index) >= (journal.last_term, journal.last_index)
        silent = self._now() - self._contact_at >= self._timing.election_least
        term = self._core.term
        granted = (
            message.term > term
            and fresh
            and silent
            and self.may_vote()
            and not self._core.is_leader
        )
        self._outbound.promise(peer, PreVote(message.term, granted))
        if message.term <= term:
            self._outbound.promise(peer, NewerTerm(term))

    def receive_pre_vote(self, peer: int, message: PreVote) -> None:
        """Count a pre-vote, and campaign with a quorum of them."""
        if (
            not message.granted
            or message.term != self._pre_term
            or message.term != self._core.term + 1
        ):
            return
        self._pre_votes.add(peer)
        if len(self._pre_votes) + 1 >= self._quorum and self.may_vote() and self.may_campaign():
            self._campaign()

    # Votes.

    def _campaign(self) -> None:
        self._pre_term = 0
        self.campaigns += 1
        self._wait()
        self._core.campaign()

    def _ask_for_vote(self, peer: int) -> None:
        journal = self._core.journal
        message = VoteRequest(self._core.term, journal.last_index, journal.last_term)
        self._outbound.promise(peer, message)

    def receive_vote_request(self, peer: int, message: VoteRequest) -> None:
        """Vote for `peer` if Raft and our own state allow it."""
        term = self._core.term
        if message.term < term:
            self._outbound.promise(peer, NewerTerm(term))
        elif self.may_vote():
            self._core.receive_vote_request(
                peer, message.term, message.last_index, message.last_term
            )
        elif message.term > term:
            self._core.enter_term(message.term)

    def _vote(self, peer: int, term: int) -> None:
        self._wait()
        self._outbound.promise(peer, Vote(term))

    def receive_vote(self, progress: Progress, message: Vote) -> None:
        """Count a vote, once a peer and term."""
        if progress.voted_term < message.term:
            progress.voted_term = message.term
            self._core.receive_vote(progress.peer, message.term)

    # Handing over.

    def transfer(self, peer: int | None) -> bool:
        """Begin to hand leadership to `peer`, or to whoever is furthest.

        Return whether somebody can take it.
        """
        candidates = [
            progress
            for progress in self._peers.values()
            if progress.connected and not progress.recovering and peer in {None, progress.peer}
        ]
        if not self._core.is_leader or not candidates:
            return False
        best = max(candidates, key=lambda progress: (progress.match_index, -progress.peer))
        self.transferring_to = best.peer
        now = self._now()
        self._transfer_until = now + self._timing.election_most
        self._continue_transfer(now)
        return True

    def _continue_transfer(self, now: float) -> None:
        if self.transferring_to is None:
            return
        if now >= self._transfer_until:
            self.transferring_to = None
            return
        progress = self._peers[self.transferring_to]
        if progress.match_index == self._core.journal.last_index:
            self._outbound.now(progress.peer, TimeoutNow(self._core.term))

    def receive_timeout_now(self, peer: int, message: TimeoutNow) -> None:
        """Campaign at once: the leader asks for it."""
        asked = message.term == self._core.term and peer == self._core.leader
        if asked and self.may_vote() and self.may_campaign():
            self._campaign()
