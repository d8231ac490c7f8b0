"""Inputs that broke a promise in an earlier run: each is fed again, until it breaks none."""

import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final

from chaos.attack.fuzz_state import saved_findings
from chaos.invocation import invocation
from chaos.report.run_report import Figure, RunReport, Violation

_HANGS_SECONDS: Final = 30.0


def feed_again(folder: Path, names: Collection[str], report: RunReport) -> None:
    """Feed what earlier runs with this state have found; what still breaks is a violation."""
    found = [(name, file) for name, file in saved_findings(folder) if name in names]
    if not found:
        return
    broken = 0
    for name, file in found:
        words = ("attack", "fuzz", "--target", name, "--replay", str(file))
        how = _breaks(words)
        if how:
            broken += 1
            what = f"{how}; an earlier run found it, in {file}"
            report.violations.append(Violation(f"parsers: {name}", what, invocation(*words)))
    report.figures.append(
        Figure(
            "fuzz findings of earlier runs",
            f"{broken} of {len(found)} still break a promise",
            "none",
            not broken,
            invocation("attack", "fuzz", "--state", str(folder)),
        )
    )


def _breaks(words: tuple[str, ...]) -> str:
    """Return what a process that is fed one saved input comes to, "" when nothing is wrong."""
    command = [sys.executable, "-m", "chaos", *words]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_HANGS_SECONDS, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        return f"hung for {_HANGS_SECONDS:.0f} s"
    last = done.stderr.strip().rpartition("\n")[2]
    return "" if done.returncode == 0 else f"code {done.returncode}: {last}"
