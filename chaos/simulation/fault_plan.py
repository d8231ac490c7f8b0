"""What breaks and when: drawn from the seed before the run, so that parts can be left out."""

from collections.abc import Collection
from random import Random
from typing import NamedTuple

from chaos.simulation.faults.registry import FAULTS

_FIRST_MS = 350.0
"""The first election and the first logins are left alone in most runs; they break later too."""


class PlannedFault(NamedTuple):
    """One fault: its place in the plan, when it strikes, and the seed of its dice."""

    number: int
    at_ms: float
    kind: str
    dice: int


def draw_plan(
    seed: int, seconds: float, kinds: Collection[str] | None = None
) -> list[PlannedFault]:
    """Draw the faults of a run that lasts `seconds`, of all kinds or of `kinds` only."""
    random = Random(seed ^ 0x5EED_FA17)
    names = [name for name in FAULTS if kinds is None or name in kinds]
    if not names:
        return []
    weights = [FAULTS[name].weight for name in names]
    spacing_ms = random.choice((60.0, 120.0, 240.0))
    at_ms = _FIRST_MS if random.random() < 0.8 else 0.0
    plan: list[PlannedFault] = []
    while True:
        at_ms += random.expovariate(1 / spacing_ms)
        if at_ms >= seconds * 1_000:
            return plan
        (kind,) = random.choices(names, weights)
        plan.append(PlannedFault(len(plan), at_ms, kind, random.getrandbits(32)))
