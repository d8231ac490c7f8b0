"""Lines about refused logins: whoever knocks without end must not fill the disk."""

from collections.abc import Callable
from typing import Final

import structlog

LINES_A_SECOND: Final = 10

log = structlog.get_logger("gateway")


class RefusalLog:
    """Writes `login_refused`, at most `LINES_A_SECOND` times a second.

    `suppressed` is how many lines were left out since the last one; the counters of refusals count
    them all.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Count by the seconds of `clock`."""
        self._clock = clock
        self._second = -1
        self._lines = 0
        self._suppressed = 0

    def write(self, **facts: object) -> None:
        """Write a line about one refused login, or leave it out."""
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._lines = 0
        if self._lines == LINES_A_SECOND:
            self._suppressed += 1
            return
        self._lines += 1
        suppressed, self._suppressed = self._suppressed, 0
        log.warning("login_refused", suppressed=suppressed, **facts)
