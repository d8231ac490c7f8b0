"""Clocks and chance reach a node through `node.surroundings`: what reads them past it is found."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
SEAM: Final = "node/surroundings.py"
OUTSIDE: Final = frozenset({"datetime", "random", "secrets", "time", "uuid"})
OF_THE_SYSTEM: Final = frozenset({"getrandom", "times", "urandom"})
"""Clocks and chance in `os`."""

EXEMPT: Final = {
    "node/audit/verify.py": "an auditor's command, not a node: it says how long it took",
    "node/consensus/disk_thread.py": "the real disk; `Ground.disk` puts another in its place",
    "node/storage/backup.py": "an operator's command, not a node: it dates the backup",
    "node/storage/data_directory.py": "waits for the directory's lock, which a process has",
    "node/storage/probe.py": "a child process, which says how long it took",
}


def node_files() -> list[Path]:
    """Return every source file of a replica but the seam itself."""
    return sorted(path for path in (ROOT / "node").rglob("*.py") if relative(path) != SEAM)


def relative(path: Path) -> str:
    """Return `path` as seen from the root of the project."""
    return path.relative_to(ROOT).as_posix()


def readings(source: str) -> Iterator[str]:
    """Yield `line: what` wherever `source` can read a clock or chance by itself."""
    for node in ast.walk(ast.parse(source)):
        what = reading(node)
        if what is not None:
            yield f"{getattr(node, 'lineno', 0)}: {what}"


def reading(node: ast.AST) -> str | None:
    """Return what one node of the tree reads from outside, or None."""
    match node:
        case ast.Import(names=names):
            outside = [alias.name for alias in names if alias.name.split(".")[0] in OUTSIDE]
            return f"imports {outside[0]}" if outside else None
        case ast.ImportFrom(module="random", names=[ast.alias(name="Random")]):
            return None  # The type of what `Surroundings` gives; making one is found below.
        case ast.ImportFrom(module=str(module)) if module.split(".")[0] in OUTSIDE:
            return f"imports from {module}"
        case ast.ImportFrom(module="os", names=names):
            taken = [alias.name for alias in names if alias.name in OF_THE_SYSTEM]
            return f"imports os.{taken[0]}" if taken else None
        case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in OF_THE_SYSTEM:
            return f"reads os.{name}"
        case ast.Call(func=ast.Name(id="Random")):
            return "makes a Random of its own"
        case _:
            return None


@pytest.mark.parametrize("path", node_files(), ids=relative)
def test_clocks_and_chance_come_through_the_surroundings(path: Path) -> None:
    """Whoever provides `Surroundings`, as the simulator does, provides all clocks and chance."""
    found = list(readings(path.read_text()))

    assert bool(found) == (relative(path) in EXEMPT), found or "no longer needs to be exempt"


def test_the_exempt_exist() -> None:
    """A file that is gone takes its reason with it."""
    assert [name for name in EXEMPT if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import asyncio, time as clock",
        "def f():\n    from time import monotonic_ns",
        "from datetime import UTC, datetime",
        "from random import SystemRandom",
        "from random import Random, random",
        "from secrets import token_bytes",
        "import os\nx = os.urandom(4)",
        "import os\ndef f(read=os.urandom): ...",
        "from os import getrandom",
        "from random import Random\nx = Random()",
        "import random",
        "import uuid",
    ],
)
def test_the_check_can_fail(source: str) -> None:
    """Each way past the seam is seen, so that silence means something."""
    assert list(readings(source))
