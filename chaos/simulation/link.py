"""One direction between two hosts."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from chaos.simulation.scheduler import Action, Scheduler

_LEAST_NS = 50_000
_SPREAD_NS = 450_000


def _unnoticed() -> None:
    """Tell nobody that a trouble was felt."""


class Trouble(NamedTuple):
    """What one fault does to a link."""

    cut: bool = False
    slow_ns: int = 0
    """Added to the time of everything."""
    loss: float = 0.0
    """The chance that a packet must be sent again, 200 ms later."""
    felt: Callable[[], None] = _unnoticed
    """Told whenever something was held, slowed down or lost because of it."""


CUT = Trouble(cut=True)


class Link:
    """Carries things in the order in which they were sent, some time later; holds them while cut.

    One thing may overtake another only over another connection: order is kept by the streams.
    Several faults may trouble a link at a time: it is cut while one of them cuts it, as slow as all
    of them together, and loses as the worst of them.
    """

    def __init__(self, scheduler: Scheduler, random: Random) -> None:
        """Carry at the speed of a local network."""
        self._scheduler = scheduler
        self._random = random
        self._held: deque[Action] = deque()
        self._troubles: dict[int, Trouble] = {}
        self._suffered = 0
        self.cut = False
        """Whether some fault cuts it now."""

    def arrival_ns(self) -> int:
        """Draw when something sent now arrives."""
        random = self._random.random
        delay = _LEAST_NS + int(random() * _SPREAD_NS)
        if self._troubles:
            delay += self._trouble_ns(random())
        return self._scheduler.now_ns + delay

    def _trouble_ns(self, luck: float) -> int:
        """Return what the troubles add to the time of something sent now."""
        slow_ns = lost_ns = 0
        for trouble in self._troubles.values():
            slow_ns += trouble.slow_ns
            lost = luck < trouble.loss
            if lost:
                lost_ns = 200_000_000
            if lost or trouble.slow_ns:
                trouble.felt()
        return slow_ns + lost_ns

    def carry(self, action: Action, not_before_ns: int = 0) -> int:
        """Do `action` at the other end; return when, unless the link is cut meanwhile."""
        time_ns = self.arrival_ns()
        time_ns = max(not_before_ns, time_ns)
        self._scheduler.at(time_ns, self._arrive, (action,))
        return time_ns

    def _arrive(self, action: Action) -> None:
        if not self.cut:
            action()
            return
        self._held.append(action)
        for trouble in self._troubles.values():
            if trouble.cut:
                trouble.felt()

    def suffer(self, trouble: Trouble) -> Action:
        """Have `trouble` until the returned action is called; it leaves that of others alone."""
        self._suffered = number = self._suffered + 1
        self._troubles[number] = trouble
        self.cut |= trouble.cut

        def end() -> None:
            if self._troubles.pop(number, None) is not None:
                self._let_go()

        return end

    def heal(self) -> None:
        """End all trouble: carry again, at full speed, and what was held first."""
        self._troubles.clear()
        self._let_go()

    def _let_go(self) -> None:
        """Unless something still cuts the link, let what was held arrive now, in order."""
        self.cut = any(trouble.cut for trouble in self._troubles.values())
        if self.cut:
            return
        held, self._held = self._held, deque()
        for action in held:
            self._scheduler.at(self._scheduler.now_ns, action)
