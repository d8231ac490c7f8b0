"""Being asked to end: noted, so that a run ends in order, with its state and its report."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_KINDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_SECONDS: Final = 5.0


class EndRequest:
    """Whether Ctrl-C, SIGTERM or a closed terminal has asked this process to end."""

    def __init__(self) -> None:
        """Begin unasked."""
        self.asked = False
        self.code = 0
        """The exit code that tells of it, as shells count: 130 for Ctrl-C, 143 for SIGTERM."""
        self._asked_at = 0.0
        self._process = os.getpid()

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal. One more, when the run has not ended for seconds, ends it at once."""
        if os.getpid() != self._process:  # A worker that has just been forked.
            os._exit(128 + number)
        if not self.asked:
            self.asked, self.code, self._asked_at = True, 128 + number, time.monotonic()
        elif time.monotonic() > self._asked_at + _PATIENCE_SECONDS:
            for child in multiprocessing.active_children():
                child.kill()
            os._exit(self.code)


@contextmanager
def interruptible() -> Iterator[EndRequest]:
    """Note signals instead of being ended by them; SIGINT also where a shell has it ignored."""
    interruption = EndRequest()
    before = {kind: signal.getsignal(kind) for kind in _KINDS}
    for kind in _KINDS:
        if kind != signal.SIGHUP or before[kind] is not signal.SIG_IGN:  # As `nohup` has it.
            signal.signal(kind, interruption.note)
    try:
        yield interruption
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
