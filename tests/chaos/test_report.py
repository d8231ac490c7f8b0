"""One report a run: the same for people, programs and browsers, and an exit code that is right."""

import os
import random
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from chaos.__main__ import app
from chaos.commands.seeds import seeds_of
from chaos.report.distribution import Distribution, distribution
from chaos.report.page import render
from chaos.report.publish import publish
from chaos.report.run_report import (
    Figure,
    Moment,
    Operations,
    RunReport,
    Violation,
    from_json,
    merge,
    to_json,
)
from chaos.report.section import duration
from chaos.report.source_commit import UNKNOWN, source_commit
from chaos.report.table import print_report
from chaos.report.target import TARGET_FILE
from chaos.report.timeline_picture import draw

VOID = {"meta", "br", "rect", "line"}
NASTY = "<script>alert('1')</script> & \"quoted\""


def report(**fields: object) -> RunReport:
    """Return the report of an imaginary run in which everything is filled in."""
    filled = RunReport(
        title="Real faults",
        command="python -m chaos real --minutes 2",
        commit="0123456789ab",
        started="2026-01-01T12:00:00Z",
        elapsed_seconds=126.3,
        seeds=1_000,
        seeds_per_minute=812.4,
        simulated_seconds=7_260,
        operations=Operations(acknowledged=123_456, rejected=78, unknown=9, reads=10),
        work={"steps": 3_456_789, "snapshots": 12},
        faults={"kill": 12, "pause": 30},
        left_out={"clock skew": "faketime is missing"},
        core="compiled",
        failovers_ms=[float(number) for number in range(1, 201)],
        recoveries_ms=[2_000.0],
        checks={"nothing appears or vanishes": 44},
        figures=[Figure("failover p99", "0.41 s", "up to 1 s", met=True, command="measure")],
        timeline=[
            Moment(0, "node 1", "leader", "term 1", 900),
            Moment(500, "node 2", "kill", "SIGKILL"),
        ],
    )
    for name, value in fields.items():
        setattr(filled, name, value)
    return filled


def violated() -> RunReport:
    """Return the report of a run that broke an invariant."""
    lines = [f"{10 * step:>6} ms  node {step % 3 + 1}  step {step}" for step in range(30)]
    violation = Violation(
        "no acknowledged command is lost",
        "session 3 sequence 41 was acknowledged at index 812, the log ends at 811",
        "python -m chaos sim --seeds 4711:4712",
        seed=4711,
        timeline=lines,
    )
    return report(violations=[violation], operations=Operations(acknowledged=5, lost=1))


class Checked(HTMLParser):
    """A page whose elements are closed in order, with what it refers to and says."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.references: list[str] = []
        self.text = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.references += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "onclick")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.elements.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("filled", [report(), violated()], ids=["held", "violated"])
def test_the_page_is_whole_and_needs_nothing_else(filled: RunReport) -> None:
    """One file: no script, no style sheet, no image and no font from anywhere."""
    content = render(filled)

    page = Checked(content)

    assert page.open == []
    assert page.references == []
    assert not {"script", "link", "img", "iframe"} & set(page.elements)
    assert page.elements.count("svg") == 1
    assert "url(" not in content
    assert [*re.findall(r"https?://[^\"' <]+", content)] == ["http://www.w3.org/2000/svg"]


def test_whatever_a_run_says_is_shown_as_text() -> None:
    """Names, reasons and timelines may hold anything: nothing of it becomes markup."""
    nasty = report(
        title=NASTY,
        command=NASTY,
        commit=NASTY,
        started=NASTY,
        faults={NASTY: 1},
        left_out={NASTY: NASTY},
        checks={NASTY: 1},
        figures=[Figure(NASTY, NASTY, NASTY, met=False, command=NASTY)],
        violations=[Violation(NASTY, NASTY, NASTY, timeline=[NASTY])],
        timeline=[Moment(0, NASTY, NASTY, NASTY), Moment(1, NASTY, NASTY, NASTY, 500)],
    )

    page = Checked(render(nasty))

    assert "script" not in page.elements
    assert page.open == []
    assert page.text.count("alert('1')") >= 18


def test_the_table_and_the_page_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Every fact of the report is in both, violations with their reproduction and timeline."""
    filled = violated()
    print_report(filled)
    printed = capsys.readouterr().out
    page = Checked(render(filled)).text

    for said in (printed, page):
        for fact in (
            "Real faults",
            "python -m chaos real --minutes 2",
            "0123456789ab",
            "2026-01-01T12:00:00Z",
            "2 min 06 s",
            "1,000 (812 a minute)",
            "2 h 01 min",
            "compiled",
            "1 invariant violation",
            "faketime is missing",
            "all 2 kinds",
            "failover p99",
            "up to 1 s",
            "nothing appears or vanishes",
            "no acknowledged command is lost (seed 4711)",
            "the log ends at 811",
            "python -m chaos sim --seeds 4711:4712",
            "node 3  step 29",
        ):
            assert fact in said, fact
        assert re.search(r"failover\W*200\W*100\.0\W*180\.0\W*198\.0\W*200\.0", said)


def test_a_long_timeline_of_a_violation_is_cut_at_its_begin(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The end is where it happened; what is left out is said, and so are further violations."""
    filled = violated()
    filled.violations[0].timeline = [f"step {number}" for number in range(1_000)]
    filled.violations *= 25
    print_report(filled)

    printed = capsys.readouterr().out
    assert "step 999" in printed
    assert "step 1 " not in printed
    assert "940 earlier lines are in the JSON report" in printed
    assert "and 5 more violations" in printed


def test_an_empty_report_is_shown_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that did nothing yet has a head and a verdict, no empty tables and no picture."""
    empty = RunReport("nothing", "python -m chaos sim", UNKNOWN, "2026-01-01T12:00:00Z")
    print_report(empty)

    assert "every invariant held" in capsys.readouterr().out
    page = Checked(render(empty))
    assert "table" not in page.elements
    assert "svg" not in page.elements


def test_an_invariant_that_was_never_checked_is_marked() -> None:
    """A zero among the checks is no good news."""
    content = render(report(checks={"nothing appears or vanishes": 0}))

    assert re.search(r'<tr class="bad">\s*<td[^>]*>nothing appears or vanishes', content)


def many_moments(count: int) -> list[Moment]:
    """Return a crowded timeline of five lanes and nine kinds."""
    rng = random.Random(count)
    kinds = ("kill", "pause", "partition", "leader", "heal", "eio", "flip", "latency", "restart")
    moments = []
    for _ in range(count):
        at, kind = rng.random() * 120_000, rng.choice(kinds)
        lane = rng.choice(("node 1", "node 2", "node 10", "clients", "network"))
        until = at + rng.random() * 3_000 if kind in ("pause", "partition", "latency") else -1
        moments.append(Moment(at, lane, kind, "because", until))
    return moments


@pytest.mark.parametrize("count", [2_000, 20_000])
def test_a_crowded_timeline_stays_readable(count: int) -> None:
    """Marks are bounded, each lies inside the picture, and every moment is counted somewhere."""
    moments = many_moments(count)

    picture = draw(moments)

    assert picture.marks <= 2_500
    assert sum(number for _, _, number in picture.legend) == picture.moments == count
    width, height = map(float, re.findall(r'viewBox="0 0 (\S+) (\S+)"', picture.svg)[0])
    assert height < 1_200
    for x, y in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"', picture.svg):
        assert 100 < float(x) < width
        assert 0 < float(y) < height
    repeated = [
        int(number.replace(",", "")) for number in re.findall(r"\(([\d,]+) times", picture.svg)
    ]
    assert picture.marks - len(repeated) + sum(repeated) == count
    assert len(picture.svg) < 900_000


def test_lanes_are_in_order_and_kinds_have_one_colour_each() -> None:
    """Node 10 stands behind node 2; a legend entry names each kind once."""
    picture = draw(many_moments(400))

    lanes = re.findall(r'class="lane"[^>]*>([^<]+)<', picture.svg)
    assert lanes == ["clients", "network", "node 1", "node 2", "node 10"]
    assert [kind for kind, _, _ in picture.legend] == sorted(
        {kind for kind, _, _ in picture.legend}
    )
    assert len({colour for _, colour, _ in picture.legend}) >= 8


def test_a_violation_crosses_all_lanes() -> None:
    """Where something broke is seen at a glance, and never merged away into another kind."""
    moments = [*many_moments(20_000), Moment(60_000, "clients", "violation", "lost")]

    assert draw(moments).svg.count('class="violation"') == 1


def test_one_moment_alone_has_a_picture() -> None:
    """A timeline without a length is no division by zero."""
    picture = draw([Moment(5, "node 1", "kill", "SIGKILL")])

    assert picture.marks == 1
    assert "5 ms" in picture.svg


def test_percentiles_are_times_that_were_measured() -> None:
    """By nearest rank: none is invented in between."""
    assert distribution([]) == Distribution(0, 0, 0, 0, 0)
    assert distribution([7.5]) == Distribution(1, 7.5, 7.5, 7.5, 7.5)
    assert distribution([4, 1, 3, 2]) == Distribution(4, 2, 4, 4, 4)
    assert distribution(range(1, 1_001)) == Distribution(1_000, 500, 900, 990, 1_000)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min 00 s"),
        (3_599.6, "1 h 00 min"),
        (3_660, "1 h 01 min"),
    ],
)
def test_lengths_of_time_are_said_as_people_say_them(seconds: float, said: str) -> None:
    """Tenths below a minute, seconds below an hour."""
    assert duration(seconds) == said


def test_publishing_writes_what_was_asked_for_and_tells_the_code(tmp_path: Path) -> None:
    """0 when all held and every goal was met; 1 for a violation, 1 for a missed goal."""
    json_file, html_file = tmp_path / "run.json", tmp_path / "run.html"

    assert publish(report(), json_file, html_file) == 0
    assert from_json(json_file.read_bytes()) == report()
    assert html_file.read_text() == render(report())
    assert publish(violated(), None, None) == 1
    missed = report(figures=[Figure("failover p99", "1.41 s", "up to 1 s", met=False, command="")])
    assert publish(missed, None, None) == 1


def test_a_file_that_fails_costs_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk under one file: the other is written and the table printed before it is told."""
    html_file = tmp_path / "run.html"

    with pytest.raises(click.ClickException, match="cannot be written"):
        publish(report(), tmp_path, html_file)
    assert html_file.exists()
    assert "every invariant held" in capsys.readouterr().out


def test_nobody_has_to_read_what_is_printed(tmp_path: Path) -> None:
    """Into a closed pipe, as behind `head`: the files are whole and the code is the run's."""
    saved = tmp_path / "saved.json"
    saved.write_bytes(to_json(violated()))
    json_file, html_file = tmp_path / "again.json", tmp_path / "again.html"
    reader, writer = os.pipe()
    os.close(reader)

    command = [sys.executable, "-m", "chaos", "report", str(saved)]
    done = subprocess.run(
        [*command, "--json", str(json_file), "--html", str(html_file)],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (1, "")
    assert from_json(json_file.read_bytes()) == violated()
    assert html_file.read_text() == render(violated())


@pytest.mark.parametrize("name", ["sim", "mutants", "real", "powerloss", "measure", "attack"])
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_target_is_looked_at_before_the_run(tmp_path: Path, name: str, option: str) -> None:
    """A folder that is missing or in the way is wrong usage at once, and none is made."""
    for target in (tmp_path / "missing" / "report", tmp_path):
        outcome = CliRunner().invoke(app, [name, option, str(target)])
        assert outcome.exit_code == 2, outcome.output
        assert "folder" in outcome.output
    assert not list(tmp_path.iterdir())


def test_a_write_protected_target_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for root on a read-only disk: the system is asked, not the permissions."""
    monkeypatch.setattr("os.access", lambda _path, _mode: False)

    with pytest.raises(click.BadParameter, match="write-protected"):
        TARGET_FILE.convert("report.json", None, None)


def test_an_interrupted_run_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """In its first sentence, with what held until then or what did not."""
    print_report(report(interrupted=True))
    assert "interrupted: every invariant held until then" in capsys.readouterr().out
    broken = violated()
    broken.interrupted = True
    assert "interrupted: 1 invariant violation" in Checked(render(broken)).text


def test_each_violation_has_its_own_picture() -> None:
    """Beside its lines; the run's timeline is not drawn again when it is that of a violation."""
    moments = [Moment(0, "node 1", "leader", "term 1", 900), Moment(7, "node 1", "violation", "")]
    filled = violated()
    filled.violations[0].moments = moments
    filled.timeline_of = "seed 5"

    page = Checked(render(filled))
    assert page.elements.count("svg") == 2
    assert "Timeline of seed 5" in page.text
    filled.timeline = moments
    page = Checked(render(filled))
    assert page.open == []
    assert page.elements.count("svg") == 1


def test_a_timeline_of_one_part_is_not_mixed_with_others() -> None:
    """Merged reports of simulations show the first one's seed, not several at the same time."""
    one, other = report(timeline_of="seed 1"), report(timeline_of="seed 2")

    assert merge([one, other]).timeline == one.timeline
    assert merge([one, other]).timeline_of == "seed 1"
    assert len(merge([report(), report()]).timeline) == 4


@pytest.mark.parametrize("seeds", ["5:5", "10:5", "0:0", "-1:3", "1:", "0:1" + 30 * "0", "x"])
def test_no_seeds_are_no_run(seeds: str) -> None:
    """A range that is empty, or no range, is wrong usage: it must not pass for one that held."""
    with pytest.raises(click.BadParameter):
        seeds_of(None, None, seeds)  # type: ignore[arg-type]


def test_saved_reports_are_shown_and_merged(tmp_path: Path) -> None:
    """`report` adds counts up, joins lists, writes a page, and ends with 1 for any violation."""
    for number, content in enumerate((report(), report(), violated())):
        (tmp_path / f"{number}.json").write_bytes(to_json(content))
    files = [str(tmp_path / f"{number}.json") for number in range(3)]
    html, merged = tmp_path / "all.html", tmp_path / "all.json"

    def run(*arguments: str) -> tuple[int, str]:
        outcome = CliRunner().invoke(app, ["report", *arguments], standalone_mode=False)
        assert outcome.exception is None
        return int(outcome.return_value), outcome.output

    assert run(files[0])[0] == 0
    assert run(files[2])[0] == 1
    code, output = run(*files[:2], "--html", str(html), "--json", str(merged), "--title", "Soak")
    assert code == 0
    assert "2,000 (475 a minute)" in output  # Of the seeds and the minutes that they took.
    assert from_json(merged.read_bytes()).faults == {"kill": 24, "pause": 60}
    assert "<h1>Soak</h1>" in html.read_text()
    assert run(*files)[0] == 1


def test_what_is_no_report_is_said(tmp_path: Path) -> None:
    """A file of something else ends the command with its name."""
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"title": 3}')

    outcome = CliRunner().invoke(app, ["report", str(wrong)])

    assert outcome.exit_code == 1
    assert "is no saved report" in outcome.output


def test_the_commit_of_the_sources_is_told_or_unknown(tmp_path: Path) -> None:
    """A clone has one, marked when its files differ; a copy inside another clone has none."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert source_commit(tmp_path) == UNKNOWN
    git("init", "-q")
    assert source_commit(tmp_path) == UNKNOWN
    (tmp_path / "file").write_text("one")
    (tmp_path / "inner").mkdir()
    git("add", "file")
    git("commit", "-q", "-m", "one", "--no-gpg-sign")
    assert source_commit(tmp_path) == git("rev-parse", "HEAD")[:12]
    (tmp_path / "file").write_text("two")
    assert source_commit(tmp_path) == git("rev-parse", "HEAD")[:12] + "+changes"
    assert source_commit(tmp_path / "inner") == UNKNOWN
