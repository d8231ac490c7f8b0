"""The machine's own tools, run to their end."""

import subprocess
from typing import Final

_SECONDS: Final = 20.0


class ToolFailedError(Exception):
    """A tool of the machine failed; the message says what it said."""


def run_tool(*words: str, given: str = "") -> str:
    """Run one of the machine's tools and return what it printed. Raises ToolFailedError."""
    try:
        result = subprocess.run(
            words, input=given, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolFailedError(f"{' '.join(words)}: {error}") from error
    if result.returncode != 0:
        said = result.stderr.strip() or f"code {result.returncode}"
        raise ToolFailedError(f"{' '.join(words)}: {said}")
    return result.stdout
