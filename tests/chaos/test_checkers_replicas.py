"""Convergence, feeds, indexes, leaders and conservation: known good and known bad."""

import random
from struct import Struct

import pytest

from chaos.checkers.conservation import check_state
from chaos.checkers.convergence import Convergence
from chaos.checkers.finding import (
    AGREEMENT,
    CONSERVED,
    GAPLESS,
    LOOKED,
    MONOTONIC,
    SOUND,
    Findings,
)
from chaos.checkers.gaplessness import FeedCheck, events_of
from chaos.checkers.leadership import ONE_LEADER, Leadership
from chaos.checkers.log_replay import LogReplay
from chaos.checkers.monotonic import Monotonic
from node.domain.records import ACCOUNT, TREASURY
from tests.chaos.checked_history import busy_run
from tests.unit.audited_cluster import GENESIS

LOG = busy_run(40)[1]


def published() -> list[bytes]:
    """Return the events of each group of the log."""
    replay = LogReplay(GENESIS)
    return [replay.apply(index, group)[1] for index, group in LOG]


EVENTS = published()


def frames(events: bytes) -> list[bytes]:
    """Return the frames that `events` consists of."""
    found, at = [], 0
    while at < len(events):
        length = int.from_bytes(events[at : at + 4], "little")
        found.append(events[at : at + length])
        at += length
    return found


def renumbered(frame: bytes, sequence: int) -> bytes:
    """Return an event frame under another stream sequence."""
    return frame[:24] + sequence.to_bytes(8, "little") + frame[32:]


def market_frames() -> list[bytes]:
    """Return the events of market 1, all of them."""
    every = [frame for events in EVENTS for frame in frames(events)]
    return [frame for frame in every if next(events_of(frame)).stream == ("market", 1)]


def test_replicas_that_say_the_same_everywhere_converge() -> None:
    """Statements are compared index by index, whoever comes first."""
    convergence = Convergence("chain digest")
    for replica in ("node 1", "node 2", "node 3"):
        convergence.say_all(replica, ((index, bytes([index])) for index in range(20)))

    findings = convergence.finish()

    assert findings.ok
    assert findings.counts == {"chain digests compared": 40}


def test_replicas_that_differ_at_an_earlier_index_and_meet_again_are_told() -> None:
    """Whoever compares the last index only is deceived."""
    convergence = Convergence("state digest")
    convergence.say_all("node 1", [(1, b"a"), (2, b"b"), (3, b"c")])
    convergence.say_all("node 2", [(1, b"a"), (2, b"x"), (3, b"c")])

    findings = convergence.finish()

    assert findings.found == {AGREEMENT: 1}
    assert findings.examples[0].what == "node 2 has another state digest at index 2 than node 1"


def test_a_replica_that_contradicts_itself_after_a_restart_is_told() -> None:
    """The same index applied again must come to the same."""
    convergence = Convergence("chain digest")
    convergence.say("node 1", 5, b"before")
    convergence.say("node 1", 5, b"after the restart")

    assert AGREEMENT in convergence.findings.found


def test_one_replica_alone_compares_nothing() -> None:
    """That nobody could disagree is told from agreement."""
    convergence = Convergence("chain digest")
    convergence.say_all("node 1", [(1, b"a"), (2, b"b")])

    assert convergence.finish().found == {LOOKED: 1}


def test_what_was_said_about_old_indexes_can_be_forgotten() -> None:
    """A long run keeps what is recent: memory is bounded by whoever asks for it."""
    convergence = Convergence("group")
    convergence.say_all("node 1", [(1, b"a"), (2, b"b")])
    convergence.forget_before(2)
    convergence.say_all("node 2", [(1, b"x"), (2, b"b")])

    assert convergence.finish().ok


def test_feeds_of_all_replicas_are_gapless_and_the_same() -> None:
    """Subscribers at different places of different replicas see one sequence of events."""
    check = FeedCheck()
    for replica in ("node 1", "node 2"):
        for events in EVENTS:
            check.take(replica, events)
    for events in EVENTS[20:]:
        check.take("a late subscriber", events)

    findings = check.finish()

    assert findings.examples == []
    assert findings.counts["events received"] > 500
    assert findings.counts["events compared"] > 300


def test_a_gap_at_a_failover_is_told() -> None:
    """A subscriber that goes on at another node must go on where it was."""
    market = market_frames()
    check = FeedCheck()
    check.take("subscriber", b"".join(market[:10]))  # From the old leader,
    check.take("subscriber", b"".join(market[11:]))  # from the new one.

    findings = check.finish()

    assert findings.found == {GAPLESS: 1}
    assert "got sequence 12 of market 1's stream after 10" in findings.examples[0].what


def test_a_gap_hidden_by_a_failover_is_told() -> None:
    """Numbers without a hole hide a lost event if the new leader numbers the rest anew."""
    market = market_frames()
    shifted = [renumbered(frame, number) for number, frame in enumerate(market[11:], 11)]
    naive = [next(events_of(frame)).sequence for frame in market[:10] + shifted]
    check = FeedCheck()
    check.take("the old leader", b"".join(market))
    check.take("subscriber", b"".join(market[:10]))
    check.take("subscriber", b"".join(shifted))

    assert naive == list(range(1, len(naive) + 1))
    findings = check.finish()
    assert findings.found[AGREEMENT] == len(shifted)
    assert "as sequence 11" in findings.examples[0].what


@pytest.mark.parametrize("seed", range(5))
def test_any_single_damage_to_a_feed_is_found(seed: int) -> None:
    """An event left out, told twice, moved or changed in one bit."""
    rng = random.Random(seed)
    market = market_frames()
    place = rng.randrange(1, len(market) - 2)
    damaged = bytearray(market[place])
    damaged[rng.randrange(32, len(damaged))] ^= 1 << rng.randrange(8)
    for wrong in (
        market[:place] + market[place + 1 :],
        [*market[:place], market[place], *market[place:]],
        [*market[:place], market[place + 1], market[place], *market[place + 2 :]],
        [*market[:place], bytes(damaged), *market[place + 1 :]],
    ):
        check = FeedCheck()
        check.take("node 1", b"".join(market))
        check.take("node 2", b"".join(wrong))

        assert not check.finish().ok


def test_an_event_from_an_earlier_place_in_the_log_is_told() -> None:
    """Sequences go up with the log: an event numbered next may not come from before."""
    market = market_frames()
    old = renumbered(market[2], 11)
    check = FeedCheck()
    check.take("subscriber", b"".join([*market[:10], old]))

    assert check.finish().found == {GAPLESS: 1}


def test_a_subscriber_may_begin_anew_when_it_says_so() -> None:
    """One that asks for an earlier place gets it again: the same events."""
    market = market_frames()
    check = FeedCheck()
    check.take("subscriber", b"".join(market[:10]))
    check.begin_anew("subscriber")
    check.take("subscriber", b"".join(market[4:]))

    assert check.finish().ok


def test_bytes_that_are_no_frames_and_feeds_without_events_are_told() -> None:
    """A torn recording is a finding, and so is an empty one; heartbeats are no events."""
    torn = FeedCheck()
    torn.take("subscriber", EVENTS[3][:-1])
    short = FeedCheck()
    short.take("subscriber", b"\x01\x02")
    silent = FeedCheck()
    silent.take("subscriber", Struct("<ihh16x").pack(24, 261, 0))

    assert SOUND in torn.finish().found
    assert SOUND in short.finish().found
    assert silent.finish().found == {LOOKED: 1}


def test_indexes_that_go_back_are_told() -> None:
    """Within one life nothing goes back; in the next one only what is durable must not."""
    monotonic = Monotonic()
    for life, values in ((1, (3, 3, 9)), (2, (5, 8))):
        for value in values:
            monotonic.say("node 1", "applied index", value, life)
    assert monotonic.finish().ok

    monotonic.say("node 1", "applied index", 7, life=2)
    monotonic.say("node 1", "term", 4)
    monotonic.say("node 1", "term", 3)
    monotonic.say("node 2", "term", 1)

    assert monotonic.findings.found == {MONOTONIC: 2}
    assert "applied index went from 8 back to 7" in monotonic.findings.examples[0].what
    assert Monotonic().finish().found == {LOOKED: 1}


def test_two_leaders_of_a_term_are_told() -> None:
    """One replica may lead many terms, one term has one leader."""
    leadership = Leadership()
    for replica, term in (("node 1", 1), ("node 2", 2), ("node 1", 3), ("node 1", 3)):
        leadership.say(replica, term)
    assert leadership.finish().ok
    assert leadership.terms == 3

    leadership.say("node 2", 3)

    assert leadership.findings.found == {ONE_LEADER: 1}
    assert Leadership().finish().found == {LOOKED: 1}


def state_pages() -> dict[bytes, bytes]:
    """Return the pages of the state that the log comes to."""
    replay = LogReplay(GENESIS)
    for index, group in LOG:
        replay.apply(index, group)
    replay.audit.digests()
    return dict(replay.audit.canonical_pages())


def test_a_sound_state_is_conserved() -> None:
    """And the count says that there was something in it."""
    findings = Findings()
    check_state(sorted(state_pages().items()), "node 1", findings)

    assert findings.ok
    assert findings.counts["states conserved"] == 1
    assert findings.counts["accounts in them"] == 8
    assert findings.counts["orders in them"] > 0


@pytest.mark.parametrize(("kind", "offset"), [(TREASURY, 0), (TREASURY, 8), (ACCOUNT, 40)])
def test_one_micro_usdc_too_much_is_told(kind: int, offset: int) -> None:
    """Whether deposits, fees or an account's cash: everything must add up exactly."""
    pages = state_pages()
    key = next(key for key in sorted(pages) if int.from_bytes(key[:2], "big") == kind)
    content = bytearray(pages[key])
    amount = int.from_bytes(content[offset : offset + 8], "little") + 1
    content[offset : offset + 8] = amount.to_bytes(8, "little")
    pages[key] = bytes(content)
    findings = Findings()

    check_state(sorted(pages.items()), "node 1", findings)

    assert CONSERVED in findings.found


def test_pages_that_no_venue_encodes_are_told() -> None:
    """A state that cannot be read is not taken for one that is sound."""
    pages = state_pages()
    key = next(key for key in sorted(pages) if int.from_bytes(key[:2], "big") == ACCOUNT)
    pages[key] = pages[key][:-1]
    findings = Findings()

    check_state(sorted(pages.items()), "node 1", findings)

    assert findings.found == {CONSERVED: 1}
    assert "states conserved" not in findings.counts
