"""Tasks that wait for a read barrier on behalf of a client."""

import asyncio
from collections.abc import Coroutine


class BarrierTasks:
    """The waits that go on, and whoever is to blame when one of them fails.

    A task handles the failures that the world may cause. Any other exception is our mistake: it
    goes to the loop's exception handler as an AssertionError, on which a node stops.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._tasks: dict[asyncio.Task[None], None] = {}

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._tasks)

    def start(self, wait: Coroutine[None, None, None]) -> None:
        """Run `wait` until it ends or `stop` is called."""
        task = asyncio.ensure_future(wait)
        self._tasks[task] = None
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            raise AssertionError(f"{task.get_coro()} failed") from error

    async def stop(self) -> None:
        """Cancel what waits."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
