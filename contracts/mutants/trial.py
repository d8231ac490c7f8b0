"""Plant one bug after another in a copy, and see whether a test notices."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import click

from contracts.mutants.control import CONTROL
from contracts.mutants.money import MONEY
from contracts.mutants.mutant import Mutant
from contracts.toolchain import FOLDER, ToolchainError, forge, install

MUTANTS: Final = (*MONEY, *CONTROL)
_QUICK: Final = {"FOUNDRY_OPTIMIZER": "false", "FOUNDRY_FUZZ_RUNS": "16", "FOUNDRY_DENY": "never"}
_ALL_BUT_GAS: Final = "test/[!G]*.t.sol"


class Verdict(NamedTuple):
    """What came of one mutant."""

    mutant: Mutant
    noticed_by: str
    """The first test that failed; empty if none did."""


def copy_sources(folder: Path) -> None:
    """Copy what forge needs into `folder`; the tools are linked."""
    for name in ("src", "test", "tools"):
        shutil.copytree(FOLDER / name, folder / name)
    shutil.copy(FOLDER / "foundry.toml", folder)
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    (folder / "out").mkdir()


def try_one(mutant: Mutant, folder: Path) -> Verdict:
    """Plant the bug in the copy, run the tests that look there, then all; take it out again."""
    file = folder / "src" / mutant.file
    source = file.read_text()
    file.write_text(mutant.patched(source))
    try:
        noticed = failing_test(folder, f"test/{mutant.tests}.t.sol")
        return Verdict(mutant, noticed or failing_test(folder, _ALL_BUT_GAS))
    finally:
        file.write_text(source)


def failing_test(folder: Path, path: str) -> str:
    """Return the name of a test that fails, or nothing. Raises ToolchainError without a build."""
    result = forge(["test", "--match-path", path], folder=folder, settings=_QUICK)
    if result.returncode == 0:
        return ""
    for line in result.stdout.splitlines():
        if line.startswith("[FAIL"):
            words = [word for word in line.split() if word.endswith("()") or "(" in word]
            named = [word for word in words if word.startswith(("test", "invariant", "setUp"))]
            if named:
                return named[0].split("(")[0]
            return line[:60]
    raise ToolchainError(f"the tests did not run:\n{result.stdout[-2_000:]}")


def run_all(names: set[str], *, first: int, most: int, list_only: bool) -> int:
    """Try the mutants, print a table, and return 1 if one went unnoticed."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    chosen = chosen[first - 1 :][:most]
    if list_only:
        for mutant in chosen:
            click.echo(f"{mutant.name:<24}{mutant.file:<18}{mutant.what}")
        return 0
    install()
    with tempfile.TemporaryDirectory(prefix="quorumbook-contracts-") as scratch:
        copy_sources(Path(scratch))
        if failing_test(Path(scratch), _ALL_BUT_GAS):
            raise ToolchainError("without any bug a test fails: the trial would say nothing")
        verdicts = []
        for mutant in chosen:
            verdicts.append(try_one(mutant, Path(scratch)))
            _say(verdicts[-1])
    return _sum_up(verdicts)


def _say(verdict: Verdict) -> None:
    mutant, noticed = verdict
    click.echo(f"{mutant.name:<24}{mutant.what:<66}{noticed or 'NOT NOTICED'}")


def _sum_up(verdicts: Sequence[Verdict]) -> int:
    missed = [verdict.mutant.name for verdict in verdicts if not verdict.noticed_by]
    click.echo(f"{len(verdicts) - len(missed)} of {len(verdicts)} planted bugs were noticed")
    for name in missed:
        click.echo(f"  not noticed: {name}")
    return 1 if missed else 0
