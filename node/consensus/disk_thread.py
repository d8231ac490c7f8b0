"""The thread that makes flushes durable, so that the loop can fill the next one meanwhile."""

import asyncio
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

from node.consensus.journal import Flush


class Disk(Protocol):
    """What makes a replica's flushes durable."""

    def submit(self, flush: Flush) -> None:
        """Run `flush` behind those submitted before, and report it."""

    def stop(self) -> None:
        """Finish what was submitted."""


DiskFactory = Callable[[Callable[[Flush, int], None], Callable[[BaseException], None]], Disk]
"""Makes a disk that calls `done(flush, nanoseconds)` in the loop, or `failed(error)`."""


class DiskThread:
    """Runs one flush after the other and reports each to the loop."""

    def __init__(
        self, done: Callable[[Flush, int], None], failed: Callable[[BaseException], None]
    ) -> None:
        """Call `done(flush, nanoseconds)` in the loop.

        `failed` in the thread, at once, when the disk fails.
        """
        self._done = done
        self._failed = failed
        self._flushes: SimpleQueue[Flush | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, flush: Flush) -> None:
        """Run `flush` behind those submitted before."""
        self._flushes.put(flush)

    def _run(self) -> None:
        while (flush := self._flushes.get()) is not None:
            started = time.perf_counter_ns()
            try:
                flush.run()
            except BaseException as error:  # noqa: BLE001 - the process must not outlive a failed sync.
                self._failed(error)
                return
            self._loop.call_soon_threadsafe(self._done, flush, time.perf_counter_ns() - started)

    def stop(self) -> None:
        """Finish what was submitted and end the thread.

        Its last reports may still be on their way.
        """
        self._flushes.put(None)
        self._thread.join()
