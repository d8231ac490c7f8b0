"""Virtual time: what happens next, in an order that only the seed decides."""

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

Action = Callable[[], None]
_NOTHING: tuple[()] = ()


class Scheduler:
    """Runs actions in order of time, and of asking where times are equal."""

    def __init__(self, now_ns: int) -> None:
        """Start at `now_ns` with nothing to do."""
        self.now_ns = now_ns
        self.steps = 0
        self.stopped = False
        self._asked = 0
        self._due: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        """What is to run at this very time. Half of everything is: it costs no heap."""
        self._later: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []

    def at(
        self, time_ns: int, action: Callable[..., None], arguments: tuple[Any, ...] = _NOTHING
    ) -> None:
        """Run `action` at `time_ns`, or now when that is past."""
        if time_ns <= self.now_ns:
            self._due.append((action, arguments))
        else:
            self._asked = asked = self._asked + 1
            heappush(self._later, (time_ns, asked, action, arguments))

    def after(self, delay_ns: int, action: Action) -> None:
        """Run `action` when `delay_ns` have passed."""
        self.at(self.now_ns + delay_ns, action)

    def stop(self) -> None:
        """Let no more time pass: `run_until` returns behind the action that is running."""
        self.stopped = True

    def run_until(self, end_ns: int) -> None:
        """Let time pass until `end_ns`, or until `stop` is called."""
        due, later = self._due, self._later
        while not self.stopped:
            # What was put off until now was asked for before now came: it goes before what is due.
            if later and (later[0][0] <= self.now_ns or not due):
                if later[0][0] > end_ns:
                    break
                self.now_ns, _, action, arguments = heappop(later)
            elif due:
                action, arguments = due.popleft()
            else:
                break
            self.steps += 1
            action(*arguments)
        if not self.stopped:
            self.now_ns = max(self.now_ns, end_ns)
