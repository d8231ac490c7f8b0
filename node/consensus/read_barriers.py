"""Callers that wait until this leader has applied everything acknowledged before they asked."""

import asyncio
from collections.abc import Callable

from node.consensus.errors import NotLeaderError
from node.consensus.raft_guard import RaftGuard


class ReadBarriers:
    """Turns read indexes into futures that end when the index is applied."""

    def __init__(self, guard: RaftGuard, kick: Callable[[], None]) -> None:
        """Ask `guard`; `kick` makes a pass soon."""
        self._guard = guard
        self._kick = kick
        self._waiting: list[tuple[int, asyncio.Future[int]]] = []

    def ask(self) -> asyncio.Future[int]:
        """Return a future of an index to read at; NotLeaderError when this node cannot tell one."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def answer(index: int | None) -> None:
            if future.done():
                return
            if index is None:
                reason = "this node does not lead, or not yet with an entry of its own"
                future.set_exception(NotLeaderError(reason))
            else:
                self._waiting.append((index, future))
                self._kick()

        self._guard.read_index(answer)
        return future

    def answer(self, applied_index: int) -> None:
        """End the futures whose index is applied."""
        if not self._waiting:
            return
        waiting = []
        for index, future in self._waiting:
            if index > applied_index:
                waiting.append((index, future))
            elif not future.done():
                future.set_result(index)
        self._waiting = waiting

    def fail(self) -> None:
        """End all futures with NotLeaderError."""
        self._guard.reads.fail()
        for _index, future in self._waiting:
            if not future.done():
                future.set_exception(NotLeaderError("this node is stopping"))
        self._waiting = []
