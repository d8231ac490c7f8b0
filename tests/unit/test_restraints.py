"""Pauses and stops that are on are all found, in order, however short the steps are."""

import pytest

from node.domain.terms import PauseLevel, PauseScope, Scope
from node.engine.pause import SCOPE_SHIFT, Pause
from node.engine.stop import Stop
from node.gateway import restraints
from tests import account_commands as a
from tests import commands as c
from tests import life_commands as life
from tests.venue_driver import VenueDriver, address_of, key_of

STOPPED = [(Scope.KEY, 2), (Scope.ACCOUNT, 1), (Scope.ACCOUNT, 3), (Scope.MARKET, 2)]
PAUSED = [(PauseScope.EVENT, 1), (PauseScope.MARKET, 3), (PauseScope.ACCOUNT, 2)]


@pytest.fixture
def venue() -> VenueDriver:
    """Three accounts with a key each, an event, three markets; some restrained, some no more."""
    driver = VenueDriver()
    driver.must(c.EventCreate())
    for number in (1, 2, 3):
        driver.must(c.AccountOpen(address_of(number), key_of(number)))
        driver.must(c.MarketCreate(event=1))
    for scope, subject in [*STOPPED, (Scope.MARKET, 1)]:
        driver.must(a.Stop(0, scope, subject))
    driver.must(a.StopLift(0, Scope.MARKET, 1))
    for paused_scope, subject in [*PAUSED, (PauseScope.ACCOUNT, 1)]:
        driver.must(life.Pause(paused_scope, subject, PauseLevel.CANCEL_ONLY))
    driver.must(life.Pause(PauseScope.ACCOUNT, 1, PauseLevel.NONE))
    return driver


@pytest.mark.parametrize("subjects", [1, 2, 3, 100])
@pytest.mark.parametrize("most", [1, 2, 100])
def test_a_walk_in_steps_finds_each_once(
    venue: VenueDriver, monkeypatch: pytest.MonkeyPatch, subjects: int, most: int
) -> None:
    """Whatever fits into an answer, and however few subjects are looked at for one."""
    monkeypatch.setattr(restraints, "SUBJECTS_A_STEP", subjects)
    for venue_wide in (False, True):
        found: list[int] = []
        for after in (restraints.stops_after, restraints.pauses_after):
            cursor, answers = 0, 0
            while cursor or not answers:
                records, cursor = after(venue.venue.state, cursor, most)
                assert len(records) <= min(most, subjects)
                found += [one.number for one in records if isinstance(one, Stop | Pause)]
                answers += 1
        stops = [*STOPPED, *([(Scope.VENUE, 0)] if venue_wide else [])]
        pauses = [*([(PauseScope.VENUE, 0)] if venue_wide else []), *PAUSED]
        assert found == [scope << SCOPE_SHIFT | subject for scope, subject in [*stops, *pauses]]
        if not venue_wide:
            venue.must(life.Pause(PauseScope.VENUE, 0, PauseLevel.POST_ONLY))
            venue.must(a.Stop(0, Scope.VENUE, 0))
