"""The simulation against planted bugs."""

import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Lock
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
    """What shows it again, in a copy with the bug."""
    seed: int = -1
    """The seed that shows it."""

    @property
    def caught(self) -> bool:
        """Whether an invariant saw it."""
        return bool(self.invariant)


class InterruptedTrialError(Exception):
    """The trials were stopped."""


class Trials:
    """Runs the same seeds against one mutant after the other; several threads may do so at once."""

    def __init__(self, seeds: range, most_seconds: float) -> None:
        """Try `seeds` against each, for `most_seconds` at most."""
        self._seeds = seeds
        self._most_seconds = most_seconds
        self._running: list[subprocess.Popen[str]] = []
        self._lock = Lock()
        self._stopped = False

    def run(self, mutant: Mutant | None, options: tuple[str, ...] = ()) -> Verdict:
        """Run seeds in a copy with the bug (None: without any) until one shows it.

        The copy runs interpreted: what was compiled knows nothing of the patch. Raises
        InterruptedTrialError after `stop`.
        """
        with planted(mutant) as root:
            return self.run_in(root, mutant, options)

    def run_in(self, root: Path, mutant: Mutant | None, options: tuple[str, ...] = ()) -> Verdict:
        """Run seeds as `run` does, in a copy at `root` that somebody else made."""
        words = [sys.executable, "-m", "chaos", *self._words(mutant, options), "--json", _REPORT]
        try:
            errors = self._finish(self._start(words, root))
        except subprocess.TimeoutExpired:
            return Verdict(mutant, 0, "", f"not done in {self._most_seconds:.0f} s")
        file = root / _REPORT
        if not file.exists():
            return Verdict(mutant, 0, "", errors.strip().rpartition("\n")[2])
        return _judge(mutant, file)

    def _words(self, mutant: Mutant | None, options: tuple[str, ...]) -> list[str]:
        seeds = f"{self._seeds.start}:{self._seeds.stop}"
        if mutant is not None:
            options = mutant.options
        return ["sim", "--seeds", seeds, "--first", "--processes", "1", *_LONGER, *options]

    def _start(self, words: list[str], root: Path) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise InterruptedTrialError
            process = subprocess.Popen(
                words,
                cwd=root,
                env={**os.environ, "QUORUMBOOK_PURE": "1", "PYTHONPATH": str(root)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            self._running.append(process)
            return process

    def _finish(self, process: subprocess.Popen[str]) -> str:
        """Wait for a process, whatever happens; return what it complained of."""
        try:
            _, errors = process.communicate(timeout=self._most_seconds)
        finally:
            process.kill()
            process.wait()
            with self._lock:
                self._running.remove(process)
        if self._stopped:
            raise InterruptedTrialError
        return errors

    def stop(self) -> None:
        """Let every trial end now, and none begin."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()


def _judge(mutant: Mutant | None, file: Path) -> Verdict:
    report = from_json(file.read_bytes())
    if not report.violations:
        return Verdict(mutant, report.seeds, "")
    first = report.violations[0]
    if _BROKEN_PATCH.search(first.what):
        return Verdict(mutant, report.seeds, "", f"the patch itself is broken: {first.what}")
    return Verdict(mutant, report.seeds, first.invariant, first.what, first.reproduce, first.seed)
