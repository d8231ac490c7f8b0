"""One report a run: the same for people, programs and browsers, and an exit code that is right."""

import random
import re
from html.parser import HTMLParser

import pytest

from chaos.report.distribution import Distribution, distribution
from chaos.report.page import render
from chaos.report.run_report import (
    Figure,
    Moment,
    Operations,
    RunReport,
    Violation,
    merge,
)
from chaos.report.section import duration
from chaos.report.source_commit import UNKNOWN
from chaos.report.table import print_report
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
