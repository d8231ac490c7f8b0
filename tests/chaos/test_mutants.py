"""Planted bugs: each patch fits the sources as they are, and the simulation sees what it should."""

import ast
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaos.mutants.mutant import Mutant
from chaos.mutants.planting import SOURCES, StalePatchError, patched, planted
from chaos.mutants.registry import MUTANTS
from chaos.mutants.trial import Trials


def test_there_are_enough_of_them_everywhere() -> None:
    """The log, the journal, the rules, sessions, snapshots and the gateway each have some."""
    assert len(MUTANTS) >= 32
    assert {mutant.area for mutant in MUTANTS.values()} >= {"consensus", "engine", "gateway"}
    files = {mutant.file.rpartition("/")[2] for mutant in MUTANTS.values()}
    assert files >= {"journal.py", "peer_wire.py", "snapshot.py", "queries.py", "venue.py"}
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


def test_an_interrupted_suite_leaves_nothing(tmp_path: Path) -> None:
    """Asked to end, it ends its processes and removes its copies."""
    suite = subprocess.Popen(
        [sys.executable, "-m", "chaos", "mutants", "--only", "fifo-broken,no-fdatasync"],
        cwd=SOURCES,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    while not list(tmp_path.glob("*/chaos/commands")):
        assert suite.poll() is None, suite.communicate()
        time.sleep(0.02)
    suite.terminate()
    output, _ = suite.communicate()

    assert suite.returncode == 1, output
    assert not list(tmp_path.iterdir())
