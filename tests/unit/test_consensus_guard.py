"""The guard's promises, each against one scripted conversation."""

from random import Random

import pytest

from chaos.simulation.disk import SimulatedDisk
from node.consensus.errors import LogContradictionError
from node.consensus.peer_messages import (
    Append,
    Appended,
    Message,
    NewerTerm,
    PreVote,
    PreVoteRequest,
    SnapshotChunk,
    SnapshotOffer,
    SnapshotTaken,
    TimeoutNow,
    Vote,
    VoteRequest,
)
from node.consensus.raft_core import CANDIDATE, FOLLOWER
from tests.guard_mistakes import old_terms_commit_by_counting, stale_answers_count
from tests.lone_guard import GROUP, LoneGuard, accepted, append, entries


def figure_eight(lone: LoneGuard) -> int:
    """Lead, lose, lead again; a quorum holds only the old term's entry; return its index."""
    lone.lead()
    old = lone.core.propose(GROUP)
    lone.sync()
    lone.guard.receive(3, NewerTerm(lone.core.term + 1))
    assert not lone.core.is_leader
    lone.lead()
    lone.sync()
    lone.guard.receive(2, accepted(lone, 2, old))
    lone.sync()
    return old


def test_entries_of_old_terms_commit_only_behind_one_of_the_current_term() -> None:
    """Figure 8: a quorum holds an entry of an older term, and it is not committed for that."""
    lone = LoneGuard()

    old = figure_eight(lone)

    assert lone.core.commit_index < old
    lone.guard.receive(2, accepted(lone, 2, lone.journal.last_index))
    lone.sync()
    assert lone.core.commit_index == lone.journal.last_index > old


def test_the_script_of_figure_eight_sees_the_mistake_it_is_for() -> None:
    """With the planted mistake the same script commits the old entry."""
    lone = LoneGuard()
    old_terms_commit_by_counting(lone, 2)

    old = figure_eight(lone)

    assert lone.core.commit_index == old


def test_an_answer_to_an_older_term_counts_for_nothing() -> None:
    """A follower's old promise was about a log that has since been replaced."""
    lone = LoneGuard()
    lone.lead()
    index = lone.core.propose(GROUP)
    lone.sync()

    lone.guard.receive(2, accepted(lone, 2, index)._replace(term=0))
    lone.sync()

    assert lone.core.commit_index < index


def test_the_script_of_old_answers_sees_the_mistake_it_is_for() -> None:
    """With the planted mistake the old answer commits."""
    lone = LoneGuard()
    stale_answers_count(lone)
    lone.lead()
    index = lone.core.propose(GROUP)
    lone.sync()

    lone.guard.receive(2, accepted(lone, 2, index)._replace(term=0))
    lone.sync()

    assert lone.core.commit_index == index


def test_nothing_is_promised_before_the_journal_is_durable() -> None:
    """Vote requests, votes and acknowledgements wait for the sync that makes them true."""
    lone = LoneGuard()

    lone.guard.receive(2, VoteRequest(5, 9, 4))
    lone.guard.advance()
    assert not lone.take(Vote)
    lone.sync()
    assert lone.take(Vote) == [(2, Vote(5))]

    lone.guard.receive(2, append(5, 1, 0, entries(2, 5)))
    lone.guard.advance()
    assert not lone.take(Appended)
    lone.sync()
    assert [answer.next_index for _peer, answer in lone.take(Appended)] == [3]


def test_no_answer_names_a_term_that_a_power_loss_could_take_back() -> None:
    """The first heartbeat of a newer term, a chunk of its leader: both wait for that term."""
    lone = LoneGuard()
    lone.guard.receive(2, append(7, 1, 0, []))
    lone.guard.receive(2, SnapshotOffer(7, 1, 9, 9, bytes(32)))
    lone.guard.receive(2, SnapshotChunk(7, 1, 0, b"1234"))
    lone.guard.advance()
    assert lone.sent == []

    lone.sync()

    assert [message.term for _peer, message in lone.take(Appended)] == [7]
    assert [message.term for _peer, message in lone.take(SnapshotTaken)] == [7]
    lone.guard.receive(2, append(7, 1, 0, []))
    assert len(lone.take(Appended)) == 1, "the next one is answered at once"


def test_a_slow_disk_does_not_silence_a_follower() -> None:
    """A heartbeat is answered before the sync, and only for what is durable already."""
    lone = LoneGuard()
    lone.guard.receive(2, append(5, 1, 0, []))
    lone.sync()
    lone.take(Appended)
    lone.guard.receive(2, append(5, 1, 0, entries(2, 5)))
    lone.guard.receive(2, append(5, 2, 5, []))
    assert [answer.next_index for _peer, answer in lone.take(Appended)] == [2]
    lone.sync()
    assert [answer.next_index for _peer, answer in lone.take(Appended)] == [3]


def test_a_candidate_asks_for_votes_only_when_its_own_is_durable() -> None:
    """A power loss after the request must not let this node vote again in the term."""
    lone = LoneGuard()
    lone.wait(1.0)
    lone.sync()
    lone.guard.receive(2, PreVote(1, granted=True))
    lone.guard.advance()

    assert not lone.take(VoteRequest)
    lone.sync()
    assert [peer for peer, _message in lone.take(VoteRequest)] == [2, 3]


def test_a_vote_survives_a_power_loss() -> None:
    """Whoever voted in a term votes for nobody else in it, ever."""
    disk = SimulatedDisk(Random(3))
    lone = LoneGuard(disk=disk)
    lone.guard.receive(2, VoteRequest(7, 9, 4))
    lone.sync()
    assert lone.take(Vote) == [(2, Vote(7))]
    disk.lose_power()

    again = LoneGuard(disk=disk)
    again.guard.receive(3, VoteRequest(7, 99, 6))
    again.sync()

    assert again.core.term == 7
    assert not again.take(Vote)


def test_a_leader_counts_itself_only_when_its_own_disk_has_it() -> None:
    """One follower and an unsynced leader are no quorum of three."""
    lone = LoneGuard()
    lone.lead()
    lone.sync()
    index = lone.core.propose(GROUP)
    lone.guard.advance()
    assert lone.take(Append), "entries leave before the leader's own sync"

    lone.guard.receive(2, accepted(lone, 2, index))
    lone.guard.advance()
    assert lone.core.commit_index < index
    lone.sync()
    assert lone.core.commit_index == index


def test_two_followers_commit_without_the_leaders_disk() -> None:
    """A leader with a slow disk does not slow the quorum that has it already."""
    lone = LoneGuard()
    lone.lead()
    lone.sync()
    index = lone.core.propose(GROUP)
    lone.guard.advance()

    lone.guard.receive(2, accepted(lone, 2, index))
    lone.guard.receive(3, accepted(lone, 3, index))
    lone.guard.advance()

    assert lone.core.commit_index == index
    assert lone.journal.synced_index < index


def test_matching_entries_are_never_cut() -> None:
    """A late, shorter message leaves what came behind it."""
    lone = LoneGuard()
    lone.guard.receive(2, append(1, 1, 0, entries(2, 1, 1, 1)))
    lone.guard.receive(2, append(1, 1, 0, entries(2, 1)))

    assert lone.journal.last_index == 4


def test_conflicting_entries_are_replaced() -> None:
    """What a newer leader has in a place wins over what an older one left there."""
    lone = LoneGuard()
    lone.guard.receive(2, append(1, 1, 0, entries(2, 1, 1, 1)))
    lone.guard.receive(3, append(2, 2, 1, entries(3, 2)))

    assert [entry[1:] for entry in lone.journal.entries] == [(1, 0), (2, 1), (3, 2)]


def test_a_mismatch_backs_up_by_a_whole_term() -> None:
    """The follower names the start of the run of its term, so that a long tail costs one round."""
    lone = LoneGuard()
    lone.guard.receive(2, append(1, 1, 0, entries(2, 1, 1, 1, 1, 1)))
    lone.sync()
    lone.take(Appended)

    lone.guard.receive(3, append(3, 6, 2, []))
    lone.sync()

    answer = lone.take(Appended)[-1][1]
    assert (answer.accepted, answer.next_index) == (False, 2)


def test_a_heartbeat_commits_only_what_the_leader_confirmed() -> None:
    """Entries behind the previous one of a message may be another leader's."""
    lone = LoneGuard()
    lone.guard.receive(2, append(1, 1, 0, entries(2, 1, 1)))

    lone.guard.receive(3, append(2, 2, 1, [], commit=3))

    assert lone.core.commit_index == 2


def test_a_leader_that_contradicts_a_commit_stops_the_replica() -> None:
    """Repairing would lose acknowledged commands."""
    lone = LoneGuard()
    lone.guard.receive(2, append(1, 1, 0, entries(2, 1, 1), commit=3))

    with pytest.raises(LogContradictionError):
        lone.guard.receive(3, append(2, 2, 1, entries(3, 2)))
    with pytest.raises(LogContradictionError):
        lone.guard.receive(3, append(2, 3, 2, []))


@pytest.mark.parametrize(
    "message", [append(1, 1, 0, entries(2, 1)), SnapshotOffer(1, 1, 9, 9, bytes(32)), TimeoutNow(1)]
)
def test_a_deposed_leader_is_told_so(message: Message) -> None:
    """A message of an old term changes nothing and is answered with the newer term."""
    lone = LoneGuard()
    lone.guard.receive(3, append(4, 1, 0, []))
    lone.sync()
    lone.take(Appended)

    lone.guard.receive(2, message)
    lone.sync()

    assert lone.take(NewerTerm) == [(2, NewerTerm(4))]
    assert lone.journal.last_index == 1


def test_a_node_that_hears_its_leader_gives_no_pre_vote() -> None:
    """A node that was cut off does not disturb the others when it comes back."""
    lone = LoneGuard()
    lone.guard.receive(2, append(1, 1, 0, []))
    lone.now += 0.1
    lone.guard.receive(3, PreVoteRequest(2, 9, 1))
    lone.now += 0.1
    lone.guard.receive(3, PreVoteRequest(2, 9, 1))
    lone.sync()

    assert [message.granted for _peer, message in lone.take(PreVote)] == [False, True]


def test_a_leader_without_a_quorum_steps_down_in_its_term() -> None:
    """Check-quorum: it stops answering, and does not raise the term of those it cannot hear."""
    lone = LoneGuard()
    lone.lead()
    term = lone.core.term

    lone.wait(0.2)
    assert lone.core.is_leader
    lone.wait(0.2)

    assert (lone.core.state, lone.core.term) == (FOLLOWER, term)


def test_a_candidate_that_waited_too_long_counts_no_more_votes() -> None:
    """A vote that arrives after the candidate gave up elects nobody."""
    lone = LoneGuard()
    lone.wait(1.0)
    lone.sync()
    lone.guard.receive(2, PreVote(1, granted=True))
    assert lone.core.state == CANDIDATE
    lone.wait(1.0)

    lone.guard.receive(2, Vote(1))

    assert lone.core.state == FOLLOWER


def test_leadership_is_handed_over_to_a_follower_that_has_everything() -> None:
    """The target is told to campaign only once its log is as long as the leader's."""
    lone = LoneGuard()
    lone.lead()
    lone.sync()

    assert lone.guard.election.transfer(3)
    assert not lone.take(TimeoutNow)
    lone.guard.receive(3, accepted(lone, 3, lone.journal.last_index))
    lone.guard.heartbeat()

    assert lone.take(TimeoutNow) == [(3, TimeoutNow(lone.core.term))]
