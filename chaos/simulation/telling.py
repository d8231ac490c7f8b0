"""What is told of a violation: the smallest case that shows it, in lines and as a picture."""

from collections.abc import Callable
from typing import Final

from chaos.report.run_report import Moment, RunReport, Violation
from chaos.simulation.seed_run import SeedResult
from chaos.simulation.shrink import Shrinker
from chaos.simulation.timeline import lines, run_recorded

_SHRINK_RUNS: Final = 200
_MOST_PICTURES: Final = 20
"""Further violations are told in lines only: a page is to be looked at."""


class Telling:
    """Completes the violations of one report, in the order in which they are found."""

    def __init__(
        self,
        report: RunReport,
        say: Callable[[str], None],
        *,
        shrink: bool,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Fill `report`; with `shrink`, make each case small first, for as long as `wanted()`."""
        self._report = report
        self._say = say
        self._shrink = shrink
        self._wanted = wanted

    def tell(self, found: SeedResult, violation: Violation) -> SeedResult:
        """Run `found` again, complete `violation`, and return the run that shows it best."""
        self._say(f"\nseed {found.case.seed}: {found.invariant}: {found.what}")
        result = run_recorded(found.case)
        if (result.trace_hash, result.invariant) != (found.trace_hash, found.invariant):
            what = f"run again, it ends with {result.invariant or 'no violation'!r}: {result.what}"
            command, seed = found.case.command(), found.case.seed
            self._report.violations.append(
                Violation("one seed is one run", what, command, seed, lines(result.timeline))
            )
        elif self._shrink:
            shrinker = Shrinker(result, _SHRINK_RUNS, self._wanted)
            smallest = shrinker.shrink().case
            self._say(f"shrunk in {shrinker.runs} runs to {len(smallest.plan())} faults")
            result = run_recorded(smallest)
            violation.what = result.what
        violation.reproduce = result.case.command()
        violation.timeline = lines(result.timeline)
        if sum(bool(one.moments) for one in self._report.violations) < _MOST_PICTURES:
            violation.moments = picture(result)
        return result


def picture(result: SeedResult) -> list[Moment]:
    """Return what a recorded run looks like from outside, without what nodes log."""
    return [one for one in result.timeline if one.lane != "log"]
