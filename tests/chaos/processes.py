"""Waiting for other processes."""

import time
from collections.abc import Callable


def await_true(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Return whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
