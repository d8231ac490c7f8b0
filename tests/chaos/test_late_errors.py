"""Errors that come late in a run: what was judged before is reported all the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from chaos.attack import authentication, fuzz_run, overload
from chaos.attack.attempts import Tally
from chaos.attack.options import AttackOptions
from chaos.commands import attack, measure, real
from chaos.measure.arena import UnusableError
from chaos.measure.effort import Effort
from chaos.real import campaign
from chaos.real.battle import RoundFailedError
from chaos.real.campaign import Course
from chaos.real.tool import ToolFailedError
from chaos.report.failure import FINISHED, failures_told
from chaos.report.run_report import Figure, RunReport, from_json


def reported(command: click.Command, folder: Path, *words: str) -> RunReport:
    """Run a command, which must end with 1 and say so everywhere; return its report."""
    json_file, html_file = folder / "report.json", folder / "report.html"
    asked = [*words, "--json", str(json_file), "--html", str(html_file)]
    done = CliRunner().invoke(command, asked, standalone_mode=False)

    assert (done.exception, done.return_value) == (None, 1)
    report = from_json(json_file.read_bytes())
    for violation in report.violations:
        assert violation.what in done.output.replace("│ ", "").replace(" │", "")
        assert violation.what in html_file.read_text()
    return report


class FailingRound:
    """The second round fails, and so would a third."""

    played = 0
    error: Exception

    def __init__(self, folder: Path, *_: object) -> None:
        """Make nothing."""
        self.folder = folder

    async def play(self, *_: object) -> None:
        """Raise but for the first time."""
        FailingRound.played += 1
        if FailingRound.played > 1:
            raise FailingRound.error


@pytest.mark.parametrize(
    "error", [RoundFailedError("no leader"), ToolFailedError("mkfs: oh"), ValueError("a bug")]
)
def test_a_real_run_reports_the_rounds_before_an_error(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rounds begin, one is judged and counts; the error is a violation, with its seed."""
    tidied = []

    def judge(course: Course, _: object) -> None:
        course.judged += 1
        course.operations.acknowledged += 7

    def tidy(*_: object, violated: bool) -> None:
        tidied.append(violated)

    monkeypatch.setattr(FailingRound, "played", 0)
    monkeypatch.setattr(FailingRound, "error", error, raising=False)
    monkeypatch.setattr(campaign, "Round", FailingRound)
    monkeypatch.setattr(campaign, "_judge", judge)
    monkeypatch.setattr(campaign, "_tidy", tidy)
    monkeypatch.setattr(campaign, "at_first_signal", lambda _: None)

    report = reported(real.command, tmp_path, "--rootless", "--minutes", "10", "--seed", "9")

    assert report.operations.acknowledged == 7
    assert report.checks["rounds that converged and were judged"] == 1
    (violation,) = report.violations
    assert violation.invariant == FINISHED
    assert violation.what == f"{type(error).__name__}: {error}"
    assert violation.seed == 9
    assert "ended by an error, 3 nodes" in report.title.replace(":", ",")
    assert tidied == [False, True]  # What the failed round left is kept.


def test_a_measurement_that_fails_does_not_take_the_others_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures before it and behind it are in the report, beside the error."""

    def module(name: str) -> SimpleNamespace:
        def run(effort: Effort) -> None:
            effort.figure(name, "1", "1", met=True)
            if name.endswith("recovery"):
                raise UnusableError("no node led")

        return SimpleNamespace(measure=run)

    monkeypatch.setattr(measure, "import_module", module)
    monkeypatch.setattr(measure, "unwind_once", lambda: None)

    report = reported(measure.command, tmp_path, "all")

    assert [figure.name for figure in report.figures] == [
        f"chaos.measure.{name}" for name in measure.FIGURES
    ]
    (violation,) = report.violations
    assert violation.what == "UnusableError: no node led"
    assert violation.reproduce.endswith("measure recovery")


def test_an_attack_that_fails_does_not_take_the_others_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fuzzing found before, and overload behind, is in the report."""

    def part(_: AttackOptions, report: RunReport, say: object) -> None:
        del say
        report.figures.append(Figure("done", "1", "1", met=True, command=""))

    def failing(*_: object) -> None:
        raise RuntimeError("the node has ended")

    monkeypatch.setattr("chaos.unwinding.unwind_once", lambda: None)
    monkeypatch.setattr(fuzz_run, "fuzz", part)
    monkeypatch.setattr(authentication, "authenticate", failing)
    monkeypatch.setattr(overload, "overload", part)

    report = reported(attack.command, tmp_path, "all")

    assert len(report.figures) == 2
    (violation,) = report.violations
    assert violation.what == "RuntimeError: the node has ended"
    assert violation.reproduce.endswith("attack authentication")


def test_who_got_in_before_an_error_is_a_violation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attack that cannot be played to its end still tells of every door that it found open."""

    @contextmanager
    def victim(*_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(stop_third=lambda: None, find_leader=lambda: None)

    async def attacked(*given: object) -> None:
        tally = given[-1]
        assert isinstance(tally, Tally)
        tally.accepted.append("wrong key: let in")
        raise RuntimeError("the node has ended")

    monkeypatch.setattr("chaos.unwinding.unwind_once", lambda: None)
    monkeypatch.setattr(authentication, "victim", victim)
    monkeypatch.setattr(authentication, "_attack", attacked)

    report = reported(attack.command, tmp_path, "authentication")

    assert [violation.what for violation in report.violations] == [
        "wrong key: let in",
        "RuntimeError: the node has ended",
    ]


def test_what_is_about_the_command_line_and_what_ends_the_run_comes_out() -> None:
    """Neither is an error of the run."""
    told: list[str] = []
    with pytest.raises(click.UsageError), failures_told(lambda *said: told.extend(said)):
        raise click.UsageError("no such target")
    with pytest.raises(KeyboardInterrupt), failures_told(lambda *said: told.extend(said)):
        raise KeyboardInterrupt
    assert told == []
