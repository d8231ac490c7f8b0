"""Virtual time: what happens next, in an order that only the seed decides."""

import heapq
from collections.abc import Callable

Action = Callable[[], None]


class Scheduler:
    """Runs actions in order of time, and of asking where times are equal."""

    def __init__(self, now_ns: int) -> None:
        """Start at `now_ns` with nothing to do."""
        self.now_ns = now_ns
        self.steps = 0
        self._asked = 0
        self._heap: list[tuple[int, int, Action]] = []

    def at(self, time_ns: int, action: Action) -> None:
        """Run `action` at `time_ns`, or now when that is past."""
        self._asked += 1
        heapq.heappush(self._heap, (max(time_ns, self.now_ns), self._asked, action))

    def after(self, delay_ns: int, action: Action) -> None:
        """Run `action` when `delay_ns` have passed."""
        self.at(self.now_ns + delay_ns, action)

    def run_until(self, end_ns: int, stop: Callable[[], bool] | None = None) -> None:
        """Let time pass until `end_ns`, or until `stop()` is true behind some action."""
        heap = self._heap
        while heap and heap[0][0] <= end_ns:
            self.now_ns, _, action = heapq.heappop(heap)
            self.steps += 1
            action()
            if stop is not None and stop():
                return
        self.now_ns = max(self.now_ns, end_ns)
