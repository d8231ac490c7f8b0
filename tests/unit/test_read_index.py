"""Linearizable reads: confirmed by a quorum after they were asked, or refused."""

from node.consensus.peer_messages import Appended, NewerTerm, ReadProbe, ReadProbed
from tests.lone_guard import LoneGuard


def leading(nodes: int = 3) -> LoneGuard:
    """Return a leader whose no-op is committed."""
    lone = LoneGuard(nodes)
    lone.lead()
    lone.sync()
    last = lone.journal.last_index
    for peer in lone.peers:
        probe = lone.guard.peers[peer].probe
        reply = Appended(lone.core.term, probe, last + 1, accepted=True, recovering=False)
        lone.guard.receive(peer, reply)
    lone.sync()
    assert lone.core.commit_index == last
    return lone


def test_a_read_waits_for_a_quorum_asked_after_it() -> None:
    """An answer to an earlier round confirms nothing about a later question."""
    lone = leading()
    answers: list[int | None] = []
    lone.guard.read_index(answers.append)
    lone.guard.advance()
    first = lone.take(ReadProbe)[0][1].number
    lone.guard.read_index(lambda index: answers.append(-(index or 0)))
    lone.guard.advance()

    lone.guard.receive(2, ReadProbed(lone.core.term, first))
    assert answers == [lone.core.commit_index]
    lone.guard.receive(2, ReadProbed(lone.core.term, first + 1))
    assert answers == [lone.core.commit_index, -lone.core.commit_index]


def test_a_majority_of_five_is_needed() -> None:
    """One confirmation of four is not enough."""
    lone = leading(5)
    answers: list[int | None] = []
    lone.guard.read_index(answers.append)
    lone.guard.advance()
    number = lone.take(ReadProbe)[0][1].number

    lone.guard.receive(2, ReadProbed(lone.core.term, number))
    lone.guard.receive(2, ReadProbed(lone.core.term, number))
    assert not answers
    lone.guard.receive(5, ReadProbed(lone.core.term, number))
    assert answers == [lone.core.commit_index]


def test_questions_of_one_pass_share_a_round() -> None:
    """A thousand readers cost one message to each peer."""
    lone = leading()
    answers: list[int | None] = []
    for _ in range(1000):
        lone.guard.read_index(answers.append)
    lone.guard.advance()
    probes = lone.take(ReadProbe)
    assert len(probes) == 2
    lone.guard.receive(3, ReadProbed(lone.core.term, probes[0][1].number))
    assert answers == [lone.core.commit_index] * 1000


def test_a_deposed_leader_refuses_what_it_was_asked() -> None:
    """Whatever waits when leadership is lost is answered with None."""
    lone = leading()
    answers: list[int | None] = []
    lone.guard.read_index(answers.append)
    lone.guard.advance()

    lone.guard.receive(2, NewerTerm(lone.core.term + 1))

    assert answers == [None]


def test_a_new_leader_refuses_until_an_entry_of_its_own_is_committed() -> None:
    """Before that it may not know everything that was acknowledged."""
    lone = LoneGuard()
    lone.lead()
    lone.sync()
    answers: list[int | None] = []
    lone.guard.read_index(answers.append)
    lone.guard.advance()
    assert answers == [None]


def test_a_follower_confirms_only_its_own_leader() -> None:
    """A probe of an old term is answered with the newer term instead."""
    lone = LoneGuard()
    lone.guard.receive(2, NewerTerm(4))
    lone.guard.receive(3, ReadProbe(3, 1))
    lone.guard.receive(3, ReadProbe(4, 2))
    lone.sync()
    assert lone.take(ReadProbed) == [(3, ReadProbed(4, 2))]
    assert lone.take(NewerTerm) == [(3, NewerTerm(4))]
