"""The client for programs without asyncio: the same calls, blocking."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from types import TracebackType
from typing import Any, Self, TypeVar

from client.client import Client

Result = TypeVar("Result")


class SyncClient:
    """A Client on a loop of its own, in a thread.

    Every method blocks until the asynchronous one is done.

    `orders`, `accounts`, `admin` and `queries` have the methods of their asynchronous namesakes.
    Thread-safe.
    """

    def __init__(self, make_client: Callable[[], Client]) -> None:
        """Prepare; `make_client` is called in the thread's loop, e.g. `lambda: Client.local()`."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self.client = self.run(self._made(make_client))
        except BaseException:
            self._stop()
            raise
        self.orders = _Blocking(self, self.client.orders)
        self.accounts = _Blocking(self, self.client.accounts)
        self.admin = _Blocking(self, self.client.admin)
        self.queries = _Blocking(self, self.client.queries)

    @staticmethod
    async def _made(make_client: Callable[[], Client]) -> Client:
        return await make_client().open()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run any coroutine of the client's and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def iterate(self, stream: AsyncIterator[Result]) -> Iterator[Result]:
        """Yield what an asynchronous iterator of the client's yields."""
        while (item := self.run(_next(stream))) is not None:
            yield item

    def close(self) -> None:
        """Log out and end the thread."""
        self.run(self.client.close())
        self._stop()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        """Return the open client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


async def _next(stream: AsyncIterator[Result]) -> Result | None:
    return await anext(stream, None)


class _Blocking:
    """The asynchronous methods of `target`, blocking."""

    def __init__(self, owner: SyncClient, target: object) -> None:
        self._owner = owner
        self._target = target

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._target, name)

        @wraps(method)
        def blocking(*args: object, **options: object) -> Any:  # noqa: ANN401 - as the method says
            return self._owner.run(method(*args, **options))

        return blocking
