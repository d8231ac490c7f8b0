"""The cases of a range of seeds."""

from collections.abc import Sequence
from typing import overload

from chaos.simulation.seed_run import Case


class Cases(Sequence[Case]):
    """One case a seed, made when it is looked at: a range may be as long as it likes."""

    def __init__(self, seeds: range, like: Case) -> None:
        """Run `seeds` in the same way as `like`."""
        self._seeds = seeds
        self._like = like

    def __len__(self) -> int:
        """Return how many seeds there are."""
        return len(self._seeds)

    @overload
    def __getitem__(self, at: int) -> Case: ...

    @overload
    def __getitem__(self, at: slice) -> "Cases": ...

    def __getitem__(self, at: int | slice) -> "Case | Cases":
        """Return one case, or those of a part of the seeds."""
        if isinstance(at, slice):
            return Cases(self._seeds[at], self._like)
        return self._like._replace(seed=self._seeds[at])
