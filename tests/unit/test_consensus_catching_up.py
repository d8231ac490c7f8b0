"""The guard while peers are brought up: lost disks, snapshots, what the journal keeps, digests."""

from node.consensus.peer_messages import (
    TAKING,
    UNWANTED,
    Append,
    Appended,
    Gossip,
    RecoveryAnswer,
    RecoveryQuestion,
    SnapshotChunk,
    SnapshotOffer,
    SnapshotTaken,
    Vote,
    VoteRequest,
)
from node.consensus.timing import Timing
from tests.lone_guard import GROUP, LoneGuard, accepted, append, entries


def test_a_voter_that_lost_its_disk_does_not_vote_until_it_caught_up() -> None:
    """It answers as recovering, asks the leader for a mark, and votes again behind it."""
    lone = LoneGuard(recovering=True)
    lone.guard.receive(3, VoteRequest(5, 9, 4))
    lone.sync()
    assert lone.core.term == 5
    assert not lone.take(Vote)

    lone.guard.receive(2, append(5, 1, 0, entries(2, 5)))
    lone.sync()
    assert lone.take(Appended)[-1][1].recovering
    lone.wait(0.7)
    nonce = lone.take(RecoveryQuestion)[0][1].nonce
    lone.guard.receive(2, RecoveryAnswer(5, nonce, 2))
    lone.wait(0.1)
    assert lone.guard.recovery.active, "entry 2 is not committed here yet"

    lone.guard.receive(2, append(5, 2, 5, [], commit=2))
    lone.sync()
    lone.wait(0.1)
    assert not lone.guard.recovery.active
    lone.guard.receive(3, VoteRequest(6, 9, 5))
    lone.sync()
    assert lone.take(Vote) == [(3, Vote(6))]


def test_a_recovering_follower_counts_for_no_quorum() -> None:
    """It may have promised something else before it lost its disk."""
    lone = LoneGuard()
    lone.lead()
    lone.sync()
    index = lone.core.propose(GROUP)
    lone.sync()

    lone.guard.receive(2, accepted(lone, 2, index)._replace(recovering=True))
    lone.sync()

    assert lone.core.commit_index < index


def test_snapshot_chunks_come_in_order_or_not_at_all() -> None:
    """A gap ends the transfer, and no chunk ever moves the commit index."""
    lone = LoneGuard()
    lone.guard.receive(2, append(1, 1, 0, entries(2, 1)))
    lone.sync()
    lone.guard.receive(2, SnapshotOffer(1, 7, 50, 20, bytes(32)))
    lone.guard.receive(2, SnapshotChunk(1, 7, 0, b"x" * 8))
    lone.guard.receive(2, SnapshotChunk(1, 7, 9, b"x" * 8))

    states = [(answer.offset, answer.state) for _peer, answer in lone.take(SnapshotTaken)]
    assert states == [(8, TAKING), (2, UNWANTED)]
    assert lone.core.commit_index == 1


def test_different_digests_at_one_index_are_reported() -> None:
    """Each replica compares its digests with its peers', once it is where they were."""
    lone = LoneGuard()
    lone.guard.digest_at = lambda index: bytes([index]) * 32
    found: list[tuple[int, int]] = []
    lone.guard.on_divergence = lambda peer, index, _ours, _theirs: found.append((peer, index))

    lone.guard.receive(2, Gossip(0, 1, b"\x01" * 32))
    lone.guard.receive(3, Gossip(0, 2, b"\x09" * 32))
    assert not found
    lone.guard.receive(2, append(1, 1, 0, entries(2, 1), commit=2))
    lone.sync()
    lone.wait(0.2)

    assert found == [(3, 2)]


def test_the_journal_keeps_a_margin_and_what_a_peer_being_brought_up_needs() -> None:
    """Entries go behind a snapshot only when nobody is about to ask for them."""
    lone = LoneGuard(timing=Timing(margin_bytes=3 * len(GROUP), hold_bytes=200))
    lone.guard.receive(2, append(1, 1, 0, entries(2, *[1] * 20), commit=21))
    lone.sync()
    lone.guard.drop_before(15)
    assert lone.journal.base_index == 12

    lone.guard.peers[3].hold_index = 14
    lone.guard.drop_before(20)
    assert lone.journal.base_index == 12
    lone.guard.receive(2, append(1, 21, 1, entries(22, *[1] * 30), commit=51))
    lone.guard.drop_before(20)
    assert lone.journal.base_index == 17, "too much is held: the peer starts over"


def test_a_peer_without_progress_is_sent_everything_again() -> None:
    """Whatever was lost on the way is repaired without a new connection."""
    lone = LoneGuard()
    lone.lead()
    lone.sync()
    lone.take(Append)
    lone.guard.receive(2, accepted(lone, 2, lone.journal.last_index))
    lone.core.propose(GROUP)
    lone.sync()
    assert any(message.entries for peer, message in lone.take(Append) if peer == 2)

    lone.now += 1.1
    lone.guard.advance()

    assert any(message.entries for peer, message in lone.take(Append) if peer == 2)
