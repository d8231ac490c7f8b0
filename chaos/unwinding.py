"""The end of a command that is asked to end: the first signal counts, and cleaning up goes on."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

from cluster.processes import unwind

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def unwind_once() -> None:
    """Make Ctrl-C, SIGTERM and a closed terminal unwind this process, all alike.

    Only the first does: those of the impatient do not cut short what removes nodes and files.
    """
    at_first_signal(lambda: unwind(KeyboardInterrupt()))


def at_first_signal(act: Callable[[], object]) -> None:
    """Call `act` in the signal handler of the first of those signals, and ignore all after it.

    SIGINT counts even where a shell had it ignored, as for a job in the background; SIGHUP stays
    ignored where it was, as `nohup` has it.
    """
    kinds = [
        kind
        for kind in _SIGNALS
        if kind is not signal.SIGHUP or signal.getsignal(kind) is not signal.SIG_IGN
    ]

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for kind in kinds:
            signal.signal(kind, signal.SIG_IGN)
        act()

    for kind in kinds:
        signal.signal(kind, interrupt)
