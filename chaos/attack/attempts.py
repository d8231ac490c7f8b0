"""Attempts in great numbers: who tries what how often, and what came of each."""

import asyncio
import random as randomness
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from chaos.attack.knock import Answer
from chaos.attack.login_attempts import Attempt
from chaos.attack.victim import Victim

_T = TypeVar("_T")
AT_ONCE: Final = 24
_TRIES: Final = 4
"""An attempt that needs a login of its own may meet an election: then it is made again."""


@dataclass(slots=True)
class Tally:
    """What all attempts came to."""

    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    """By kind, how often each answer was given."""
    refusals: Counter[int] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    """Kind and answer of those that should have been refused."""
    closed: int = 0
    """Ended without a word: the node may have counted a refusal that never arrived."""
    logged: int = 0
    peer_logged: int = 0
    unmade: int = 0
    """Attempts that could not be made, because no login of one's own succeeded."""

    @property
    def count(self) -> int:
        """Return how many attempts were made."""
        return sum(sum(answers.values()) for answers in self.kinds.values())

    def add(self, kind: str, answer: Answer) -> None:
        """Count one."""
        self.kinds.setdefault(kind, Counter())[answer.words] += 1
        if answer.accepted:
            self.accepted.append(f"{kind}: {answer.words}")
        if answer.refusal:
            self.refusals[answer.refusal] += 1
        if answer.rejection:
            self.rejections[answer.rejection] += 1
        self.closed += answer.words == "closed" and not kind.startswith(("peer", "page"))
        self.logged += answer.logged
        self.peer_logged += answer.peer_logged


async def make_all(
    victim: Victim, attempts: dict[str, Attempt], each: int, seed: str, tally: Tally
) -> None:
    """Make each of `attempts` so many times, in an order drawn from `seed`, many at once."""
    random = randomness.Random(seed)
    plan = [kind for kind in attempts for _ in range(each)]
    random.shuffle(plan)
    places = iter(enumerate(plan))

    async def work() -> None:
        for place, kind in places:
            own = randomness.Random(f"{seed}:{place}")
            answer = await _try(victim, partial(attempts[kind], victim, own))
            if answer is None:
                tally.unmade += 1
            else:
                tally.add(kind, answer)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


async def make_in_sessions(
    victim: Victim,
    kind: str,
    run: Callable[[randomness.Random, int], Awaitable[list[Answer]]],
    count: int,
    seed: str,
    tally: Tally,
) -> None:
    """Make `count` attempts of one kind, a hundred to a session."""
    random = randomness.Random(f"{seed}:{kind}")
    done = 0
    while done < count:
        number = min(100, count - done)
        answers = await _try(victim, partial(run, random, number))
        for answer in answers or ():
            tally.add(kind, answer)
        tally.unmade += 0 if answers is not None else number
        done += number


async def _try(victim: Victim, make: Callable[[], Awaitable[_T]]) -> _T | None:
    for _ in range(_TRIES):
        try:
            return await make()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            await asyncio.to_thread(victim.find_leader)
    return None
