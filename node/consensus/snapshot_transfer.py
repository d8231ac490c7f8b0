"""A snapshot on its way to a peer that the log no longer reaches.

Chunks, acknowledged as they are written.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from node.consensus.outbound import Outbound
from node.consensus.peer_messages import (
    INSTALLED,
    TAKING,
    UNWANTED,
    SnapshotChunk,
    SnapshotOffer,
    SnapshotTaken,
)
from node.consensus.raft_core import RaftCore
from node.consensus.timing import Timing

if TYPE_CHECKING:
    from node.consensus.peer_progress import Progress


class SnapshotCopy(Protocol):
    """A copy of the snapshot that stays as it is while it is sent."""

    index: int
    """The snapshot ends at this index or behind it."""
    size: int
    blake3: bytes

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes at `offset`."""

    def close(self) -> None:
        """Give the copy up."""


class SnapshotInbox(Protocol):
    """A snapshot being received."""

    def write(self, data: bytes) -> None:
        """Add bytes."""

    def install(self, done: Callable[[tuple[int, int] | None], None]) -> None:
        """Verify it, replace ours by it, load it.

        Then call `done` with its (index, term), or None if it is bad.
        """

    def discard(self) -> None:
        """Give it up."""


class SnapshotPort(Protocol):
    """Where snapshots come from and go to; slow work happens elsewhere and calls back."""

    def copy(self, done: Callable[[SnapshotCopy | None], None]) -> None:
        """Make a copy to send, and call `done` with it, or with None if there is none."""

    def receive(self, size: int, blake3: bytes) -> SnapshotInbox:
        """Prepare to receive `size` bytes."""


class OutgoingTransfer:
    """One transfer to one peer."""

    def __init__(self, number: int, started_at: float) -> None:
        """Wait for the copy."""
        self.number = number
        self.copy: SnapshotCopy | None = None
        self.sent = 0
        self.taken = 0
        self.progress_at = started_at
        self.cancelled = False


class SnapshotSender:
    """The leader's side."""

    def __init__(
        self,
        core: RaftCore,
        outbound: Outbound,
        port: SnapshotPort,
        timing: Timing,
        now: Callable[[], float],
    ) -> None:
        """Send copies from `port`."""
        self._core = core
        self._outbound = outbound
        self._port = port
        self._timing = timing
        self._now = now
        self._number = 0
        self.sent_bytes = 0
        self.completed = 0

    def start(self, progress: "Progress") -> None:
        """Begin to send a snapshot to a peer, unless one is under way or just failed."""
        now = self._now()
        if progress.transfer is not None or now - progress.transfer_at < self._timing.retry:
            return
        self._number += 1
        transfer = OutgoingTransfer(self._number, now)
        progress.transfer = transfer
        progress.transfer_at = now
        # The copy may be as old as the newest snapshot is now, and no older: the log must not move
        # on from it.
        progress.hold_index = self._core.journal.base_index
        self._port.copy(lambda copy: self._start_sending(progress, transfer, copy))

    def _start_sending(
        self, progress: "Progress", transfer: OutgoingTransfer, copy: SnapshotCopy | None
    ) -> None:
        if transfer.cancelled or copy is None:
            if copy is not None:
                copy.close()
            if progress.transfer is transfer:
                progress.transfer = None
            return
        transfer.copy = copy
        transfer.progress_at = self._now()
        offer = SnapshotOffer(self._core.term, transfer.number, copy.index, copy.size, copy.blake3)
        self._outbound.now(progress.peer, offer)
        self._send_chunks(progress, transfer)

    def _send_chunks(self, progress: "Progress", transfer: OutgoingTransfer) -> None:
        copy = transfer.copy
        if copy is None:
            return
        window = self._timing.chunk_bytes * self._timing.chunk_window
        while transfer.sent < copy.size and transfer.sent - transfer.taken < window:
            data = copy.read(
                transfer.sent, min(self._timing.chunk_bytes, copy.size - transfer.sent)
            )
            chunk = SnapshotChunk(self._core.term, transfer.number, transfer.sent, data)
            transfer.sent += len(data)
            self.sent_bytes += len(data)
            self._outbound.now(progress.peer, chunk)

    def receive(self, progress: "Progress", message: SnapshotTaken) -> None:
        """Take the receiver's answer."""
        transfer = progress.transfer
        if transfer is None or transfer.number != message.transfer:
            return
        transfer.progress_at = self._now()
        if message.state == TAKING:
            transfer.taken = max(transfer.taken, message.offset)
            self._send_chunks(progress, transfer)
            return
        self.cancel(progress)
        if message.state == INSTALLED:
            self.completed += 1
            progress.transfer_at = self._now() - self._timing.retry
        progress.rewind(message.offset)

    def heartbeat(self, progress: "Progress") -> None:
        """Give a transfer up that stopped moving before all of it was taken."""
        transfer = progress.transfer
        if transfer is None or transfer.copy is None or transfer.taken >= transfer.copy.size:
            return
        if self._now() - transfer.progress_at > 5 * self._timing.retry:
            self.cancel(progress)

    def cancel(self, progress: "Progress") -> None:
        """Stop sending to a peer."""
        transfer = progress.transfer
        if transfer is not None:
            transfer.cancelled = True
            if transfer.copy is not None:
                transfer.copy.close()
            progress.transfer = None


class SnapshotReceiver:
    """The follower's side. A transfer never moves the commit index.

    Only a loaded, verified snapshot does.
    """

    def __init__(self, core: RaftCore, outbound: Outbound, port: SnapshotPort) -> None:
        """Receive into `port`."""
        self._core = core
        self._outbound = outbound
        self._port = port
        self._inbox: SnapshotInbox | None = None
        self._from = 0
        self._transfer = 0
        self._written = 0
        self._size = 0
        self.installing = False
        self.installed = 0

    def receive_offer(self, peer: int, message: SnapshotOffer) -> None:
        """Prepare for a snapshot that is ahead of us."""
        if self.installing:
            return
        self._discard()
        if message.last_index <= self._core.applied_index or message.size <= 0:
            self._answer(peer, message.transfer, self._core.applied_index + 1, UNWANTED)
            return
        self._from, self._transfer, self._written, self._size = (
            peer,
            message.transfer,
            0,
            message.size,
        )
        self._inbox = self._port.receive(message.size, message.blake3)

    def receive_chunk(self, peer: int, message: SnapshotChunk) -> None:
        """Write the bytes that come next; anything else ends the transfer."""
        inbox = self._inbox
        if (
            inbox is None
            or self.installing
            or (peer, message.transfer) != (self._from, self._transfer)
        ):
            return
        end = self._written + len(message.data)
        if message.offset != self._written or end > self._size:
            self._discard()
            self._answer(peer, message.transfer, self._core.applied_index + 1, UNWANTED)
            return
        inbox.write(message.data)
        self._written = end
        self._answer(peer, message.transfer, end, TAKING)
        if end == self._size:
            self.installing = True
            inbox.install(lambda installed: self._finish(peer, message.transfer, installed))

    def _finish(self, peer: int, transfer: int, installed: tuple[int, int] | None) -> None:
        self.installing = False
        self._inbox = None
        if installed is None:
            self._answer(peer, transfer, self._core.applied_index + 1, UNWANTED)
            return
        index, term = installed
        self._core.install(index, term)
        self.installed += 1
        # A promise: it leaves when the journal's reset is durable.
        self._outbound.promise(peer, SnapshotTaken(self._core.term, transfer, index + 1, INSTALLED))

    def _answer(self, peer: int, transfer: int, offset: int, state: int) -> None:
        self._outbound.in_term(peer, SnapshotTaken(self._core.term, transfer, offset, state))

    def disconnect(self, peer: int) -> None:
        """Forget a transfer whose sender is gone, unless it is complete."""
        if peer == self._from and not self.installing:
            self._discard()

    def _discard(self) -> None:
        if self._inbox is not None:
            self._inbox.discard()
            self._inbox = None
