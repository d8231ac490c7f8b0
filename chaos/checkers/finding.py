"""What a checker found, and how much it looked at."""

from typing import Final, NamedTuple

LOST: Final = "no acknowledged command is lost"
ALTERED: Final = "no acknowledged command is altered"
TWICE: Final = "no command takes effect twice"
REAL_TIME: Final = "what ended first is first in the log"
SESSION_ORDER: Final = "a session's commands take effect in order"
DURABLE: Final = "what is acknowledged is on a majority"
AGREEMENT: Final = "replicas agree at every index"
CONSERVED: Final = "nothing appears or vanishes"
GAPLESS: Final = "sequences have no gaps"
LIVE: Final = "every request ends in time"
PROGRESS: Final = "after a heal, work goes on in time"
MONOTONIC: Final = "indexes never go back"
ANSWERED: Final = "an answer is what the log holds at its index"
LINEARIZABLE: Final = "clients see one order that explains all answers"
SOUND: Final = "damage is found before it is used"
LOOKED: Final = "checkers have something to look at"

_MOST_EXAMPLES: Final = 50


class Finding(NamedTuple):
    """One thing that is wrong: which invariant, and what happened, with numbers."""

    invariant: str
    what: str


class Findings:
    """All findings of a checker and the counts of what it looked at.

    Every finding is counted, and the first fifty of an invariant are kept.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.examples: list[Finding] = []
        self.found: dict[str, int] = {}
        """How many findings each invariant has."""
        self.counts: dict[str, int] = {}
        """How many things of each kind were looked at."""

    @property
    def ok(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.found

    @property
    def total(self) -> int:
        """Return how many findings there are, the ones that were not kept too."""
        return sum(self.found.values())

    def add(self, invariant: str, what: str) -> None:
        """Take down one finding."""
        count = self.found.get(invariant, 0) + 1
        self.found[invariant] = count
        if count <= _MOST_EXAMPLES:
            self.examples.append(Finding(invariant, what))

    def saw(self, kind: str, times: int = 1) -> None:
        """Count what was looked at; zero times makes the count appear as 0."""
        self.counts[kind] = self.counts.get(kind, 0) + times

    def expect(self, kind: str) -> None:
        """Make it a finding that nothing of `kind` was there to be looked at."""
        self.saw(kind, 0)
        if not self.counts[kind]:
            self.add(LOOKED, f"no {kind} to look at")

    def take(self, other: "Findings") -> None:
        """Add what `other` found and saw."""
        for invariant, count in other.found.items():
            self.found[invariant] = self.found.get(invariant, 0) + count
        self.examples += other.examples
        for kind, count in other.counts.items():
            self.saw(kind, count)
