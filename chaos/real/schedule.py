"""Which fault comes next, when, and for how long: everything drawn from one seed."""

from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

from chaos.real.catalogue import Kind

GAP_SECONDS: Final = (0.1, 0.9)
AT_ONCE_MOST: Final = 3
"""Faults that overlap, at most."""


_ALONE_SHARE: Final = {"kill-leader": 0.6}
_ALONE_SHARE_ELSE: Final = 0.1
_COPIES: Final = {"kill-leader": 3}
"""In the deck, where it is not one: failovers are counted and timed."""


class Drawn(NamedTuple):
    """One fault to come."""

    number: int
    kind: Kind
    seconds: float
    """How long it lasts before it is healed."""
    gap_seconds: float
    """Before the next one begins."""
    alone: bool
    """Whether everything else is to be healed first: the plain case, to be measured."""
    random: Random
    """For whatever else the fault has to choose."""
    again: bool = False
    """Whether it was dealt before and did not suit the scene then."""


class _Card(NamedTuple):
    kind: Kind
    again: bool


class Schedule:
    """Deals the kinds like cards: each comes once before any comes twice.

    What a fault chooses comes from a generator of its own, so that no fault's choices depend on how
    far another has come. On whom it falls depends on who leads just then: a real cluster is not
    deterministic, only what is tried is.
    """

    def __init__(self, seed: str, kinds: Sequence[Kind]) -> None:
        """Deal `kinds`, at least one."""
        assert kinds, "no kind of fault is left"
        self._seed = seed
        self._kinds = sorted(kinds, key=lambda kind: kind.name)
        self._random = Random(f"{seed} schedule")
        self._deck: list[_Card] = []
        """What is drawn next is at its end."""
        self._number = 0

    def draw(self, busy: frozenset[str] = frozenset()) -> Drawn | None:
        """Return the next fault whose kind is not among `busy`; None when all are."""
        if not self._deck:
            dealt = [kind for kind in self._kinds for _ in range(_COPIES.get(kind.name, 1))]
            shuffled = self._random.sample(dealt, len(dealt))
            self._deck = [_Card(kind, again=False) for kind in shuffled]
        for place in range(len(self._deck) - 1, -1, -1):
            if self._deck[place].kind.name not in busy:
                chosen, again = self._deck.pop(place)
                break
        else:
            return None
        self._number += 1
        return Drawn(
            self._number,
            chosen,
            self._random.uniform(*chosen.seconds),
            self._random.uniform(*GAP_SECONDS),
            self._random.random() < _ALONE_SHARE.get(chosen.name, _ALONE_SHARE_ELSE),
            Random(f"{self._seed} fault {self._number}"),
            again,
        )

    def put_back(self, drawn: Drawn) -> None:
        """Take back a fault that did not suit the scene: its kind comes again, last of this deck.

        One that did not suit then either waits for the next deck: no kind is drawn for ever while
        others wait.
        """
        if not drawn.again:
            self._deck.insert(0, _Card(drawn.kind, again=True))
