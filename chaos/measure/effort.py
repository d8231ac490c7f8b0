"""How much one measurement is to do, where it writes what it finds, and to whom it talks."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chaos.report.run_report import Figure, Moment, RunReport, Violation


class StoppedError(Exception):
    """The measurement was given up while this thread was at it."""


@dataclass(slots=True)
class Effort:
    """One measurement under way: its size, its report, and its clock."""

    report: RunReport
    command: str
    """What prints the same figures again."""
    say: Callable[[str], None]
    quick: bool = False
    wanted: int | None = None
    """How often, when somebody said so."""
    seed: int = 1
    began_ns: int = field(default_factory=time.perf_counter_ns)
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the measurement is given up: `wait` then raises."""

    def times(self, full: int, quick: int) -> int:
        """Return how often to do it: as asked, else by the kind of run."""
        if self.wanted is not None:
            return self.wanted
        return quick if self.quick else full

    def wait(self, seconds: float) -> None:
        """Sleep in a thread that injects faults. Raises StoppedError when all is given up."""
        if self.stopping.wait(seconds):
            raise StoppedError

    def figure(self, name: str, value: str, goal: str, *, met: bool) -> None:
        """Put a figure into the report, and say it."""
        self.report.figures.append(Figure(name, value, goal, met, self.command))
        self.say(f"{'met   ' if met else 'MISSED'} {name}: {value} (goal: {goal})")

    def violation(self, invariant: str, what: str) -> None:
        """Put a violation into the report, and say it."""
        self.report.violations.append(Violation(invariant, what, self.command))
        self.say(f"VIOLATED {invariant}: {what}")

    def count(self, fault: str, number: int = 1) -> None:
        """Count an injected fault."""
        self.report.faults[fault] = self.report.faults.get(fault, 0) + number

    def checked(self, invariant: str, number: int = 1) -> None:
        """Count checks of an invariant."""
        self.report.checks[invariant] = self.report.checks.get(invariant, 0) + number

    def moment(
        self, lane: str, kind: str, text: str, at_ns: int | None = None, until_ns: int | None = None
    ) -> None:
        """Put a point, or a span that ends at `until_ns`, on the timeline; now unless said.

        Times are of `time.perf_counter_ns`.
        """
        at = time.perf_counter_ns() if at_ns is None else at_ns
        until = -1.0 if until_ns is None else self._ms(until_ns)
        self.report.timeline.append(Moment(self._ms(at), lane, kind, text, until))

    def _ms(self, at_ns: int) -> float:
        return (at_ns - self.began_ns) / 1e6
