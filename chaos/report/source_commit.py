"""Which sources ran: without it, a seed reproduces nothing."""

import subprocess
from pathlib import Path
from typing import Final

UNKNOWN: Final = "unknown"

_SOURCES: Final = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS: Final = 10


class _NoAnswerError(Exception):
    """Git did not say."""


def source_commit(sources: Path = _SOURCES) -> str:
    """Return the git commit of `sources`, with "+changes" when tracked files differ from it.

    "unknown" where the sources are no git work tree, or git is missing or silent.
    """
    try:
        commit = _git(sources, "rev-parse", "HEAD")
        changed = _git(sources, "status", "--porcelain", "--untracked-files=no")
    except _NoAnswerError:
        return UNKNOWN
    return commit[:12] + ("+changes" if changed else "")


def why_unknown(sources: Path = _SOURCES) -> str:
    """Return why `source_commit` of these `sources` is unknown, in words for a user."""
    try:
        _git(sources, "rev-parse", "HEAD")
        _git(sources, "status", "--porcelain", "--untracked-files=no")
    except _NoAnswerError as error:
        return str(error)
    return "it is known now"


def _git(sources: Path, *arguments: str) -> str:
    # An installed copy may lie inside somebody else's repository: only our own root counts.
    if not (sources / ".git").exists():
        raise _NoAnswerError(f"{sources} is no git work tree")
    # Whose files they are does not matter to git here: it is this code itself that runs from them.
    command = ["git", "-c", f"safe.directory={sources}", "-C", str(sources), *arguments]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _NoAnswerError(f"git does not answer: {error}") from error
    if result.returncode:
        raise _NoAnswerError(f"git says: {result.stderr.strip()}")
    return result.stdout.strip()
