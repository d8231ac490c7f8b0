"""Liveness: deadlines always, progress in calm times."""

import pytest

from chaos.checkers.finding import LIVE, LOOKED, PROGRESS, Findings
from chaos.checkers.liveness import Calm, check_liveness
from chaos.history import Operation, Outcome

DEADLINE_NS = 1_000
BOUND_NS = 100
CALM = Calm(5_000, 6_000)


def asked(invoked: int, returned: int, outcome: Outcome = Outcome.OK) -> Operation:
    """Return one request."""
    return Operation(1, 1, invoked, b"", invoked, returned, outcome)


def judged(*history: Operation, calms: tuple[Calm, ...] = (CALM,)) -> Findings:
    """Return what the checker finds with the deadline and the bound above."""
    return check_liveness(history, calms, deadline_ns=DEADLINE_NS, bound_ns=BOUND_NS)


def test_requests_that_end_in_time_are_fine_whatever_their_end() -> None:
    """Done, rejected or unknown, in a fault or in a calm."""
    findings = judged(
        asked(100, 1_100),
        asked(200, 300, Outcome.REJECTED),
        asked(300, 900, Outcome.UNKNOWN),
        asked(5_010, 5_020),
    )

    assert findings.examples == []
    assert findings.counts["requests"] == 4
    assert findings.counts["calms with requests"] == 1


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_request_that_takes_longer_than_the_deadline_is_told(outcome: Outcome) -> None:
    """Faults are no excuse: an unknown outcome must be told in time as well."""
    findings = judged(asked(100, 1_101, outcome), asked(5_010, 5_020))

    assert findings.found == {LIVE: 1}


def test_an_answer_at_no_time_is_told() -> None:
    """A request that ended has an end; one whose outcome is unknown may have none."""
    findings = judged(asked(100, 0), asked(100, 0, Outcome.UNKNOWN), asked(5_010, 5_020))

    assert findings.found == {LIVE: 1}
    assert findings.counts["requests never answered"] == 2


def test_nothing_answered_within_the_bound_of_a_heal_is_told() -> None:
    """Requests there were, answers came, but too late."""
    late = asked(5_010, 5_101)

    assert judged(late).found == {PROGRESS: 1}
    assert judged(late, asked(5_000, 5_100)).ok
    assert judged(late, asked(4_000, 4_999)).found == {PROGRESS: 1}  # Answered before the heal.


def test_a_request_from_before_the_heal_shows_progress_too() -> None:
    """What waited through the fault is answered soon after it."""
    assert judged(asked(4_500, 5_050)).ok
    assert PROGRESS in judged(asked(4_500, 5_400)).found


def test_one_client_that_waits_while_others_are_served_is_told() -> None:
    """Progress of some hides no silence of another."""
    served = [asked(at, at + 10) for at in range(5_000, 6_000, 50)]

    assert judged(*served).ok
    findings = judged(*served, asked(5_200, 5_301))
    assert findings.found == {PROGRESS: 1}
    assert "sequence 5200" in findings.examples[0].what


def test_an_unknown_outcome_in_the_midst_of_a_calm_is_told() -> None:
    """Without a fault there is no reason for it; near the next fault there is."""
    fine = asked(5_000, 5_010)

    assert judged(fine, asked(5_500, 5_550, Outcome.UNKNOWN)).found == {PROGRESS: 1}
    assert judged(fine, asked(5_500, 0, Outcome.UNKNOWN)).found == {PROGRESS: 1}
    assert judged(fine, asked(5_950, 0, Outcome.UNKNOWN), asked(5_050, 0, Outcome.UNKNOWN)).ok


def test_what_overlaps_several_calms_is_judged_in_each() -> None:
    """A request through three calms is a silence in each of them."""
    calms = (Calm(0, 200), Calm(300, 500), Calm(600, 800))
    served = [asked(calm.begin_ns, calm.begin_ns + 1) for calm in calms]

    findings = judged(*served, asked(0, 800), calms=calms)

    assert findings.found == {PROGRESS: 3}


def test_a_calm_shorter_than_the_bound_is_counted_and_not_judged() -> None:
    """The next fault came before anything could be expected."""
    findings = judged(asked(5_000, 5_900), calms=(Calm(5_000, 5_100),))

    assert findings.ok
    assert findings.counts["calms too short to judge"] == 1


def test_silence_without_requests_is_no_progress_and_no_failure_but_told() -> None:
    """No request at all, or none in any calm, is a finding of its own."""
    assert judged().found == {LOOKED: 2}
    assert judged(asked(100, 200)).found == {LOOKED: 1}
