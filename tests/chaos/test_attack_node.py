"""Attacks on real nodes: nobody gets in, the books agree, nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from chaos.attack import authentication, overload_report
from chaos.attack.attempts import Tally
from chaos.attack.authentication import Books
from chaos.attack.crowd import raise_descriptors, source_address
from chaos.attack.crowd_orders import orders
from chaos.attack.knock import CLOSED, Answer
from chaos.attack.options import AttackOptions
from chaos.attack.overload import Course, Phase
from chaos.report.run_report import RunReport, from_json
from cluster.delivery import Latencies, frame_offsets
from cluster.demonstration import free_base_port
from cluster.processes import is_free
from config import Endpoint
from node.protocol.framing import FrameScanner
from node.protocol.refusals import Refusal

OPTIONS = AttackOptions(
    state=Path("unused"),
    seed="1",
    executions=1,
    seconds=1.0,
    attempts=12,
    connections=100,
    jobs=1,
    engine="mutation",
    targets=(),
    base_port=17_400,
    quick=True,
)
STATUS = {
    "gateway": {"refusals": {"SIGNATURE_INVALID": 3}},
    "venue": {
        "rejections": {},
        "sessions": 1,
        "accounts": 1,
        "events": 1,
        "markets": 1,
        "open_orders": 0,
    },
}


def attack(part: str, folder: Path, *more: str, port: int) -> "subprocess.Popen[bytes]":
    """Start an attack whose cluster and report lie in `folder`."""
    words = ["attack", part, "--quick", "--base-port", str(port), "--json", str(folder / "r.json")]
    return subprocess.Popen(
        [sys.executable, "-m", "chaos", *words, *more],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def left_behind(folder: Path) -> list[Path]:
    """Return what an attack has left in its folder."""
    return list(folder.glob("quorumbook-attack-*"))


def test_nobody_gets_in_and_the_books_agree(tmp_path: Path) -> None:
    """Every kind of attempt is refused by name or closed, and counted by the nodes to the last."""
    with attack("authentication", tmp_path, "--attempts", "300", port=free_base_port()) as process:
        output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output.decode()
    report = from_json((tmp_path / "r.json").read_bytes())

    assert report.held
    assert all(figure.met for figure in report.figures), report.figures
    assert len({check.partition(":")[0] for check in report.checks}) >= 12
    assert "append-only audit log" in report.left_out
    assert left_behind(tmp_path) == []


def test_a_crowd_is_held_while_others_trade(tmp_path: Path) -> None:
    """A small one: what it reached and what others measured is in the report, and it is gone."""
    more = ("--connections", "120", "--seconds", "7")
    with attack("overload", tmp_path, *more, port=free_base_port()) as process:
        output, _ = process.communicate(timeout=250)
    report = from_json((tmp_path / "r.json").read_bytes())
    figures = {figure.name: figure for figure in report.figures}

    assert report.held, output.decode()
    assert figures["cancels under overload"].met
    assert figures["memory of a node under overload"].met
    assert report.faults["connections held"] >= 119
    assert report.faults["commands flooded"] > 0
    assert left_behind(tmp_path) == []


def test_an_interrupted_attack_leaves_nothing(tmp_path: Path) -> None:
    """SIGTERM in the middle stops the nodes and removes their folders."""
    port = free_base_port()
    process = attack("overload", tmp_path, port=port)
    http = Endpoint("127.0.0.1", port + 32)
    while is_free(http):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=100)

    assert process.returncode != 0
    assert is_free(http)
    assert left_behind(tmp_path) == []


def closed_books(after: int, logged: int) -> Books:
    """Return the books of one node that counted `after` refusals more, and wrote of `logged`."""
    books = Books({1: STATUS})
    refused = {"SIGNATURE_INVALID": 3 + after}
    books.after = {1: {**STATUS, "gateway": {"refusals": refused}}}
    books.logins_logged = logged
    books.elapsed_seconds = 1.0
    return books


def tally_of(*answers: Answer) -> Tally:
    """Return a tally of one answer to each of a dozen kinds, and `answers`."""
    tally = Tally()
    for kind in range(12):
        tally.add(f"kind {kind}", CLOSED)
    for answer in answers:
        tally.add("wrong key", answer)
    return tally


REFUSED = Answer("SIGNATURE_INVALID", refusal=Refusal.SIGNATURE_INVALID, logged=1)


@pytest.mark.parametrize(
    ("answers", "after", "logged", "unmet"),
    [
        ((REFUSED, REFUSED), 2, 2, set()),
        ((REFUSED, Answer("OK", accepted=True)), 1, 1, {"authentication bypassed"}),
        ((REFUSED, REFUSED), 1, 2, {"refusals counted by the nodes"}),
        ((REFUSED, REFUSED), 2, 1, {"refused logins and peers in the logs"}),
    ],
)
def test_what_was_accepted_or_not_counted_is_told(
    answers: tuple[Answer, ...], after: int, logged: int, unmet: set[str]
) -> None:
    """One accepted attempt fails the figure, and so does one that the nodes do not know of."""
    report = RunReport("a test", "", "", "")
    authentication._add(report, tally_of(*answers), closed_books(after, logged), OPTIONS)

    assert {figure.name for figure in report.figures if not figure.met} == unmet
    assert report.held == ("authentication bypassed" not in unmet)


def phase(p99_ms: float, *, crowded: bool, cancels: int = 50) -> Phase:
    """Return a phase with that p99 in which that many of 50 cancels were accepted."""
    nanoseconds = round(p99_ms * 1e6)
    latency = Latencies(100, nanoseconds, nanoseconds, nanoseconds, nanoseconds, nanoseconds)
    codes = Counter({"OK": 50 + cancels})
    counted = Counter({"OK": cancels, "MARKET_NOT_OPEN": 50 - cancels})
    one = Phase(crowded, 0.0, 1_000.0, latency, codes, +counted, {1: 1 << 26})
    one.connections, one.flooded = 100, 10_000
    one.crowd = {"refused": {}, "held": 100, "half_open": 1, "unanswered": 0, "failed": 0}
    return one


def test_the_ratio_is_to_the_quiet_phases_beside() -> None:
    """A machine that becomes slower in the middle is no fault of the crowd's."""
    course = Course(
        [phase(ms, crowded=bool(place % 2)) for place, ms in enumerate((10, 15, 20, 90, 40))]
    )

    assert course.ratios() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("crowded_ms", "cancels", "unmet"),
    [
        (19.0, 50, set()),
        (21.0, 50, {"others' p99 under overload"}),
        (19.0, 49, {"cancels under overload"}),
    ],
)
def test_an_overload_that_is_noticed_is_told(
    crowded_ms: float, cancels: int, unmet: set[str]
) -> None:
    """Twice the latency, or one cancel that was not accepted, fails its figure."""
    course = Course(
        [
            phase(10.0, crowded=False),
            phase(crowded_ms, crowded=True, cancels=cancels),
            phase(10.0, crowded=False),
        ],
        terms=[1],
    )
    report = RunReport("a test", "", "", "")
    overload_report.add_course(report, course, OPTIONS, 1 << 30)

    assert {figure.name for figure in report.figures if not figure.met} == unmet


def test_orders_of_a_crowd_are_whole_frames_in_pairs() -> None:
    """A scanner admits them all, and each order is cancelled by its name."""
    frames = orders(5, 3, 10, Random(1))
    scanner = FrameScanner(4_096)
    scanner.open(1, 5, 64)
    scanner.feed(frames)

    assert (scanner.count, scanner.refusal) == (10, 0)
    assert [behind - at for at, behind in pairwise(frame_offsets(frames))] == [48, 40] * 5


def test_a_crowd_comes_from_many_addresses_of_the_loopback_only() -> None:
    """Each address has its share, and none is outside 127.0.0.0/8."""
    found = Counter(source_address(place, 1_250) for place in range(10_000))

    assert set(found.values()) == {1_250}
    assert all(address.startswith("127.0.") for address in found)
    assert raise_descriptors(16) >= 16
