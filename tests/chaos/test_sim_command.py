"""`sim` as a person uses it: what it refuses, how it stops, and what it leaves in files."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from chaos.commands import sim
from chaos.report.run_report import RunReport, Violation, from_json
from chaos.simulation.cluster import Cluster
from chaos.simulation.faults.registry import FAULTS
from chaos.simulation.progress import Progress
from chaos.simulation.seed_run import Case, SeedResult, run_case
from tests.chaos.processes import await_true

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Give the logs back that the command silences."""
    yield
    structlog.reset_defaults()


def invoke(*words: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(sim.command, list(words), standalone_mode=False)


def broken(
    case: Case,
    *,
    record: bool = False,
    on_cluster: Callable[[Cluster], None] = lambda _cluster: None,
) -> SeedResult:
    """Run a case in which every node commits with one disk fewer than a majority."""

    def plant(cluster: Cluster) -> None:
        on_cluster(cluster)
        for host in cluster.hosts.values():
            assert host.node is not None
            host.node.replica.guard.replication._quorum -= 1

    return run_case(case, record=record, on_cluster=plant)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every simulation of this process run with the planted mistake."""
    for module in ("campaign", "timeline", "shrink"):
        monkeypatch.setattr(f"chaos.simulation.{module}.run_case", broken)


def test_a_worker_that_is_killed_ends_the_run_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It neither waits for what nobody runs any more nor passes for a smaller run that held."""

    def killed(case: Case) -> SeedResult:
        if case.seed == 23:
            os.kill(os.getpid(), signal.SIGKILL)
        return run_case(case)

    monkeypatch.setattr("chaos.simulation.campaign.run_case", killed)
    file = tmp_path / "r.json"
    words = ["--seeds", "0:60", "--seconds", "0.1", "--processes", "2", "--json", str(file)]
    outcome = CliRunner().invoke(sim.command, words)

    assert outcome.exit_code == 1, outcome.output
    assert "a worker process died while seeds" in outcome.output
    report = from_json(file.read_bytes())
    assert report.interrupted
    assert report.seeds <= 20


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_first_violation_ends_it_with_lines_and_a_picture(
    tmp_path: Path, processes: str
) -> None:
    """One violation is counted and told, though workers found more; JSON and page show it."""
    json_file, html_file = tmp_path / "r.json", tmp_path / "r.html"
    words = ["--seeds", "0:20", "--first", "--processes", processes]

    done = invoke(*words, "--json", str(json_file), "--html", str(html_file))

    assert done.return_value == 1, done.output
    report = from_json(json_file.read_bytes())
    (violation,) = report.violations
    assert report.seeds == violation.seed + 1
    assert any("violation" in line for line in violation.timeline)
    assert any(moment.kind == "violation" for moment in violation.moments)
    assert report.timeline == violation.moments
    assert html_file.read_text().count("<svg") == 1
    assert not broken(Case(violation.seed)).held


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("more", [["--first"], ["--timeline"]], ids=["range", "timeline"])
def test_the_report_says_the_smallest_case_again(tmp_path: Path, more: list[str]) -> None:
    """What `--shrink` found is the command in the report, and its run the timeline."""
    seed = next(seed for seed in range(20) if not broken(Case(seed)).held)
    json_file = tmp_path / "r.json"

    done = invoke("--seeds", str(seed), "--shrink", *more, "--json", str(json_file))

    assert done.return_value == 1, done.output
    (violation,) = from_json(json_file.read_bytes()).violations
    assert "shrunk in" in done.output
    assert "--keep" in violation.reproduce
    assert violation.reproduce in done.output
    words = violation.reproduce.partition(" sim ")[2].split()
    again = invoke(*words, "--json", str(json_file))
    assert again.return_value == 1, again.output
    assert from_json(json_file.read_bytes()).violations[0].timeline == violation.timeline


def test_a_range_that_held_has_a_picture_and_a_trace(tmp_path: Path) -> None:
    """The same seeds give the same trace in the table and the JSON, whoever ran them."""
    reports = []
    json_file, html_file = tmp_path / "r.json", tmp_path / "r.html"
    for processes in ("1", "2"):
        words = ["--seeds", "0:3", "--processes", processes]
        done = invoke(*words, "--json", str(json_file), "--html", str(html_file))
        assert done.return_value == 0, done.output
        reports.append(from_json(json_file.read_bytes()))
        assert reports[-1].trace in done.output
        assert html_file.read_text().count("<svg") == 1
        assert f"Timeline of {reports[-1].timeline_of}" in html_file.read_text()

    assert reports[0].trace == reports[1].trace
    assert reports[0].timeline == reports[1].timeline != []
    invoke("--seeds", "0:2", "--json", str(json_file))
    assert from_json(json_file.read_bytes()).trace != reports[0].trace


@pytest.mark.parametrize(
    "words",
    [
        ["--seeds", "5:5"],
        ["--seeds", "0:3", "--timeline"],
        ["--seeds", "0:3", "--keep", "0"],
        ["--seeds", "3", "--keep", "9999"],
        ["--seeds", "3", "--keep", "x"],
        ["--seeds", "3", "--keep", ""],
        ["--seeds", "3", "--timeline", "--state", "s.json"],
        ["--seconds", "nan"],
        ["--seconds", "inf"],
        ["--seconds", "-1"],
        ["--minutes", "-1"],
        ["--minutes", "nan"],
        ["--faults", ""],
        ["--faults", "kill,"],
        ["--processes", "1000000"],
        ["--state", "/nonexistent/state.json"],
    ],
    ids=" ".join,
)
def test_nonsense_is_wrong_usage(words: list[str]) -> None:
    """It is refused before anything runs, with code 2: it must not pass for a run that held."""
    outcome = CliRunner().invoke(sim.command, words)

    assert outcome.exit_code == 2, outcome.output
    assert "held" not in outcome.output


def test_a_range_without_end_begins_at_once() -> None:
    """Cases are made as they are run; time that is up ends it, after one seed at least."""
    done = invoke("--seeds", "7:999999999999999999", "--minutes", "0.00001", "--processes", "1")

    assert done.return_value == 0
    assert "1 (" in done.output


def test_ctrl_c_keeps_state_and_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done until then is counted and told, under a code of its own; then it goes on."""
    ran = []

    def struck(case: Case) -> SeedResult:
        ran.append(case.seed)
        if len(ran) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return run_case(case)

    monkeypatch.setattr(sim, "source_commit", lambda: "c0ffee")
    monkeypatch.setattr("chaos.simulation.campaign.run_case", struck)
    state, json_file = tmp_path / "s.json", tmp_path / "r.json"
    words = ["--seeds", "0:4", "--processes", "1", "--state", str(state), "--json", str(json_file)]

    done = invoke(*words)
    assert done.return_value == 130, done.output
    assert "interrupted: every invariant held until then" in done.output
    report = from_json(json_file.read_bytes())
    assert (report.seeds, report.interrupted, bool(report.timeline)) == (2, True, True)
    assert invoke(*words).return_value == 0
    assert ran == [0, 1, 2, 3]
    report = from_json(json_file.read_bytes())
    assert (report.seeds, report.interrupted) == (4, False)
    invoke("--seeds", "0:4", "--json", str(json_file))
    assert from_json(json_file.read_bytes()).trace == report.trace


@pytest.mark.usefixtures("planted")
def test_an_interrupted_run_with_a_violation_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found counts more than who ended it."""

    def struck(case: Case) -> SeedResult:
        result = broken(case)
        if not result.held:
            os.kill(os.getpid(), signal.SIGTERM)
        return result

    monkeypatch.setattr("chaos.simulation.campaign.run_case", struck)
    done = invoke("--seeds", "0:50", "--processes", "1", "--shrink")

    assert done.return_value == 1
    assert "interrupted: 1 invariant violation" in done.output


def children(process: int) -> list[int]:
    """Return the processes that `process` has started and that live."""
    listing = ["ps", "-o", "pid=", "--ppid", str(process)]
    said = subprocess.run(listing, capture_output=True, text=True, check=False).stdout
    return [int(word) for word in said.split()]


def lives(process: int) -> bool:
    """Return whether `process` is there and works; one that nobody has reaped does not."""
    file = Path(f"/proc/{process}/stat")
    try:
        return file.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_however_it_ends_no_worker_stays(tmp_path: Path, number: int, code: int) -> None:
    """Asked by any signal, from a background in which SIGINT is ignored too, or killed."""
    json_file = tmp_path / "r.json"
    words = ["--seeds", "0:1000000000000", "--processes", "2", "--json", str(json_file)]
    running = subprocess.Popen(
        [sys.executable, "-m", "chaos", "sim", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509
    )
    assert await_true(lambda: len(children(running.pid)) >= 2)
    workers = children(running.pid)
    time.sleep(0.5)
    running.send_signal(number)
    _, errors = running.communicate(timeout=30)

    assert (running.returncode, errors) == (code, "")
    assert await_true(lambda: not any(map(lives, workers)), 10)
    if code > 0:
        assert from_json(json_file.read_bytes()).interrupted


def test_other_commits_keep_their_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state holds a count for each commit; what another one found is said and not lost."""
    state = tmp_path / "s.json"
    cases = [Case(seed) for seed in range(5)]
    old = Progress(state, RunReport("title", "command", "c0ffee", "now"), cases)
    old.report.seeds = 3
    old.report.violations = [Violation("one log", "two", "again", 2)]
    for _ in range(3):
        old.done()
    old.save()

    monkeypatch.setattr(sim, "source_commit", lambda: "beef")
    done = CliRunner().invoke(sim.command, ["--seeds", "0:2", "--state", str(state)])
    assert "3 seeds of commit c0ffee, with 1 violation: they do not count for beef" in done.output

    again = Progress(state, RunReport("title", "command", "c0ffee", "later"), cases)
    assert again.report.violations == old.report.violations
    assert again.left() == cases[3:]
    assert [(one.report.commit, one.done) for one in again.others] == [("beef", 2)]


def test_a_state_of_an_older_form_is_read(tmp_path: Path) -> None:
    """Counts that were kept under their conditions alone are those of their report's commit."""
    state = tmp_path / "s.json"
    cases = [Case(seed) for seed in range(5)]
    progress = Progress(state, RunReport("title", "command", "c0ffee", "now"), cases)
    progress.done()
    progress.save()
    state.write_text(state.read_text().replace(" at c0ffee", ""))

    later = Progress(state, RunReport("title", "command", "c0ffee", "later"), cases)
    assert later.left() == cases[1:]


def test_a_broken_state_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which file it is about, and the file stays as it was."""
    monkeypatch.setattr(sim, "source_commit", lambda: "c0ffee")
    state = tmp_path / "s.json"
    state.write_text("[]")

    outcome = CliRunner().invoke(sim.command, ["--seeds", "0:2", "--state", str(state)])

    assert outcome.exit_code == 2
    assert f"{state} is no state of a campaign" in outcome.output.replace("\n", "")
    assert state.read_text() == "[]"


def test_a_state_that_cannot_be_written_is_told_behind_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up in the middle costs the count, not the report; the code is 1."""
    monkeypatch.setattr(sim, "source_commit", lambda: "c0ffee")
    (tmp_path / "s.new").mkdir()

    words = ["--seeds", "0:2", "--processes", "1", "--state", str(tmp_path / "s.json")]
    outcome = CliRunner().invoke(sim.command, words)

    assert outcome.exit_code == 1
    assert "every invariant held" in outcome.output
    assert "s.json cannot be written" in outcome.output.replace("\n", "")


def test_a_state_without_a_commit_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources outside git, or git that refuses: its own words, not `commit first`."""
    monkeypatch.setattr(sim, "source_commit", lambda: "unknown")
    monkeypatch.setattr("chaos.simulation.progress.why_unknown", lambda: "git says: no")

    words = ["--seeds", "0:2", "--state", str(tmp_path / "s.json")]
    outcome = CliRunner().invoke(sim.command, words)

    assert outcome.exit_code == 2
    assert "git says: no" in outcome.output
    assert "commit first" not in outcome.output


def test_a_short_run_says_what_it_did_not_touch(tmp_path: Path) -> None:
    """One seed shows little: which faults never struck is in its report, by name."""
    file = tmp_path / "r.json"
    outcome = CliRunner().invoke(sim.command, ["--seeds", "0:1", "--json", str(file)])

    assert outcome.exit_code == 0, outcome.output
    report = from_json(file.read_bytes())
    named = report.left_out["faults that never struck"].split(", ")
    assert set(named) == set(FAULTS) - set(report.faults)
