"""Would a test notice? `python -m tests.mutation [MODULE ...]`: mutmut over the rules of money.

Every mutant of the modules that survives the tests must be explained in `mutation_explained.toml`:
the changed line, and why no test can tell (most are other words for the same). Ends with code 1
when one is not. Works in a copy, so that nothing here changes; needs `mutmut` (the developer
extras), and some minutes a module.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("ledger", "matching", "fees")
TESTS = (
    "tests/scenarios",
    "tests/unit/test_engine_boundaries.py",
    "tests/property/test_venue_rules.py",
)
COPIED = ("node", "client", "cluster", "config", "chaos", "contracts", "tests", "docs")


class Survivor(NamedTuple):
    """A change to a line that no test noticed."""

    module: str
    before: str
    after: str


def main(arguments: list[str]) -> int:
    """Mutate, compare with what is explained, and say what is left."""
    modules = arguments or list(MODULES)
    explained = tomllib.loads((ROOT / "tests" / "mutation_explained.toml").read_text("utf-8"))
    reasons = {
        Survivor(module, one["before"], one["after"]): one["why"]
        for module, changes in explained.items()
        for one in changes
    }
    unexplained = 0
    for module in modules:
        mutants, survivors = mutate(module)
        print(f"{module}: {len(survivors)} of {mutants} mutants survived")
        for survivor in survivors:
            why = reasons.get(survivor)
            unexplained += why is None
            print(f"  - {survivor.before}\n  + {survivor.after}\n    {why or 'NOT EXPLAINED'}")
    return 1 if unexplained else 0


def mutate(module: str) -> tuple[int, list[Survivor]]:
    """Run mutmut over one module of the engine; return how many mutants, and which survived."""
    with tempfile.TemporaryDirectory(prefix="quorumbook-mutation-") as folder:
        place = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("*.so"))
        settings = (ROOT / "pyproject.toml").read_text("utf-8")
        (place / "pyproject.toml").write_text(settings + _settings(module), "utf-8")
        _mutmut(place, "run")
        results = _mutmut(place, "results", "--all", "true")
        names = re.findall(r"^\s*(\S+): (\w[\w ]*)$", results, re.MULTILINE)
        survived = [name for name, verdict in names if verdict != "killed"]
        return len(names), [_survivor(module, _mutmut(place, "show", one)) for one in survived]


def _settings(module: str) -> str:
    return (
        f"\n[tool.mutmut]\nsource_paths = ['node/engine/{module}.py']\n"
        f"also_copy = {list(COPIED)}\npytest_add_cli_args_test_selection = {list(TESTS)}\n"
    )


def _mutmut(place: Path, *words: str) -> str:
    environment = {**os.environ, "QUORUMBOOK_PURE": "1", "HYPOTHESIS_PROFILE": "ci"}
    command = [sys.executable, "-m", "mutmut", *words]
    done = subprocess.run(
        command, cwd=place, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _survivor(module: str, diff: str) -> Survivor:
    (before,) = re.findall(r"^-(?!--)(.*)$", diff, re.MULTILINE)
    (after,) = re.findall(r"^\+(?!\+\+)(.*)$", diff, re.MULTILINE)
    return Survivor(module, before.strip(), after.strip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
