"""What the report of a real run says of how much was done."""

from datetime import UTC, datetime

import pytest

from chaos.real import faults as _  # noqa: F401 - fills the catalogue
from chaos.real.abilities import Abilities
from chaos.real.belongings import Belongings
from chaos.real.campaign import Campaign, Course
from chaos.real.catalogue import CATALOGUE
from chaos.real.diary import Diary
from chaos.real.telling import left_out, report_of


@pytest.fixture
def course() -> Course:
    """Return a minute without root, of which one round was judged."""
    abilities = Abilities(rootless=True)
    kinds = tuple(kind for kind in CATALOGUE.values() if not abilities.lack(kind.needs))
    made = Course(
        Campaign(1.0, 3, 7, 400, None), kinds, abilities, Belongings(), Diary("again", 7), print
    )
    made.rounds = made.judged = 1
    made.operations.acknowledged = 10
    return made


def test_a_kind_that_was_never_drawn_ran_out_of_time(course: Course) -> None:
    """Only one that was drawn can have found the scene unsuitable."""
    drawn, never = course.kinds[0].name, course.kinds[1].name
    course.diary.unsuitable[drawn] = 2

    reasons = left_out(course)

    assert reasons[drawn] == "drawn 2 times, but the scene never suited it"
    assert reasons[never] == "its turn did not come before the time was over"


def test_a_kind_that_was_not_felt_is_listed_apart(course: Course) -> None:
    """It is not among the faults injected, and says so where it never struck."""
    course.diary.unfelt[course.kinds[0].name] = 2

    report = report_of(course, "the whole command", datetime.now(UTC), 60.0)

    assert report.unfelt == {course.kinds[0].name: 2}
    assert report.faults == {}
    assert report.left_out[course.kinds[0].name] == "tried 2 times, but not felt"


def test_the_title_says_how_much_was_done(course: Course) -> None:
    """A short run that broke little does not read like a long one."""
    course.diary.faults[course.kinds[0].name] = 3

    report = report_of(course, "the whole command", datetime.now(UTC), 60.0)

    assert f"1 round judged, 1 of {len(course.kinds)} kinds of faults" in report.title
    assert report.command == "the whole command"
    assert {figure.command for figure in report.figures} == {"again"}
    assert not report.interrupted


@pytest.mark.parametrize("judged", [0, 2])
def test_an_interrupted_run_is_called_so(course: Course, judged: int) -> None:
    """It is measured by no goal that it had no time for, and counts only rounds it judged."""
    course.interrupted = True
    course.rounds, course.judged = judged + 1, judged
    course.operations.acknowledged = 0

    report = report_of(course, "the whole command", datetime.now(UTC), 60.0)

    assert report.interrupted
    assert "interrupted" in report.title
    assert report.checks["rounds that converged and were judged"] == judged
    assert [figure.name for figure in report.figures if not figure.met] == []
