"""Known mistakes, planted one at a time, that the cluster simulation must find again."""

from collections.abc import Callable

from node.consensus.peer_messages import Append, VoteRequest
from tests.simulated_node import SimulatedNode

Mutant = Callable[[SimulatedNode], None]


def promises_before_sync(node: SimulatedNode) -> None:
    """Votes and acknowledgements leave before the journal is durable."""
    node.guard.outbound.promise = node.guard.outbound.now  # type: ignore[method-assign]


def leader_counts_itself_unsynced(node: SimulatedNode) -> None:
    """The leader's own log counts for a quorum before its sync."""
    count, journal = node.guard.replication.count, node.journal

    def counted() -> None:
        synced, journal.synced_index = journal.synced_index, journal.last_index
        count()
        journal.synced_index = min(synced, journal.last_index)

    node.guard.replication.count = counted  # type: ignore[method-assign]


def vote_is_not_recorded(node: SimulatedNode) -> None:
    """Term and vote live in memory only, and no start finds that its journal has none."""
    if not node.disk_lost:
        node.guard.recovery.active = node.marked_recovering = False

    def save_vote(term: int, vote: int) -> None:
        node.journal.term, node.journal.vote = term, vote

    node.journal.save_vote = save_vote  # type: ignore[method-assign]


def follower_always_truncates(node: SimulatedNode) -> None:
    """Everything behind the previous entry is cut, although it matches."""

    def extend(
        peer: int, message: Append, previous: tuple[int, int], entries: list[tuple[bytes, int, int]]
    ) -> int:
        end = entries[-1][1] if entries else previous[0]
        node.core._SyncObj__raftCommitIndex = min(node.core.commit_index, previous[0])
        node.journal.commit = node.core.commit_index
        node.core.receive_append(peer, message.term, previous, entries, min(message.commit, end))
        return end + 1

    node.guard.matching._extend = extend  # type: ignore[method-assign]


def previous_term_is_not_checked(node: SimulatedNode) -> None:
    """Entries are added behind whatever stands there."""

    def find(previous: int, _term: int) -> int | None:
        return node.journal.last_index + 1 if previous > node.journal.last_index else None

    node.guard.matching._find_mismatch = find  # type: ignore[method-assign]


def commit_exceeds_verified_prefix(node: SimulatedNode) -> None:
    """A heartbeat commits entries that the leader has not confirmed."""
    heartbeat = node.core.receive_heartbeat
    node.commit_said = 0  # type: ignore[attr-defined]
    receive = node.guard.matching.receive

    def remember(peer: int, message: Append) -> tuple[bool, int]:
        node.commit_said = message.commit  # type: ignore[attr-defined]
        return receive(peer, message)

    def lax(peer: int, term: int, _commit: int) -> None:
        heartbeat(peer, term, node.commit_said)  # type: ignore[attr-defined]

    node.guard.matching.receive = remember  # type: ignore[method-assign]
    node.core.receive_heartbeat = lax


def stale_answers_count(node: SimulatedNode) -> None:
    """Answers to a leader of an older term are taken for answers to this one."""
    node.guard._check_follower_term = lambda _term: node.core.is_leader  # type: ignore[method-assign]


def old_terms_commit_by_counting(node: SimulatedNode) -> None:
    """A leader commits entries of older terms because a quorum holds them (figure 8)."""
    replication = node.guard.replication
    count = replication.count

    def lax() -> None:
        count()
        held = [node.journal.synced_index, *(p.match_index for p in node.guard.peers.values())]
        durable = sorted(held, reverse=True)[node.cluster.quorum - 1]
        if durable > node.core.commit_index:
            node.core._SyncObj__raftCommitIndex = durable
            node.journal.commit = durable

    replication.count = lax  # type: ignore[method-assign]


def vote_without_log_check(node: SimulatedNode) -> None:
    """A voter does not ask whether the candidate's log is as long as its own."""
    vote = node.guard.election.receive_vote_request
    pre_vote = node.guard.election.receive_pre_vote_request
    far = 1 << 40

    node.guard.election.receive_vote_request = lambda peer, m: vote(  # type: ignore[method-assign]
        peer, VoteRequest(m.term, far, far)
    )
    node.guard.election.receive_pre_vote_request = lambda peer, m: pre_vote(  # type: ignore[method-assign]
        peer, m._replace(last_index=far, last_term=far)
    )


def quorum_off_by_one(node: SimulatedNode) -> None:
    """One node fewer than a majority commits."""
    node.guard.replication._quorum -= 1


def lost_disk_votes(node: SimulatedNode) -> None:
    """A voter that lost its disk goes on as if it had promised nothing."""
    node.guard.recovery.active = False
    node.marked_recovering = False


def read_without_quorum(node: SimulatedNode) -> None:
    """A leader answers reads without asking whether it still leads."""
    node.guard.read_index = lambda answer: answer(  # type: ignore[method-assign]
        node.core.commit_index if node.core.is_leader else None
    )


def snapshot_chunks_commit(node: SimulatedNode) -> None:
    """An offered snapshot moves the commit index before it is loaded."""
    offer = node.guard.receiver.receive_offer

    def lax(peer: int, message: object) -> None:
        offer(peer, message)  # type: ignore[arg-type]
        end = min(message.last_index, node.journal.last_index)  # type: ignore[attr-defined]
        if end > node.core.commit_index:
            node.core._SyncObj__raftCommitIndex = end
            node.journal.commit = end

    node.guard.receiver.receive_offer = lax  # type: ignore[method-assign]


def installed_snapshot_keeps_conflicting_log(node: SimulatedNode) -> None:
    """The log behind an installed snapshot is kept whatever its term is there."""

    def install(index: int, _term: int) -> None:
        if node.journal.holds(index):
            node.journal.drop_before(index)
        else:
            node.journal.reset(index, _term)
        node.core._SyncObj__raftLastApplied = index
        node.core._SyncObj__raftCommitIndex = max(node.core.commit_index, index)
        node.journal.commit = max(node.journal.commit, index)

    node.core.install = install


MUTANTS: tuple[Mutant, ...] = (
    promises_before_sync,
    leader_counts_itself_unsynced,
    vote_is_not_recorded,
    follower_always_truncates,
    previous_term_is_not_checked,
    commit_exceeds_verified_prefix,
    stale_answers_count,
    old_terms_commit_by_counting,
    vote_without_log_check,
    quorum_off_by_one,
    lost_disk_votes,
    read_without_quorum,
    snapshot_chunks_commit,
    installed_snapshot_keeps_conflicting_log,
)
