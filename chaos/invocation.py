"""Command lines that run as they are printed: with this interpreter, from the folder we are in."""

import shlex
import sys
from pathlib import Path


def invocation(*words: str) -> str:
    """Return the command line of `python -m chaos` with these words, quoted for a shell."""
    return shlex.join([_interpreter(), "-m", "chaos", *words])


def invocation_given(*more: str) -> str:
    """Return the command line that this process was given, and what was drawn for it."""
    return invocation(*sys.argv[1:], *more)


def _interpreter() -> str:
    """Return a path to the interpreter, as short as it can be: `.venv/bin/python`."""
    found = Path(sys.executable or "python")
    if found.is_relative_to(Path.cwd()) and found.parent != Path.cwd():
        return str(found.relative_to(Path.cwd()))
    return str(found)
