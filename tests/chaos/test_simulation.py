"""The simulation: one seed is one run, what is broken is found, shrunk and told."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner

from chaos.commands.sim import command
from chaos.report.run_report import RunReport
from chaos.simulation import quiet_logs
from chaos.simulation.cluster import Cluster
from chaos.simulation.faults.registry import FAULTS
from chaos.simulation.invariants.registry import INVARIANTS
from chaos.simulation.progress import Progress
from chaos.simulation.seed_run import Case, SeedResult, run_case
from chaos.simulation.shrink import Shrinker
from chaos.simulation.timeline import lines, run_recorded

SEEDS = range(int(os.environ.get("CHAOS_SEEDS", "40")))
VIOLATED_ONCE = (2436, 7105)
"""Seeds that once ended with a violation. What they found has a scenario of its own: as workloads
grow, a seed comes to be another run."""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """Keep the logs of simulated nodes out of the way, and nobody else's."""
    quiet_logs.silence()
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("nodes", [3, 5])
def test_every_invariant_holds(nodes: int) -> None:
    """Whatever breaks, nothing acknowledged is lost, and all replicas agree to the byte."""
    acknowledged = 0
    kinds: set[str] = set()
    looked: set[str] = set()
    for seed in SEEDS if nodes == 3 else SEEDS[: len(SEEDS) // 4]:
        result = run_case(Case(seed, nodes))
        assert result.held, f"{result.case.command()}: {result.invariant}: {result.what}"
        looked |= {name for name, times in result.checks.items() if times}
        acknowledged += result.acknowledged
        kinds |= set(result.faults)
    assert acknowledged > 1_000
    assert looked == {invariant.name for invariant in INVARIANTS}
    assert nodes == 5 or len(kinds) > 3 * len(FAULTS) // 4


@pytest.mark.parametrize("seed", VIOLATED_ONCE)
def test_what_was_violated_once_holds(seed: int) -> None:
    """The seeds of repaired faults, again."""
    result = run_case(Case(seed))
    assert result.held, f"{result.case.command()}: {result.invariant}: {result.what}"


def trace_in_process(seed: int, **environment: str) -> str:
    """Return the trace hash of a seed, run in an interpreter of its own."""
    code = (
        "import sys; from chaos.simulation.quiet_logs import silence; silence()\n"
        "from chaos.simulation.seed_run import Case, run_case\n"
        "print(run_case(Case(int(sys.argv[1]))).trace_hash)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(seed)],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_one_seed_is_one_run() -> None:
    """To the last byte and nanosecond: whatever the hash seed, compiled or pure, twice in a row."""
    here = run_case(Case(12)).trace_hash

    assert run_case(Case(12)).trace_hash == here
    assert run_case(Case(13)).trace_hash != here
    assert trace_in_process(12, PYTHONHASHSEED="0") == here
    assert trace_in_process(12, PYTHONHASHSEED="4711", QUORUMBOOK_PURE="1") == here


def test_a_plan_without_faults_is_calm() -> None:
    """With no fault nothing fails over, and every client is served."""
    result = run_case(Case(3, kinds=()))

    assert result.held
    assert result.faults == {}
    assert result.acknowledged > 20


def plant(cluster: Cluster) -> None:
    """Have every node commit with one disk fewer than a majority."""
    for host in cluster.hosts.values():
        assert host.node is not None
        host.node.replica.guard.replication._quorum -= 1


def broken_run(case: Case) -> SeedResult:
    """Run a case with the planted mistake."""
    return run_case(case, on_cluster=plant)


def test_a_mistake_is_found_shrunk_and_can_be_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A violation names its invariant; fewer faults and a shorter run still show the same one."""
    failed = next(result for seed in range(20) if not (result := broken_run(Case(seed))).held)
    assert failed.invariant == "durable on a quorum"
    monkeypatch.setattr("chaos.simulation.shrink.run_case", broken_run)

    smallest = Shrinker(failed, 60).shrink()

    assert smallest.invariant == failed.invariant
    assert len(smallest.case.plan()) <= len(failed.case.plan())
    assert "--seeds" in smallest.case.command()
    again = broken_run(smallest.case)
    assert (again.invariant, again.what) == (smallest.invariant, smallest.what)


def test_a_timeline_can_be_followed() -> None:
    """Starts, leaders, faults and the end of all faults are lines with a time and a place."""
    case = Case(12)
    told = "\n".join(lines(run_recorded(case).timeline))

    assert "node 1" in told
    assert "leads term" in told
    assert "all faults end" in told
    assert run_recorded(case).trace_hash == run_case(case).trace_hash


def test_a_campaign_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """A slice leaves the count behind; the next one adds to it; other code starts over."""
    state = tmp_path / "state.json"
    cases = [Case(seed) for seed in range(5)]
    first = Progress(state, RunReport("title", "command", "c0ffee", "now"), cases)
    first.report.seeds = 3
    for _ in range(3):
        first.done()
    first.save()

    second = Progress(state, RunReport("title", "command", "c0ffee", "later"), cases)
    assert second.report.seeds == 3
    assert second.left() == cases[3:]
    for other in (
        Progress(state, RunReport("title", "command", "beef", "later"), cases),
        Progress(state, RunReport("title", "command", "c0ffee", "later"), cases[1:]),
        Progress(state, RunReport("title", "command", "c0ffee", "later"), [Case(0, 5)]),
    ):
        assert other.report.seeds == 0
    with pytest.raises(ValueError, match="commit first"):
        Progress(state, RunReport("title", "command", "c0ffee+changes", "later"), cases)


def test_the_command_reports_and_refuses() -> None:
    """A run ends with 0 and a table; a fault or a range that does not exist is usage, 2."""
    done = CliRunner().invoke(
        command, ["--seeds", "0:2", "--processes", "1"], standalone_mode=False
    )
    assert done.return_value == 0
    assert "exactly once" in done.output
    assert CliRunner().invoke(command, ["--faults", "gremlins"]).exit_code == 2
    assert CliRunner().invoke(command, ["--seeds", "many"]).exit_code == 2
    listed = CliRunner().invoke(command, ["--list-faults"], standalone_mode=False).output
    assert listed.split() == list(FAULTS)
