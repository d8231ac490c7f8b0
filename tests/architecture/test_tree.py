"""The tree is the design: its folders, names and sizes."""

import ast
import subprocess
from collections.abc import Iterator
from importlib.metadata import distribution, distributions, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("node", "client", "cluster", "contracts", "chaos", "config")
TOP_LEVEL = {
    *PACKAGES,
    "tests",
    "docs",
    "changelog.d",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "pyproject.toml",
    "setup.py",
}
VAGUE_NAMES = {
    "base",
    "common",
    "core",
    "helper",
    "helpers",
    "manager",
    "misc",
    "shared",
    "util",
    "utils",
}
FILE_LINES_MAX = 420  # "about 400"
FUNCTION_LINES_MAX = 50


def sources(*folders: str) -> list[Path]:
    """Return every Python file of the given top-level folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    """Return `path` as seen from the root of the project."""
    return str(path.relative_to(ROOT))


def tracked_files() -> list[str]:
    """Return what git has in the tree, or skip where this is not a clone."""
    result = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False
    )
    if result.returncode != 0 or not result.stdout:
        pytest.skip("not a git clone with commits")
    return result.stdout.splitlines()


def long_functions(path: Path) -> Iterator[str]:
    """Yield each function of the file at `path` that is too long to be one idea."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            if lines > FUNCTION_LINES_MAX:
                yield f"{relative(path)}:{node.lineno} {node.name} has {lines} lines"


def test_the_top_level_is_what_the_architecture_says() -> None:
    """Nobody adds a top-level folder without saying so here and in docs/architecture.md."""
    found = {name.split("/")[0] for name in tracked_files()}

    assert {name for name in found if not name.startswith(".")} <= TOP_LEVEL


def test_no_name_is_vague() -> None:
    """A module is named after what it is about, never after being useful."""
    vague = [relative(path) for path in sources(*PACKAGES, "tests") if path.stem in VAGUE_NAMES]
    vague += [
        relative(path) for path in sources(*PACKAGES, "tests") if path.parent.name in VAGUE_NAMES
    ]

    assert vague == []


def test_files_are_short() -> None:
    """One noun per file, which fits in about 400 lines."""
    lengths = {
        relative(path): len(path.read_text().splitlines()) for path in sources(*PACKAGES, "tests")
    }

    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_functions_are_short() -> None:
    """A function is one level of abstraction, whose body fits in about 50 lines."""
    assert [line for path in sources(*PACKAGES, "tests") for line in long_functions(path)] == []


def test_every_folder_is_a_package_that_says_what_it_is() -> None:
    """Each folder with sources has an `__init__.py` with a docstring.

    Nothing is picked up by accident.
    """
    folders = {path.parent for path in sources(*PACKAGES, "tests")}
    silent = [
        relative(folder)
        for folder in sorted(folders)
        if not (folder / "__init__.py").exists()
        or ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) is None
    ]

    assert silent == []


def test_every_test_states_its_promise() -> None:
    """A test without a docstring cannot be told from a test that checks nothing in particular."""
    silent = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in sources("tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and ast.get_docstring(node) is None
    ]

    assert silent == []


def test_only_our_own_packages_use_our_names() -> None:
    """Flat packages have common names: no dependency may install one of them."""
    owners = packages_distributions()
    others = {
        name: [owner for owner in owners.get(name, []) if owner != "quorumbook"]
        for name in (*PACKAGES, "tests")
    }

    assert {name: found for name, found in others.items() if found} == {}
    assert len(list(distributions())) > 1  # What we compared with was there to be seen.


def test_the_console_script_is_called_quorumbook() -> None:
    """One command, named after the project."""
    scripts = {
        entry.name: entry.value
        for entry in distribution("quorumbook").entry_points.select(group="console_scripts")
    }

    assert scripts == {"quorumbook": "cluster.app:main"}
