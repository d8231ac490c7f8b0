"""What happened in a run, as it happens: faults by kind, moments of the timeline, violations."""

from collections import Counter
from time import monotonic_ns
from typing import Final

from chaos.report.run_report import Moment, Violation

_MOMENTS_MOST: Final = 20_000


class Diary:
    """Notes that end in the report. Times are ms since the run began."""

    def __init__(self, reproduce: str, seed: int) -> None:
        """Begin now; `reproduce` is the command that tries the same again."""
        self._began_ns = monotonic_ns()
        self.reproduce: Final = reproduce
        self._seed = seed
        self.faults: Counter[str] = Counter()
        self.unsuitable: Counter[str] = Counter()
        """How often a kind was drawn when the scene had no place for it."""
        self.unfelt: Counter[str] = Counter()
        """How often a kind was tried and did not strike; those are not among `faults`."""
        self.checks: Counter[str] = Counter()
        """How often an invariant of this tier alone was checked."""
        self.moments: list[Moment] = []
        self.violations: list[Violation] = []

    def now_ms(self) -> float:
        """Return the time now."""
        return self.ms(monotonic_ns())

    def ms(self, at_ns: int) -> float:
        """Return the time of a moment of the machine's monotonic clock."""
        return (at_ns - self._began_ns) / 1e6

    def note(self, lane: str, what: str, text: str, at_ms: float, until_ms: float = -1.0) -> None:
        """Put a moment, or a span, on the timeline. Only the first ones of a very long run."""
        if len(self.moments) < _MOMENTS_MOST:
            self.moments.append(Moment(round(at_ms, 1), lane, what, text, round(until_ms, 1)))

    def violate(self, invariant: str, what: str) -> None:
        """Write down that an invariant did not hold, with what led up to it."""
        now = self.now_ms()
        recent = [
            f"{moment.at_ms / 1000:.2f} s: {moment.lane}: {moment.kind}: {moment.text}"
            for moment in self.moments[-20:]
        ]
        self.violations.append(Violation(invariant, what, self.reproduce, self._seed, recent))
        self.note("verdict", "violation", f"{invariant}: {what}", now)
