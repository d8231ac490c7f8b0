"""Checkpoints made durable while the venue goes on, none of those asked for left out.

Encoding in short slices on the loop, the commit in a thread.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from node.engine.checkpoint import Checkpoint
from node.storage.snapshot_meta import SnapshotMeta
from node.storage.state_store import StateStore
from node.telemetry.histogram import Histogram

SLICE_NS: Final = 1_000_000
"""A slice ends with the first step after a millisecond, so that no slice takes two."""
_PAGES_A_STEP: Final = 8


class Checkpointer:
    """Works off one checkpoint at a time. Everything but the commit happens on the loop."""

    def __init__(
        self,
        store: StateStore,
        on_durable: Callable[[SnapshotMeta, int], None],
        on_failed: Callable[[BaseException], None],
        now_ns: Callable[[], int],
    ) -> None:
        """Commit to `store`; report each meta with the nanoseconds it took, or what went wrong.

        Whatever is raised on the way goes to `on_failed`, `on_durable`'s own errors included: no
        caller is left to raise it to.
        """
        self._store = store
        self._on_durable = on_durable
        self._on_failed = on_failed
        self._now_ns = now_ns
        self._commit: asyncio.Future[None] | None = None
        self._running: Checkpoint | None = None
        self._owed: Callable[[], None] | None = None
        self._began_ns = 0
        self.duration = Histogram()
        """From freezing to the durable commit."""
        self.pause_ns_max = 0
        """The longest slice so far."""

    @property
    def busy(self) -> bool:
        """Return whether a checkpoint is under way: then another one may not begin, but is owed."""
        return self._running is not None

    def begin(self, checkpoint: Checkpoint, describe: Callable[[Checkpoint], SnapshotMeta]) -> None:
        """Take a frozen checkpoint; `describe` is called once its digests are known."""
        assert self._running is None  # The caller asked `busy` first.
        self._running = checkpoint
        self._began_ns = self._now_ns()
        asyncio.get_running_loop().call_soon(self._slice, checkpoint, describe)

    def owe(self, begin: Callable[[], None]) -> None:
        """Call `begin` as soon as the checkpoint under way ends, however often that is asked."""
        assert self._running is not None  # Else the caller begins at once.
        self._owed = begin

    def abandon(self) -> None:
        """Drop what is not committed yet: another state has taken the venue's place.

        It came with a durable snapshot of its own, so nothing is owed either.
        """
        self._owed = None
        if self._commit is None:
            self._running = None

    async def finish(self) -> None:
        """Wait until nothing is under way, nor owed."""
        while self._running is not None:
            if self._commit is not None:
                await asyncio.wait([self._commit])
            await asyncio.sleep(0)

    def _slice(
        self, checkpoint: Checkpoint, describe: Callable[[Checkpoint], SnapshotMeta]
    ) -> None:
        if checkpoint is not self._running:
            return
        try:
            self._advance(checkpoint, describe)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it must not end checkpoints quietly
            self._running = None
            self._on_failed(error)

    def _advance(
        self, checkpoint: Checkpoint, describe: Callable[[Checkpoint], SnapshotMeta]
    ) -> None:
        begun = now = self._now_ns()
        complete = False
        while not complete and now - begun < SLICE_NS:
            complete = checkpoint.step(_PAGES_A_STEP)
            now = self._now_ns()
        self.pause_ns_max = max(self.pause_ns_max, now - begun)
        loop = asyncio.get_running_loop()
        if not complete:
            loop.call_soon(self._slice, checkpoint, describe)
            return
        meta = describe(checkpoint)
        self._commit = loop.run_in_executor(None, self._store.commit, checkpoint.changes, meta)
        self._commit.add_done_callback(lambda commit: self._committed(commit, meta))

    def _committed(self, commit: "asyncio.Future[None]", meta: SnapshotMeta) -> None:
        self._commit = None
        self._running = None
        try:
            commit.result()
            elapsed_ns = self._now_ns() - self._began_ns
            self.duration.observe(elapsed_ns)
            self._on_durable(meta, elapsed_ns)
        except BaseException as error:  # noqa: BLE001 - see `_slice`
            self._on_failed(error)
        self._begin_owed()

    def _begin_owed(self) -> None:
        begin, self._owed = self._owed, None
        if begin is None:
            return
        try:
            begin()
        except BaseException as error:  # noqa: BLE001 - see `_slice`
            self._on_failed(error)
