"""Where a group's time goes, from the socket to the acknowledgement.

Five clocks read a group, none a command.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from node.telemetry.histogram import Histogram

STAGES: Final = ("waiting", "quorum", "apply", "reply", "total")
"""From a group's first byte at the gateway to its proposal; to its commit; applying it; writing its
replies; and all of it."""

_MARKS_MAX: Final = 4_096


class StageClock:
    """Times the groups that this node proposed as a leader; sizes of all groups applied."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """Start with nothing proposed; `now_ns` is the monotonic clock that stamps what comes."""
        self._now_ns = now_ns
        self.histograms = {stage: Histogram() for stage in STAGES}
        self.group_commands = Histogram()
        self.group_bytes = Histogram()
        self._marks: deque[tuple[int, int, int]] = deque(maxlen=_MARKS_MAX)
        self._current: tuple[int, int] | None = None
        self._began = 0
        self._applied = 0

    def proposed(self, stamp_ns: int, received_ns: int) -> None:
        """Note that the group with this stamp left for consensus.

        `received_ns` is when its oldest command came.
        """
        now = self._now_ns()
        self._marks.append((stamp_ns, received_ns, now))
        self.histograms["waiting"].observe(now - received_ns)

    def committed(self, stamp_ns: int, count: int, size: int) -> None:
        """Note that a group is about to be applied. Groups come in order.

        Proposals that were lost are skipped.
        """
        self.group_commands.observe(count)
        self.group_bytes.observe(size)
        self._began = self._now_ns()
        self._current = None
        marks = self._marks
        while marks and marks[0][0] <= stamp_ns:
            stamp, received_ns, proposed_ns = marks.popleft()
            if stamp == stamp_ns:
                self._current = (received_ns, proposed_ns)
                self.histograms["quorum"].observe(self._began - proposed_ns)
                break

    def applied(self) -> None:
        """Note that the group's effects are known."""
        self._applied = self._now_ns()
        self.histograms["apply"].observe(self._applied - self._began)

    def replied(self) -> None:
        """Note that the group's replies are written."""
        now = self._now_ns()
        self.histograms["reply"].observe(now - self._applied)
        if self._current is not None:
            self.histograms["total"].observe(now - self._current[0])

    def forget(self) -> None:
        """Drop the proposals that have not come back: leadership changed."""
        self._marks.clear()
