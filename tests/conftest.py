"""What every test run shares.

Hypothesis profiles, fresh compiled modules, and skips that are named.
"""

import os
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Machines differ, so nothing has a deadline. `ci` is the same run every time; `dev` and `soak` look
# further.
settings.register_profile("dev", deadline=None, max_examples=100)
settings.register_profile("ci", deadline=None, max_examples=200, derandomize=True, print_blob=True)
settings.register_profile(
    "soak",
    deadline=None,
    max_examples=20_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_configure() -> None:
    """Refuse to test compiled modules that are older than their sources."""
    stale = [module for module in compiled_modules() if is_stale(module)]
    if stale:
        names = ", ".join(str(module.relative_to(ROOT)) for module in stale)
        raise pytest.UsageError(
            f"run `make`, or set QUORUMBOOK_PURE=1: compiled modules older than sources: {names}"
        )


def compiled_modules() -> Sequence[Path]:
    """Return the in-tree compiled modules that this Python would import."""
    if os.environ.get("QUORUMBOOK_PURE") == "1":
        return []
    return sorted(ROOT.glob(f"node/*/*{EXTENSION_SUFFIXES[0]}"))


def is_stale(module: Path) -> bool:
    """Return whether `module` was compiled before its source was last changed, or has lost it."""
    source = module.with_name(module.name.split(".")[0] + ".py")
    return not source.exists() or source.stat().st_mtime > module.stat().st_mtime


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name and count what was left out: a skip is never silent."""
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    if not skipped:
        terminalreporter.write_line("skipped: 0")
        return
    terminalreporter.write_line(f"skipped: {len(skipped)}", yellow=True)
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.write_line(f"  {report.nodeid}: {reason}", yellow=True)
