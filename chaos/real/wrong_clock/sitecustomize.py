"""Make this process's wall clock wrong by as many seconds as a file says, newly read every time.

Python imports this by itself when its folder is on the module path. Only `time.time_ns` and
`time.time` are wrong: a node reads its wall clock there and nowhere else. A library that is loaded
before the C library would reach further and break monotonic sleeps on its way.
"""

import os
import time

_true_ns = time.time_ns
_file = os.open(os.environ["QUORUMBOOK_CHAOS_CLOCK"], os.O_RDONLY | os.O_CLOEXEC)


def wrong_time_ns() -> int:
    """Return the wrong time."""
    said = os.pread(_file, 32, 0)
    return _true_ns() + int(said or b"0") * 1_000_000_000


time.time_ns = wrong_time_ns
time.time = lambda: wrong_time_ns() / 1e9
