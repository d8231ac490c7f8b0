"""Figures that are measured: what is counted for what, and that no run leaves anything."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from nacl.signing import SigningKey

from chaos.disks.damage import Damage, DamageKind, Duty, Part
from chaos.disks.journal_layout import read_layout
from chaos.measure import failover, pauses, recovery
from chaos.measure.aimed_damage import (
    CLUSTER_KEY,
    GENESIS,
    IDENTITY_SEAL,
    cut_between_records,
    damage_file,
)
from chaos.measure.damage_trial import Ending, Trial
from chaos.measure.effort import Effort
from chaos.measure.pauses import Pause
from chaos.measure.percentile import percentile, spread
from chaos.measure.slow_disk import NoCompilerError, SlowDisk, build_library
from chaos.measure.trader import Arrival, Trader
from chaos.report.run_report import RunReport, from_json
from chaos.silence import Silence
from cluster.flow_generator import generate_flow
from cluster.flow_stage import Stage
from config import Endpoint
from node._pure import build_form
from node.audit.directory import read_journal
from tests.chaos.processes import await_true, nodes_in
from tests.unit.audited_cluster import build_log, write_node

MS = 1_000_000
MAPPED = """
import os, sys
os.fdatasync(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT))
print(open("/proc/self/maps").read())
"""


@pytest.fixture
def effort() -> Effort:
    """Return a measurement that reports to nobody but its report."""
    return Effort(RunReport("a test", "", "", ""), "python -m chaos measure", lambda _text: None)


@pytest.fixture
def trader() -> Trader:
    """Return one that sends a command every ms since its clock showed 0."""
    rows = generate_flow(10, runners=1, seed=1).rows
    endpoints = [Endpoint("127.0.0.1", 9)]
    made = Trader(endpoints, SigningKey.generate(), rows, Stage(1, (), ()), rate=1_000)
    made.started_ns = 0
    return made


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """The smallest that the share does not exceed; of few values a high one is the largest."""
    values = [float(value) for value in range(100, 0, -1)]

    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [50.0, 99.0, 100.0]
    assert percentile([3.0, 1.0], 0.99) == 3.0
    assert spread([2.0, 1.0]) == "p50 1, p99 2, least 1, most 2 ms of 2"
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_a_silence_counts_for_every_command_that_was_due_in_it(trader: Trader) -> None:
    """Latency is from when a command was due, not from when it could be sent."""
    trader.arrivals = [Arrival(0, 100, 100 * MS), Arrival(100, 400, 500 * MS)]

    inside = trader.latencies_ms(100 * MS, 500 * MS)

    assert len(inside) == 400
    assert (max(inside), min(inside)) == (400.0, 1.0)
    assert trader.latencies_ms(50 * MS, 52 * MS) == [50.0, 49.0]


def test_a_failover_ends_with_the_first_client_that_is_served_again(effort: Effort) -> None:
    """From anybody's last old reply to anybody's first new one; the slowest is told beside it."""
    rounds = [
        [Silence(10 * MS, 350 * MS), Silence(60 * MS, 300 * MS), Silence(20 * MS, 1_400 * MS)]
    ]

    failover._report(effort, rounds, [], "a machine")

    figures = {figure.name: figure for figure in effort.report.figures}
    assert effort.report.failovers_ms == [240.0]
    assert figures["failover, p50"].met
    slowest = [figure for name, figure in figures.items() if "slowest" in name]
    assert [figure.met for figure in slowest] == [False, False]


def test_a_recovery_says_what_was_replayed_and_by_which_form(effort: Effort) -> None:
    """Whole time counts, not that with a core; groups of another size are a figure of their own."""
    slow = [recovery.Recovery(500.0, applied_ms, 2.0) for applied_ms in (4_000.0, 5_100.0, 6_000.0)]

    recovery._report(effort, slow, (0.4, 4.5, 4.9), "", "9 commands in 3 groups; pure form")
    recovery._report(effort, slow[:1], (0.6, 4.5, 4.9), " from small groups", "9 in 9 groups")

    named = {figure.name: figure for figure in effort.report.figures}
    assert [figure.met for figure in named.values()] == [False, True, True, False]
    whole, alone, small, small_alone = named
    assert "9 commands in 3 groups; pure form" in named[whole].value
    assert (alone, small_alone) == ("replay alone", "replay from small groups alone")
    assert small.startswith("recovery from small groups, ")


@pytest.mark.parametrize(
    ("real_ms", "machine_ms", "elected", "met"),
    [(99.0, 0.0, False, True), (99.0, 0.0, True, False), (99.0, 60.0, True, True)],
)
def test_only_an_election_that_the_machine_did_not_cause_is_false(
    effort: Effort,
    real_ms: float,
    machine_ms: float,
    elected: bool,
    met: bool,
) -> None:
    """A pause that the machine made longer is counted apart, and said."""
    pauses._report_short(effort, [Pause(1, True, real_ms, machine_ms, elected)], "a machine")

    assert [figure.met for figure in effort.report.figures] == [met]


def test_a_pause_beyond_the_limit_may_elect(effort: Effort) -> None:
    """What is told is the shortest pause, as long as it really was, that led to an election."""
    longer = {
        120: [Pause(1, True, 121.0, 0.0, False)],
        300: [Pause(1, True, 302.0, 0.0, True)],
    }

    pauses._report_sweep(effort, longer)

    (figure,) = effort.report.figures
    assert figure.met
    assert figure.value.startswith("302 ms (120 ms: 0/1, 300 ms: 1/1)")


def trial(duty: Duty, ending: Ending, name: str = "segment-1.journal") -> Trial:
    """Return a trial of a removed file of which this is owed, and that ended so."""
    damage = Damage(DamageKind.REMOVED, Part.JOURNAL, Path(name), 0, 1, duty, "", b"")
    return Trial(damage, "stopped", ending, "")


def test_damage_is_accounted_for_only_by_what_is_owed() -> None:
    """A crash, a difference and a start on what must be refused never pass."""
    for duty in Duty:
        assert trial(duty, Ending.REFUSED).accounted
        assert not any(
            trial(duty, ending).accounted
            for ending in (Ending.CRASHED, Ending.WRONG, Ending.SHUT_OUT, Ending.ABSENT)
        )
    assert not trial(Duty.REFUSE, Ending.UNTOUCHED).accounted
    assert not trial(Duty.TELL, Ending.CAUGHT_UP).accounted
    assert trial(Duty.CATCH_UP, Ending.CAUGHT_UP).accounted


@pytest.mark.parametrize("kind", list(DamageKind))
@pytest.mark.parametrize("name", [GENESIS, CLUSTER_KEY, IDENTITY_SEAL])
def test_an_aimed_injury_is_done_and_says_what_it_was(
    tmp_path: Path, name: str, kind: DamageKind
) -> None:
    """The file differs afterwards, within the bytes that are named; who a node is must be true."""
    before = bytes(range(1, 65))
    (tmp_path / name).write_bytes(before)

    damage = damage_file(tmp_path, name, kind, Random(4))

    after = (tmp_path / name).read_bytes() if kind is not DamageKind.REMOVED else None
    assert after != before
    if after is not None:
        assert after[: damage.offset] == before[: damage.offset]
    assert damage.duty is (Duty.START if name == IDENTITY_SEAL else Duty.REFUSE)


def test_a_journal_cut_between_records_looks_whole(tmp_path: Path) -> None:
    """It can be read, and holds less than before."""
    folder = write_node(tmp_path / "node", build_log(60))
    whole = len(read_journal(folder / "journal")[1])

    cut_between_records(folder, Random(2))

    assert len(read_journal(folder / "journal")[1]) < whole
    assert read_layout(folder / "journal")


def test_a_slow_disk_is_of_the_processes_that_were_started_on_it(tmp_path: Path) -> None:
    """They have the library and the delay mapped, which is changed in place; others have not."""
    try:
        library = build_library(tmp_path)
    except NoCompilerError as error:
        pytest.skip(f"no slow disk: {error}")
    disk = SlowDisk(tmp_path, library, 1)
    control = tmp_path / "sync-delay-1"
    place, before = control.stat().st_ino, dict(os.environ)
    disk.delay(1.5)
    words = [sys.executable, "-c", MAPPED, str(tmp_path / "file")]
    with disk.preloaded():
        inside = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    outside = subprocess.run(words, capture_output=True, text=True, check=True).stdout

    assert [str(path) in inside for path in (library, control)] == [True, True]
    assert str(library) not in outside
    assert (control.stat().st_ino, control.read_bytes()) == (place, (1_500).to_bytes(4, "little"))
    assert dict(os.environ) == before


def measure(folder: Path, *words: str) -> "subprocess.Popen[bytes]":
    """Start a quick measurement whose cluster and report lie in `folder`."""
    return subprocess.Popen(
        [sys.executable, "-m", "chaos", "measure", *words, "--json", str(folder / "r.json")],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def left_behind(folder: Path) -> list[Path]:
    """Return what a measurement has left in its folder."""
    return list(folder.glob("quorumbook-measure-*"))


def test_a_killed_leader_costs_nobody_an_acknowledged_command(tmp_path: Path) -> None:
    """The quick form fills the report whole, finds everything afterwards, and leaves nothing."""
    with measure(tmp_path, "failover", "--quick", "--times", "1") as process:
        _, output = process.communicate(timeout=200)
    report = from_json((tmp_path / "r.json").read_bytes())
    figures = {figure.name: figure for figure in report.figures}

    assert report.held, output.decode()
    assert len(report.failovers_ms) == len(report.recoveries_ms) == 1
    assert figures["acknowledged commands found afterwards"].met
    assert report.operations.lost == report.operations.diverged == 0
    assert report.core == build_form()
    assert ("compiled core" in report.left_out) == (report.core == "pure")
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_measurement_leaves_nothing(tmp_path: Path, kind: signal.Signals) -> None:
    """Nodes, paused ones too, and folders are gone with the run, whichever way it ends."""
    with measure(tmp_path, "pauses", "--quick") as process:
        assert await_true(lambda: len(nodes_in(tmp_path)) == 3, 100.0)
        process.send_signal(kind)
        process.communicate(timeout=100)

    assert process.returncode != 0
    assert await_true(lambda: not nodes_in(tmp_path))
    assert left_behind(tmp_path) == []
