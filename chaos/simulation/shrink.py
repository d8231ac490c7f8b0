"""Making a failing case smaller: fewer nodes, fewer faults, a shorter run; the same violation."""

from collections.abc import Callable

from chaos.simulation.seed_run import Case, SeedResult, run_case


class Shrinker:
    """Tries smaller cases, within a number of runs, and keeps what still fails in the same way."""

    def __init__(
        self, failed: SeedResult, runs_most: int, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Shrink the case of `failed`, for as long as `wanted()` is true."""
        self.best = failed
        self.runs = 0
        self._invariant = failed.invariant
        self._runs_most = runs_most
        self._wanted = wanted

    def shrink(self) -> SeedResult:
        """Return the smallest failing case found."""
        self._try(self.best.case._replace(nodes=3))
        self._leave_out_faults()
        self._shorten()
        self._leave_out_faults()
        return self.best

    def _try(self, case: Case) -> bool:
        if case == self.best.case or self.runs >= self._runs_most or not self._wanted():
            return False
        self.runs += 1
        result = run_case(case)
        if result.invariant != self._invariant:
            return False
        self.best = result
        return True

    def _leave_out_faults(self) -> None:
        """Leave out half of the faults, a quarter, ... down to single ones."""
        kept = [planned.number for planned in self.best.case.plan()]
        size = max(1, len(kept) // 2)
        while size:
            at = 0
            while at < len(kept):
                fewer = kept[:at] + kept[at + size :]
                if self._try(self.best.case._replace(kept=tuple(fewer))):
                    kept = fewer
                else:
                    at += size
            size //= 2

    def _shorten(self) -> None:
        """End the faults earlier; what is planned for later falls away."""
        for share in (0.25, 0.5, 0.75, 0.9):
            case = self.best.case
            plan = case.plan()
            seconds = round(case.duration * share, 3)
            kept = tuple(one.number for one in plan if one.at_ms < seconds * 1_000)
            whole = case._replace(seconds=case.duration, kept=kept)
            if self._try(whole):
                return
