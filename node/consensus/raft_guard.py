"""Everything between the core and the wire.

It lets the core see only messages that it cannot mishandle.

No I/O, no clock, no randomness of its own: messages and events in, messages out, so that a
simulator can drive a whole cluster of guards under a virtual clock. Every message with a term is
checked against the current one here; what a quorum means, who may vote and what may be promised is
decided in the parts.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from node.consensus.election import Election
from node.consensus.leader_clock import LeaderClock
from node.consensus.log_matching import LogMatching
from node.consensus.log_replication import LogReplication
from node.consensus.outbound import Outbound
from node.consensus.peer_messages import (
    Append,
    Appended,
    Gossip,
    Message,
    NewerTerm,
    PreVote,
    PreVoteRequest,
    ReadProbe,
    ReadProbed,
    RecoveryAnswer,
    RecoveryQuestion,
    SnapshotChunk,
    SnapshotOffer,
    SnapshotTaken,
    TimeoutNow,
    Vote,
    VoteRequest,
)
from node.consensus.peer_progress import Progress
from node.consensus.raft_core import LEADER, RaftCore
from node.consensus.read_index import Answer, ReadIndex
from node.consensus.recovery_mode import RecoveryMode
from node.consensus.snapshot_transfer import SnapshotPort, SnapshotReceiver, SnapshotSender
from node.consensus.timing import Timing

NO_DIGEST: Final = bytes(32)


class RaftGuard:
    """One replica's side of the protocol.

    Call `heartbeat` regularly and `advance` after anything happened.
    """

    def __init__(
        self,
        core: RaftCore,
        peers: Sequence[int],
        *,
        send: Callable[[int, Message], None],
        port: SnapshotPort,
        timing: Timing,
        now: Callable[[], float],
        random: Random,
        clock: LeaderClock,
        recovering: bool = False,
    ) -> None:
        """Guard `core`; `send` must drop messages to peers that are not connected."""
        self.core = core
        self.journal = core.journal
        self.clock = clock
        self.peers = {peer: Progress(peer) for peer in peers}
        self._timing = timing
        self._now = now
        self.outbound = Outbound(core.journal, send)
        self.replication = LogReplication(core, self.outbound, self.peers, timing, now, clock.stamp)
        self.matching = LogMatching(core, core.journal)
        self.election = Election(core, self.outbound, self.peers, timing, now, random)
        self.reads = ReadIndex(core, self.outbound, self.peers)
        self.sender = SnapshotSender(core, self.outbound, port, timing, now)
        self.receiver = SnapshotReceiver(core, self.outbound, port)
        self.recovery = RecoveryMode(core, self.outbound, timing, now, active=recovering)
        self.digest_at: Callable[[int], bytes | None] = lambda _index: None
        self.on_divergence: Callable[[int, int, bytes, bytes], None] = lambda *_claim: None
        self._claims: dict[int, tuple[int, bytes]] = {}
        self._gossip_at = 0.0
        self.stale_messages = 0
        core.on_state = self._state_changed
        election = self.election
        election.may_vote = lambda: not self.recovery.active
        election.may_campaign = lambda: clock.trusted and not self.receiver.installing
        election.may_lead = lambda: clock.trusted
        self._of_leader: dict[type, Callable[[Progress, Any], None]] = {
            Append: self._receive_append,
            ReadProbe: self._receive_read_probe,
            SnapshotOffer: lambda peer, m: self.receiver.receive_offer(peer.peer, m),
            SnapshotChunk: lambda peer, m: self.receiver.receive_chunk(peer.peer, m),
            TimeoutNow: lambda peer, m: election.receive_timeout_now(peer.peer, m),
        }
        self._to_leader: dict[type, Callable[[Progress, Any], None]] = {
            Appended: self.replication.receive,
            ReadProbed: self.reads.receive_answer,
            SnapshotTaken: self.sender.receive,
        }
        self._others: dict[type, Callable[[Progress, Any], None]] = {
            VoteRequest: lambda peer, m: election.receive_vote_request(peer.peer, m),
            Vote: election.receive_vote,
            PreVoteRequest: lambda peer, m: election.receive_pre_vote_request(peer.peer, m),
            PreVote: lambda peer, m: election.receive_pre_vote(peer.peer, m),
            NewerTerm: lambda _peer, m: self._see_term(m.term),
            Gossip: self._receive_gossip,
            RecoveryQuestion: self._receive_recovery_question,
            RecoveryAnswer: lambda _peer, m: self.recovery.receive_answer(m),
        }

    # Connections.

    def connect(self, peer: int) -> None:
        """Take note of a new connection to `peer`; what was on its way on an older one is lost."""
        progress = self.peers[peer]
        if progress.connected:
            self.disconnect(peer)
        progress.connect()
        self.core.connect(peer)

    def disconnect(self, peer: int) -> None:
        """Take note that the connection to `peer` is gone."""
        progress = self.peers[peer]
        if not progress.connected:
            return
        self.sender.cancel(progress)
        self.receiver.disconnect(peer)
        self.outbound.forget(peer)
        progress.disconnect()
        self.core.disconnect(peer)

    # Messages.

    def receive(self, peer: int, message: Message) -> None:
        """Take a message from a connected peer."""
        progress = self.peers[peer]
        kind = type(message)
        handle = self._of_leader.get(kind)
        if handle is not None:
            if self._check_leader_term(peer, message.term):  # type: ignore[union-attr]
                handle(progress, message)
            return
        handle = self._to_leader.get(kind)
        if handle is not None:
            if self._check_follower_term(message.term):  # type: ignore[union-attr]
                handle(progress, message)
            return
        self._others[kind](progress, message)

    def _check_leader_term(self, peer: int, term: int) -> bool:
        """Tell whether a message of a leader is of the current or a newer term."""
        current = self.core.term
        if term < current:
            self.stale_messages += 1
            self.outbound.promise(peer, NewerTerm(current))
            return False
        assert not (term == current and self.core.is_leader), (
            f"nodes {peer} and this both lead term {term}"
        )
        return True

    def _check_follower_term(self, term: int) -> bool:
        """Tell whether an answer is to this node as the leader of the current term."""
        self._see_term(term)
        if term != self.core.term or not self.core.is_leader:
            self.stale_messages += 1
            return False
        return True

    def _see_term(self, term: int) -> None:
        if term > self.core.term:
            self.core.enter_term(term)

    def _receive_append(self, progress: Progress, message: Append) -> None:
        self.election.hear_leader()
        self.clock.hear_leader(message.stamp_ns)
        if self.receiver.installing:
            # The log is about to be replaced: say only that we live.
            self.core.receive_heartbeat(progress.peer, message.term, 0)
            accepted, wanted = True, 1
        else:
            accepted, wanted = self.matching.receive(progress.peer, message)
        answer = Appended(message.term, message.probe, wanted, accepted, self.recovery.active)
        if message.entries:
            self.outbound.promise(progress.peer, answer)
        else:
            # A heartbeat is answered at once, for what is durable: a slow disk is no dead node.
            # Only the first of a term waits, until that term is durable.
            durable = min(wanted, self.journal.synced_index + 1) if accepted else wanted
            self.outbound.in_term(progress.peer, answer._replace(next_index=max(1, durable)))

    def _receive_read_probe(self, progress: Progress, message: ReadProbe) -> None:
        if message.term == self.core.term and not self.recovery.active:
            self.reads.receive_probe(progress.peer, message)

    def _receive_recovery_question(self, progress: Progress, message: RecoveryQuestion) -> None:
        progress.recovering = True
        if not self.core.is_leader:
            return
        term = self.core.term

        def answer(index: int | None) -> None:
            if index is not None:
                self.outbound.now(progress.peer, RecoveryAnswer(term, message.nonce, index))

        self.reads.ask(answer)

    # Roles.

    def _state_changed(self, state: int) -> None:
        self.election.transferring_to = None
        if state == LEADER:
            self.replication.start_term()
            return
        self.reads.fail()
        for progress in self.peers.values():
            self.sender.cancel(progress)

    # Time.

    def heartbeat(self) -> None:
        """Look at the clock: call it at least twice a heartbeat."""
        self.election.heartbeat()
        self.recovery.heartbeat()
        if self.core.is_leader:
            for progress in self.peers.values():
                self.sender.heartbeat(progress)
        now = self._now()
        if now >= self._gossip_at:
            self._gossip_at = now + self._timing.gossip
            self._gossip()

    def flushed(self) -> None:
        """Take note that the journal made more durable."""
        self.outbound.release()
        if self.core.is_leader:
            self.replication.count()

    def advance(self) -> None:
        """Move the commit index, send what there is to send, and release what may be said."""
        self.core.doTick(0)
        if self.core.is_leader:
            for progress in self.peers.values():
                if progress.connected and self.replication.behind_base(progress):
                    self.sender.start(progress)
                self.replication.send(progress)
        self.reads.start_round()
        self.outbound.release()

    # Reads and compaction.

    def read_index(self, answer: Answer) -> None:
        """Call `answer` with an index that covers everything acknowledged so far, or with None."""
        self.reads.ask(answer)

    def drop_before(self, index: int) -> None:
        """Let the journal go up to `index`.

        What peers still need stays, and a margin for slow ones.
        """
        journal, timing = self.journal, self._timing
        keep = index
        if journal.bytes < timing.hold_bytes:
            holds = (progress.hold_index for progress in self.peers.values())
            keep = min([index, *(hold for hold in holds if hold is not None)])
        margin = timing.margin_bytes
        at = keep - journal.base_index
        while at > 0 and margin > 0:
            margin -= len(journal.entries[at][0])
            at -= 1
        journal.drop_before(journal.base_index + max(0, at))

    # Digests.

    def _gossip(self) -> None:
        applied = self.core.applied_index
        digest = self.digest_at(applied) or NO_DIGEST
        message = Gossip(self.clock.wall_ns(), applied, digest)
        for progress in self.peers.values():
            if progress.connected:
                self.outbound.now(progress.peer, message)
        self._check_claims()

    def _receive_gossip(self, progress: Progress, message: Gossip) -> None:
        self.clock.hear_peer(progress.peer, message.clock_ns)
        if message.digest != NO_DIGEST:
            self._claims.setdefault(progress.peer, (message.applied, message.digest))
            self._check_claims()

    def _check_claims(self) -> None:
        """Compare what peers claimed with our own digests, once we are where they were."""
        applied = self.core.applied_index
        for peer, (index, digest) in list(self._claims.items()):
            if index > applied:
                continue
            del self._claims[peer]
            ours = self.digest_at(index)
            if ours is not None and ours != digest:
                self.on_divergence(peer, index, ours, digest)
