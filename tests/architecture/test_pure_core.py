"""The core computes the same everywhere: what could differ between two replicas is not written."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = tuple(ROOT / "node" / name for name in ("domain", "engine", "protocol"))

# Everything else is forbidden: clocks, randomness, files, sockets, logs, floats and whatever comes
# next.
ALLOWED_IMPORTS = frozenset(
    {
        "__future__",
        "blake3",  # digests
        "collections.abc",
        "enum",
        "librt.strings",
        "librt.vecs",
        "mypy_extensions",
        "node.domain",
        "typing",
    }
)
# The handshake signs and checks; the venue must not know how.
ALLOWED_IN_PROTOCOL = frozenset({"node.protocol", "nacl", "google_crc32c", "hmac", "hashlib"})
ALLOWED_IN_ENGINE = frozenset({"node.engine"})

FORBIDDEN_CALLS = {
    "eval": "runs text",
    "exec": "runs text",
    "float": "rounds",
    "frozenset": "is iterated in an order that differs by process",
    "hash": "differs by process",
    "id": "differs by process",
    "input": "waits for a person",
    "open": "does I/O",
    "print": "does I/O",
    "set": "is iterated in an order that differs by process",
}


def core_files() -> list[Path]:
    """Return every source file of the core."""
    return sorted(path for folder in CORE for path in folder.rglob("*.py"))


def allowed_imports(path: Path) -> frozenset[str]:
    """Return what the file at `path` may import."""
    extra = {"protocol": ALLOWED_IN_PROTOCOL, "engine": ALLOWED_IN_ENGINE}
    return ALLOWED_IMPORTS | extra.get(path.parent.name, frozenset())


def impurities(source: str, allowed: frozenset[str]) -> Iterator[str]:
    """Yield `line: what` for everything in `source` that the core must not contain."""
    for node in ast.walk(ast.parse(source)):
        what = impurity(node, allowed)
        if what is not None:
            yield f"{getattr(node, 'lineno', 0)}: {what}"


def impurity(node: ast.AST, allowed: frozenset[str]) -> str | None:
    """Return what is wrong with one node, or None."""
    match node:
        case ast.Constant(value=float() | complex()):
            return f"the float {node.value!r}"
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return "`/` makes floats; use `//` and say which way it rounds"
        case ast.Set() | ast.SetComp():
            return "a set has no order; use a dict or a sorted list"
        case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
            return f"`{name}` {FORBIDDEN_CALLS[name]}"
        case ast.Name(id="float"):
            return "a float"
        case ast.Await() | ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith():
            return "the core never waits"
        case ast.Global():
            return "a venue has no globals"
        case ast.Import(names=names):
            return refused_import([alias.name for alias in names], allowed)
        case ast.ImportFrom(module=module, level=level):
            return refused_import(["." * level + (module or "")], allowed)
        case _:
            return None


def refused_import(names: list[str], allowed: frozenset[str]) -> str | None:
    """Return the complaint about the first of `names` that is not allowed, or None."""
    for name in names:
        if not any(name == good or name.startswith(good + ".") for good in allowed):
            return f"imports {name}"
    return None


@pytest.mark.parametrize("path", core_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_is_pure(path: Path) -> None:
    """No float, division, set, hash, wait, clock, chance or I/O: replicas cannot differ."""
    assert list(impurities(path.read_text(), allowed_imports(path))) == []


@pytest.mark.parametrize(
    "source",
    [
        "x = 1.5",
        "x = a / b",
        "x /= 2",
        "for x in {1, 2}: pass",
        "x = {y for y in z}",
        "x = set(y)",
        "x = hash(y)",
        "x = id(y)",
        "def f(x: float) -> None: ...",
        "async def f() -> None: ...",
        "import time",
        "import random",
        "from datetime import datetime",
        "import asyncio.events",
        "import msgspec",
        "from node.consensus import replica",
        "from . import x",
        "open(x)",
        "def f():\n    global x",
    ],
)
def test_the_check_can_fail(source: str) -> None:
    """Each forbidden thing is seen, so that silence means something."""
    assert list(impurities(source, ALLOWED_IMPORTS))
