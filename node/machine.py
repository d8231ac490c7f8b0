"""What the log drives.

The venue, its events and replies, and the checkpoints that the log calls for.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import structlog

from node.domain.groups import GROUP_COUNT, GROUP_STAMP
from node.engine.checkpoint import Checkpoint
from node.engine.venue import Venue
from node.storage.checkpointer import Checkpointer
from node.storage.event_journal import EventJournal
from node.storage.snapshot_meta import SnapshotMeta
from node.telemetry.stages import StageClock

EXIT_FAILED: Final = 70
DIGESTS_KEPT: Final = 8_192
"""Chain digests of so many groups are kept for comparison with the peers."""

_CLAIM_SECONDS: Final = 5.0
"""Peers gossip ten times a second: one that said nothing different for so long agrees again."""

log = structlog.get_logger("machine")
Stop = Callable[..., NoReturn]
"""Ends the process, like `fail_stop`, with the same arguments."""


def fail_stop(event: str, error: BaseException | None = None, **facts: object) -> NoReturn:
    """Log and end the process at once: what it might do next could be wrong."""
    try:
        log.critical(event, exc_info=error, **facts)
    finally:
        os._exit(EXIT_FAILED)  # Also when the log's disk is as full as the journal's.


class Machine:
    """What the log drives: applies groups, publishes their outcome, and begins checkpoints."""

    def __init__(
        self,
        venue: Venue,
        events: EventJournal,
        checkpointer: Checkpointer,
        stages: StageClock,
        stop: Stop | None = None,
    ) -> None:
        """Drive `venue`; `publish` and `describe` are set before the first group.

        `stop` ends the process instead of `fail_stop`.
        """
        self.venue = venue
        self.stages = stages
        self.publish: Callable[[bytes, bytes], None] = lambda _replies, _events: None
        self.describe: Callable[[Checkpoint], SnapshotMeta] | None = None
        self.reload: Callable[[], Venue] | None = None
        self._events = events
        self._checkpointer = checkpointer
        self._stop = stop or fail_stop
        self._digests: list[tuple[int, bytes]] = [(-1, b"")] * DIGESTS_KEPT

    def apply(self, index: int, term: int, group: bytes) -> None:
        """Apply the committed group at `index`; the process ends if that fails."""
        del term
        try:
            self._apply(index, group)
        except BaseException as error:  # noqa: BLE001 - fail-stop: an exception here means that we are wrong
            self._stop("apply_failed", error, index=index, group_bytes=len(group))

    def _apply(self, index: int, group: bytes) -> None:
        venue, stages = self.venue, self.stages
        stamp_ns = int.from_bytes(group[GROUP_STAMP : GROUP_STAMP + 8], "little")
        stages.committed(
            stamp_ns, int.from_bytes(group[GROUP_COUNT : GROUP_COUNT + 4], "little"), len(group)
        )
        venue.apply(index, group)
        stages.applied()
        self._digests[index % DIGESTS_KEPT] = (index, venue.digest)
        events = venue.events
        self._events.append(index, events)
        self.publish(venue.replies, events)
        stages.replied()
        if venue.checkpoint_due:
            self._begin_checkpoint()

    def _begin_checkpoint(self) -> None:
        if self._checkpointer.busy:
            log.warning(
                "checkpoint_delayed",
                index=self.venue.log_index,
                reason="the last one is still being written",
            )
            self._checkpointer.owe(self._begin_checkpoint)
            return
        assert self.describe is not None
        self._checkpointer.begin(self.venue.freeze(), self.describe)

    def digest_at(self, index: int) -> bytes | None:
        """Return the chain digest of the group at `index`; None when unknown or no longer kept."""
        if index >= self.venue.log_index:
            return self.venue.digest  # What stands behind the last group is a leader's first entry.
        kept, digest = self._digests[index % DIGESTS_KEPT]
        return digest if kept == index else None

    def restore_from(self, snapshot_file: Path) -> None:
        """Take the state of the snapshot that consensus has just installed."""
        del snapshot_file  # It has taken the place of ours, and is read from there.
        assert self.reload is not None
        self._checkpointer.abandon()
        self.venue = self.reload()
        self._events.restart(self.venue.log_index)


class DivergenceAlarm:
    """Sounds when a peer came to another digest, and stops this node when it is in the minority.

    Digests are chained: peers that differ at one index differ at every later one, so that claims
    about different indexes add up, for as long as they are made.
    """

    def __init__(
        self,
        members: int,
        stop: Stop,
        now: Callable[[], float],
    ) -> None:
        """Watch over a cluster of `members` nodes; `now` is a monotonic clock in seconds."""
        self._members = members
        self._stop = stop
        self._now = now
        self._heard_at: dict[int, float] = {}

    def hear(self, peer: int, index: int, ours: bytes, theirs: bytes) -> None:
        """Take a peer's claim that differs from ours."""
        log.critical(
            "digest_diverged", peer=peer, index=index, ours=ours.hex(), theirs=theirs.hex()
        )
        now = self._now()
        self._heard_at[peer] = now
        differing = [member for member, at in self._heard_at.items() if now - at < _CLAIM_SECONDS]
        if self._members - len(differing) <= self._members // 2:
            self._stop("digest_in_minority", index=index, peers=differing)
