"""Standard output with somebody who may stop reading it, as `| head` does."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def listener_may_leave() -> Iterator[None]:
    """Print in here: once nobody reads any more, the rest is dropped, and the run goes on."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered goes nowhere too, instead of failing when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
