"""Real runs, short ones: what they promise, what they find, and that nothing is left of them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaos.checkers.finding import ANSWERED
from chaos.real.abilities import NETWORK, VOLUMES, Abilities
from chaos.real.belongings import MARK, processes_of
from chaos.real.diary import Diary
from chaos.real.leftovers import remove_leftovers
from chaos.real.losses import LOSSES
from chaos.real.verdict import judge_round
from chaos.report.run_report import RunReport, from_json
from tests.chaos.processes import await_true

RATE = "400"
WRONG_CLOCK = Path(__file__).parents[2] / "chaos" / "real" / "wrong_clock"


def words(*more: str) -> list[str]:
    """Return the command of a run."""
    return [sys.executable, "-m", "chaos", "real", "--nodes", "3", "--rate", RATE, *more]


def play(json_file: Path, *more: str) -> tuple[subprocess.CompletedProcess[str], RunReport]:
    """Play a short run to its end."""
    done = subprocess.run(
        words("--minutes", "0.1", "--seed", "5", "--json", str(json_file), *more),
        capture_output=True,
        text=True,
        check=False,
    )
    assert json_file.exists(), done.stdout + done.stderr
    return done, from_json(json_file.read_bytes())


@contextmanager
def running() -> Iterator["subprocess.Popen[bytes]"]:
    """Start a long run and come back once its clients trade; it is killed in the end."""
    process = subprocess.Popen(
        words("--minutes", "5"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert await_true(lambda: any(_homes(process.pid, "round-1/recordings/*.told")))
        yield process
    finally:
        process.kill()
        process.wait()


def _homes(owner: int, pattern: str) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"{MARK}-{owner}-*/{pattern}"))


def remains_of(owner: int) -> list[str]:
    """Return what is there of a run: processes, folders, namespaces and mounts."""
    mounts = Path("/proc/self/mounts").read_text()
    return [
        *(f"process {process}" for process in processes_of(owner)),
        *(str(home) for home in Path(tempfile.gettempdir()).glob(f"{MARK}-{owner}-*")),
        *(str(namespace) for namespace in Path("/run/netns").glob(f"{MARK}-{owner}-*")),
        *(line for line in mounts.splitlines() if f"{MARK}-{owner}-" in line),
    ]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunReport, int, Path]]:
    """Return the report, the exit code and the kept round of a run without root."""
    folder = tmp_path_factory.mktemp("kept")
    faults = "kill-leader,restart,pause-follower,client-killed,journal-flip,half-open-logins"
    done, report = play(
        folder / "report.json", "--rootless", "--faults", faults, "--keep", str(folder / "rounds")
    )
    yield report, done.returncode, folder / "rounds" / "round-1"
    shutil.rmtree(folder)


def test_a_run_without_root_holds(kept: tuple[RunReport, int, Path]) -> None:
    """It ends with 0, has broken something, lost nothing, and says what it left out and why."""
    report, code, _ = kept

    assert (report.violations, code) == ([], 0)
    assert report.faults
    assert report.operations.acknowledged > 0
    assert report.operations.lost == report.operations.duplicated == 0
    assert report.checks[LOSSES] >= report.operations.acknowledged
    assert report.checks[ANSWERED] > 0
    assert report.left_out["partition-minority"]
    assert report.left_out["kill-follower"] == "not asked for"


def test_an_acknowledgement_that_is_not_in_the_log_is_found(
    kept: tuple[RunReport, int, Path], tmp_path: Path
) -> None:
    """One told command too many in a recording, and the verdict is a violation."""
    recorded = tmp_path / "recordings"
    shutil.copytree(kept[2] / "recordings", recorded)
    told = max(recorded.glob("*.told"), key=lambda file: file.stat().st_size)
    content = bytearray(told.read_bytes())
    content[32 + 32] ^= 1  # The first reply's result, behind the head of its record.
    told.write_bytes(content)
    diary = Diary("again", 1)

    judgement = judge_round(sorted((kept[2] / "cluster").glob("node-*")), recorded, tmp_path, diary)

    assert judgement.operations.altered > 0
    assert diary.violations


def test_an_answer_that_the_log_does_not_give_is_found(
    kept: tuple[RunReport, int, Path], tmp_path: Path
) -> None:
    """One bit of what one linearizable query was answered, and the verdict is a violation."""
    recorded = tmp_path / "recordings"
    shutil.copytree(kept[2] / "recordings", recorded)
    told = next(file for file in sorted(recorded.glob("*.read")) if file.stat().st_size)
    content = told.read_bytes()
    answered = int.from_bytes(content[8:16], "little")
    assert answered, "the first query had no answer"
    size = sum(int.from_bytes(content[at : at + 8], "little") for at in (24, 32))
    told.write_bytes(content[: 40 + size - 1] + bytes([content[40 + size - 1] ^ 1]))
    diary = Diary("again", 1)

    judge_round(sorted((kept[2] / "cluster").glob("node-*")), recorded, tmp_path, diary)

    assert {violation.invariant for violation in diary.violations} == {ANSWERED}


def test_a_loss_that_is_nowhere_recorded_is_found(
    kept: tuple[RunReport, int, Path], tmp_path: Path
) -> None:
    """What the clients counted as lost must be told by name."""
    diary = Diary("again", 1)
    folders = sorted((kept[2] / "cluster").glob("node-*"))

    judge_round(folders, kept[2] / "recordings", tmp_path, diary, lost=1_000_000)

    assert [violation.invariant for violation in diary.violations] == [LOSSES]


def test_a_run_in_namespaces_holds(tmp_path: Path) -> None:
    """Links, disks and system calls are broken, and nothing is lost."""
    lacking = Abilities().lack((NETWORK, VOLUMES))
    if lacking:
        pytest.skip(f"no namespaces or disks: {lacking}")
    done, report = play(tmp_path / "report.json", "--faults", "leader-isolated,loss,power-cut")

    assert (report.violations, done.returncode) == ([], 0)
    assert report.faults
    assert report.operations.lost == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_an_interrupted_run(number: signal.Signals) -> None:
    """It ends by itself, not with 0, and everything that it made is gone."""
    with running() as process:
        assert remains_of(process.pid)
        process.send_signal(number)
        assert process.wait(60) == 1
        assert remains_of(process.pid) == []


def test_the_next_run_removes_what_a_killed_one_left() -> None:
    """Processes, folders, namespaces and mounts of a run that was killed are removed."""
    with running() as process:
        process.kill()
        process.wait()
        assert remains_of(process.pid)
        removed = remove_leftovers()

        assert any(what.startswith("process") for what in removed)
        assert remains_of(process.pid) == []


def test_an_unknown_fault_is_named() -> None:
    """It is a usage error that says where to look."""
    done = subprocess.run(
        words("--faults", "gremlins"), capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "--list-faults" in done.stderr


def test_a_wrong_clock_is_wrong_by_what_its_file_says(tmp_path: Path) -> None:
    """A process on that path has another wall clock, anew each time, and a true monotonic one."""
    said = tmp_path / "clock"
    said.write_text("+7200\n")
    script = (
        "import time; print(time.time_ns(), time.monotonic_ns(), flush=True); "
        f"open({str(said)!r}, 'w').write('-7200'); print(time.time_ns())"
    )
    before = time.time_ns(), time.monotonic_ns()
    printed = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(WRONG_CLOCK), "QUORUMBOOK_CHAOS_CLOCK": str(said)},
    ).stdout.split()
    after = time.time_ns(), time.monotonic_ns()
    first, monotonic, second = (int(number) for number in printed)

    assert before[0] <= first - 7_200_000_000_000 <= after[0]
    assert before[0] <= second + 7_200_000_000_000 <= after[0]
    assert before[1] <= monotonic <= after[1]
