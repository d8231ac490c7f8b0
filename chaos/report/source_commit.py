"""Which sources ran: without it, a seed reproduces nothing."""

import subprocess
from pathlib import Path
from typing import Final

UNKNOWN: Final = "unknown"

_SOURCES: Final = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS: Final = 10


def source_commit(sources: Path = _SOURCES) -> str:
    """Return the git commit of `sources`, with "+changes" when tracked files differ from it.

    "unknown" where the sources are no git work tree, or git is missing or silent.
    """
    commit = _git(sources, "rev-parse", "HEAD")
    if not commit:
        return UNKNOWN
    changed = _git(sources, "status", "--porcelain", "--untracked-files=no")
    return commit[:12] + ("+changes" if changed else "")


def _git(sources: Path, *arguments: str) -> str:
    # An installed copy may lie inside somebody else's repository: only our own root counts.
    if not (sources / ".git").exists():
        return ""
    try:
        result = subprocess.run(
            ["git", "-C", str(sources), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
