"""The simulation against one planted bug."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from chaos.mutants.mutant import Mutant
from chaos.mutants.planting import planted
from chaos.report.run_report import from_json

_BROKEN_PATCH: Final = re.compile("NameError|AttributeError|ImportError|SyntaxError")
"""A patch that does not run breaks everything, and shows nothing."""
_REPORT: Final = "report.json"
_LONGER: Final = ("--seconds", "3")
"""Longer runs than those of a campaign: a bug often needs several faults in a row to show."""


class Verdict(NamedTuple):
    """What became of a mutant."""

    mutant: Mutant | None
    seeds: int
    """Seeds until the first violation, or all that were tried."""
    invariant: str
    """Which invariant saw it; "" when none did."""
    what: str = ""
    reproduce: str = ""

    @property
    def caught(self) -> bool:
        """Whether an invariant saw it."""
        return bool(self.invariant)


def unseen(mutant: Mutant | None, seeds: int, why: str = "") -> Verdict:
    """Return the verdict on a mutant that no invariant saw."""
    return Verdict(mutant, seeds, "", why)


def try_mutant(
    mutant: Mutant | None,
    seeds: int,
    most_seconds: float,
    options: tuple[str, ...] = (),
) -> Verdict:
    """Run seeds in a copy with the bug (None: without any) until one shows it.

    The copy runs interpreted: what was compiled knows nothing of the patch.
    """
    with planted(mutant) as root:
        if mutant is not None:
            options = mutant.options
        command = ["sim", "--seeds", f"0:{seeds}", "--first", "--processes", "1", *_LONGER]
        outcome = subprocess.run(
            [sys.executable, "-m", "chaos", *command, "--json", _REPORT, *options],
            cwd=root,
            env={**os.environ, "QUORUMBOOK_PURE": "1", "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=most_seconds,
            check=False,
        )
        file = root / _REPORT
        if not file.exists():
            return unseen(mutant, 0, _last_line(outcome.stderr))
        return _judge(mutant, file)


def _judge(mutant: Mutant | None, file: Path) -> Verdict:
    report = from_json(file.read_bytes())
    if not report.violations:
        return unseen(mutant, report.seeds)
    first = report.violations[0]
    if _BROKEN_PATCH.search(first.what):
        return unseen(mutant, report.seeds, f"the patch itself is broken: {first.what}")
    return Verdict(mutant, report.seeds, first.invariant, first.what, first.reproduce)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
