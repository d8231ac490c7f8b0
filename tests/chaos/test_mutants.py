"""Planted bugs: each patch fits the sources as they are, and the simulation sees what it should."""

import ast
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from chaos.commands.mutants import command
from chaos.disks.workplace import remove_leftovers
from chaos.mutants.mutant import Mutant
from chaos.mutants.planting import SOURCES, StalePatchError, patched, planted
from chaos.mutants.registry import MUTANTS
from chaos.mutants.trial import Trials
from chaos.report.run_report import from_json
from tests.chaos.processes import await_true


def test_there_are_enough_of_them_everywhere() -> None:
    """The log, the journal, the rules, sessions, snapshots and the gateway each have some."""
    assert len(MUTANTS) >= 32
    assert {mutant.area for mutant in MUTANTS.values()} >= {"consensus", "engine", "gateway"}
    files = {mutant.file.rpartition("/")[2] for mutant in MUTANTS.values()}
    assert files >= {"journal.py", "peer_wire.py", "loader.py", "queries.py", "venue.py"}
    assert sum(mutant.guards_off for mutant in MUTANTS.values()) == 2


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_patch_fits(mutant: Mutant) -> None:
    """Its text stands exactly once in its file, and what comes of it is Python."""
    source = (SOURCES / mutant.file).read_text()
    changed = patched(mutant, source)

    ast.parse(changed)
    assert changed != source


_CHANCE = re.compile(r"\bid\(|=id\b|\bhash\(|\bset\(|time_ns|monotonic|perf_counter|urandom|getpid")


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_patch_brings_no_chance_of_its_own(mutant: Mutant) -> None:
    """No address in memory, no clock of this machine, no order of a hash: the seed decides."""
    assert len(_CHANCE.findall(mutant.new)) <= len(_CHANCE.findall(mutant.old))


def test_a_planted_bug_shows_the_same_way_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same seed, invariant and words, whatever the hash seed."""
    verdicts = []
    for hash_seed in ("0", "4711"):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        verdicts.append(Trials(range(5), 120).run(MUTANTS["limit-from-local-configuration"]))

    assert verdicts[0].caught
    assert verdicts[0] == verdicts[1]


def test_a_stale_patch_is_an_error() -> None:
    """A text that is gone is told, with the file: it must not pass for a bug that was caught."""
    stale = Mutant("stale", "nothing", "node/machine.py", "this is not there", "")

    with pytest.raises(StalePatchError, match=r"stale.*0 times in node/machine\.py"):
        patched(stale, (SOURCES / stale.file).read_text())


def test_a_copy_is_gone_afterwards() -> None:
    """Sources only, no compiled modules, and nothing is left behind."""
    with planted(MUTANTS["fifo-broken"]) as root:
        assert (root / "node" / "engine" / "price_level.py").exists()
        assert not list(root.rglob("*.so"))
    assert not root.exists()


@pytest.mark.parametrize(
    "name",
    [
        "quorum-off-by-one",
        "fifo-broken",
        "retries-execute-and-repeat",
        "no-fdatasync",
        "half-a-frame-lost",
    ],
)
def test_the_simulation_sees(name: str) -> None:
    """Bugs of the log, the book, the disk and the wire, each within a few seeds."""
    verdict = Trials(range(10), 120).run(MUTANTS[name])

    assert verdict.caught, verdict
    assert "--seeds" in verdict.reproduce


def test_without_a_bug_the_same_seeds_hold() -> None:
    """What sees the bugs sees nothing where there is none."""
    verdict = Trials(range(3), 120).run(None)

    assert not verdict.caught
    assert verdict.seeds == 3


def test_what_is_printed_shows_a_caught_bug_again(tmp_path: Path) -> None:
    """The copy stays, and the command in it breaks the invariant that is named as violated."""
    folder = tmp_path / "a copy"
    words = ["mutants", "--only", "fifo-broken", "--seeds", "0:10", "--processes", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "chaos", *words, "--keep-copy", str(folder)],
        cwd=SOURCES,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r'fifo-broken +seed (\d+) violates "(.+)"\n', done.stdout)
    again = re.search(r"^  (cd .*--timeline)$", done.stdout, re.MULTILINE)
    assert found, done
    assert again, done
    shown = subprocess.run(
        ["/bin/sh", "-c", again[1]], capture_output=True, text=True, check=False, env={}
    )

    assert shown.returncode == 1, shown
    assert found[2] in shown.stdout
    assert f"--seeds {found[1]} " in again[1]


def test_a_copy_takes_an_empty_folder_and_one_bug(tmp_path: Path) -> None:
    """It writes over nothing, and says which of two bugs it cannot mean."""
    (tmp_path / "mine").touch()
    for more in (["--only", "fifo-broken"], []):
        asked = [*more, "--keep-copy", str(tmp_path)]
        assert CliRunner().invoke(command, asked).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_next_suite_removes_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its copies, and the simulations that still run in them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-m", "chaos", "mutants", "--only", "fifo-broken", "--seeds", "0:999"],
        cwd=SOURCES,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    ) as suite:
        assert await_true(lambda: bool(at_work_below(tmp_path)))
        suite.kill()
    assert at_work_below(tmp_path)
    removed = remove_leftovers()

    assert len(removed) == 1
    assert not list(tmp_path.iterdir())
    assert at_work_below(tmp_path) == []


def at_work_below(folder: Path) -> list[str]:
    """Return the processes whose working folder is below `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(process.name)
    return found


def test_an_interrupted_suite_leaves_nothing(tmp_path: Path) -> None:
    """Asked to end, it ends its processes and removes its copies."""
    suite = subprocess.Popen(
        [sys.executable, "-m", "chaos", "mutants", "--only", "fifo-broken,no-fdatasync"],
        cwd=SOURCES,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    while not list(tmp_path.glob("*/sources/chaos/commands")):
        assert suite.poll() is None, suite.communicate()
        time.sleep(0.02)
    suite.terminate()
    output, _ = suite.communicate()

    assert suite.returncode == 1, output
    assert not list(tmp_path.iterdir())


def test_the_report_has_a_picture(tmp_path: Path) -> None:
    """When each bug was tried, from its first seed until it was seen, in the lane of its part."""
    json_file, html_file = tmp_path / "r.json", tmp_path / "r.html"
    words = ["--only", "fifo-broken", "--seeds", "0:3", "--processes", "1"]
    words += ["--json", str(json_file), "--html", str(html_file)]

    done = subprocess.run(
        [sys.executable, "-m", "chaos", "mutants", *words],
        cwd=SOURCES,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (moment,) = from_json(json_file.read_bytes()).timeline
    assert (moment.kind, moment.lane) == ("seen", MUTANTS["fifo-broken"].area)
    assert 0 <= moment.at_ms < moment.until_ms
    assert html_file.read_text().count("<svg") == 1
