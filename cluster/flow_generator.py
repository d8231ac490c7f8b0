"""A seeded flow shaped like a betting exchange, for whoever has no recording at hand.

Measured on recordings: about half of all actions place and half reduce, one in a hundred takes;
most orders rest within a few steps of a mid that wanders, a few far away; sizes spread over three
decades; an order that is reduced mostly goes whole, and young orders go more often than old ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import Final

from cluster.flow import BUY, PLACE, REDUCE, SELL, TAKE, Flow, FlowRow
from node.domain.units import MAX_PRICE, MIN_PRICE, PRICE_SCALE

TAKE_SHARE: Final = 0.01
PLACE_SHARE: Final = 0.505
WHOLE_REDUCTION_SHARE: Final = 0.7
FAR_SHARE: Final = 0.08
FAR_STEPS: Final = 40
NEAR_STEPS: Final = 2.5
OPEN_ORDERS_MAX: Final = 20_000
LOTS_MEDIAN: Final = 4_000
LOTS_SPREAD: Final = 1.4
LOTS_MAX: Final = 2_000_000
WANDER: Final = 0.0004
"""Spread of a mid's steps: about one command in forty then fills, as in recordings with takes."""


@dataclass(slots=True)
class _Runner:
    """A runner's mid, in price units, and the step between its likely prices."""

    mid: float
    step: int

    def wander(self, random: Random) -> None:
        """Move the mid a little, most when nothing is certain, and keep it inside the scale."""
        spread = self.mid * (PRICE_SCALE - self.mid) / PRICE_SCALE
        moved = self.mid + random.gauss(0.0, WANDER) * spread
        self.mid = min(max(moved, 100.0), PRICE_SCALE - 100.0)


@dataclass(slots=True)
class _Resting:
    """An order that the generator believes to rest; the venue may have filled it."""

    ref: int
    market: int
    side: str
    price: int
    leaves: int


def generate_flow(rows: int, runners: int = 8, seed: int = 1) -> Flow:
    """Return `rows` actions on `runners` outcomes of one event.

    Equal arguments give equal flows.
    """
    names = tuple(f"runner-{number}" for number in range(1, runners + 1))
    return Flow(f"generated-{seed}", names, tuple(_actions(rows, runners, Random(seed))))


def _actions(rows: int, runners: int, random: Random) -> Iterator[FlowRow]:
    field = _field(runners, random)
    resting: list[_Resting] = []
    ref = 0
    t_ms = 0.0
    for _ in range(rows):
        t_ms += random.expovariate(1 / 5)
        drawn = random.random()
        if len(resting) < runners or (drawn < PLACE_SHARE and len(resting) < OPEN_ORDERS_MAX):
            ref += 1
            order = _place(ref, field, random)
            resting.append(order)
            yield FlowRow(
                int(t_ms), order.market, PLACE, ref, order.side, order.price, order.leaves
            )
        elif drawn >= 1 - TAKE_SHARE:
            yield _take(int(t_ms), field, random)
        else:
            yield _reduce(int(t_ms), resting, random)


def _field(runners: int, random: Random) -> list[_Runner]:
    """Draw starting chances that sum to one: a favourite or two and a tail of outsiders."""
    weights = [random.expovariate(1.0) + 0.05 for _ in range(runners)]
    total = sum(weights)
    mids = [PRICE_SCALE * weight / total for weight in weights]
    return [_Runner(mid, 10 if mid < 1_000 else 50) for mid in mids]


def _place(ref: int, field: list[_Runner], random: Random) -> _Resting:
    market = int(random.random() * len(field))
    runner = field[market]
    runner.wander(random)
    side = BUY if random.random() < 0.5 else SELL
    mean = FAR_STEPS if random.random() < FAR_SHARE else NEAR_STEPS
    away = (int(random.expovariate(1 / mean)) + 1) * runner.step
    price = _on_step(runner.mid - away if side == BUY else runner.mid + away, runner.step)
    return _Resting(ref, market, side, price, _lots(random))


def _take(t_ms: int, field: list[_Runner], random: Random) -> FlowRow:
    market = int(random.random() * len(field))
    runner = field[market]
    side = BUY if random.random() < 0.5 else SELL
    through = 2 * runner.step
    price = _on_step(runner.mid + through if side == BUY else runner.mid - through, runner.step)
    return FlowRow(t_ms, market, TAKE, 0, side, price, max(1, _lots(random) // 2))


def _reduce(t_ms: int, resting: list[_Resting], random: Random) -> FlowRow:
    newest_first = int(random.expovariate(4 / len(resting)))
    place = max(0, len(resting) - 1 - newest_first)
    order = resting[place]
    whole = random.random() < WHOLE_REDUCTION_SHARE or order.leaves == 1
    lots = order.leaves if whole else 1 + int(random.random() * (order.leaves - 1))
    order.leaves -= lots
    if order.leaves == 0:
        resting[place] = resting[-1]
        resting.pop()
    return FlowRow(t_ms, order.market, REDUCE, order.ref, order.side, order.price, lots)


def _lots(random: Random) -> int:
    return min(LOTS_MAX, 1 + int(exp(random.gauss(log(LOTS_MEDIAN), LOTS_SPREAD))))


def _on_step(price: float, step: int) -> int:
    return min(max(int(price) // step * step, MIN_PRICE), MAX_PRICE)
