"""One direction between two hosts."""

from collections import deque
from random import Random

from chaos.simulation.scheduler import Action, Scheduler

_LEAST_NS = 50_000
_SPREAD_NS = 450_000


class Link:
    """Carries things in the order in which they were sent, some time later; holds them while cut.

    One thing may overtake another only over another connection: order is kept by the streams.
    """

    def __init__(self, scheduler: Scheduler, random: Random) -> None:
        """Carry at the speed of a local network."""
        self._scheduler = scheduler
        self._random = random
        self._held: deque[Action] = deque()
        self.cut = False
        self.slow_ns = 0
        """Added to the time of everything."""
        self.loss = 0.0
        """The chance that a packet must be sent again, 200 ms later."""

    def arrival_ns(self) -> int:
        """Draw when something sent now arrives."""
        random = self._random.random
        delay = _LEAST_NS + int(random() * _SPREAD_NS) + self.slow_ns
        if self.loss and random() < self.loss:
            delay += 200_000_000
        return self._scheduler.now_ns + delay

    def carry(self, action: Action, not_before_ns: int = 0) -> int:
        """Do `action` at the other end; return when, unless the link is cut meanwhile."""
        time_ns = self.arrival_ns()
        time_ns = max(not_before_ns, time_ns)
        self._scheduler.at(time_ns, self._arrive, (action,))
        return time_ns

    def _arrive(self, action: Action) -> None:
        if self.cut:
            self._held.append(action)
        else:
            action()

    def heal(self) -> None:
        """Carry again, at full speed, and what was held first."""
        self.slow_ns = 0
        self.loss = 0.0
        self.mend()

    def mend(self) -> None:
        """Carry again; what was held arrives now, in order."""
        self.cut = False
        held, self._held = self._held, deque()
        for action in held:
            self._scheduler.at(self._scheduler.now_ns, action)
