"""Replay: feed a log to a venue and record what any other replay of it must come to."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from node.consensus.journal_recovery import JournalEntry
from node.domain.codes import Code
from node.domain.genesis import Genesis
from node.engine.snapshot import restore
from node.engine.venue import Venue

GROUP_KIND: Final = 0
"""The kind of a log entry that holds a group; no others reach the venue."""

_STEP_PAGES: Final = 1 << 30

Pages = Iterable[tuple[bytes, bytes]]
Observer = Callable[[int, bytes, bytes], None]
"""Called after each group with (log index, replies, events)."""


@dataclass(frozen=True, slots=True)
class StateDigests:
    """What the state is at one index: equal on every replica that applied the same log."""

    index: int
    chain: bytes
    state: bytes
    ledger: bytes
    page_count: int


class Replay:
    """One venue, fed from genesis or from a snapshot, with its digests on record."""

    def __init__(self, genesis: Genesis, pages: Pages | None = None) -> None:
        """Start before the first entry, or from a snapshot's pages.

        Raises SnapshotError when the pages contradict each other.
        """
        self.pages: dict[bytes, bytes] = {}
        if pages is None:
            self.venue = Venue(genesis)
        else:
            self.pages = dict(pages)
            self.venue = restore(genesis, sorted(self.pages.items()))
        self.start_index: Final = self.venue.log_index
        self._start_commands: Final = self.venue.state.commands
        self._start_fills: Final = self.venue.state.treasury.fills
        self.groups = 0
        self.group_bytes = 0
        self.checkpoints: list[StateDigests] = []
        """The state digests at every checkpoint that the log calls for, in order."""
        self._chain_indexes = [self.venue.log_index]
        self._chain_digests = [self.venue.digest]

    def feed(self, entries: Iterable[JournalEntry], observe: Observer | None = None) -> None:
        """Apply the groups among `entries` that lie behind what was applied so far.

        Raises InvariantError when the venue contradicts itself: the log or the engine is wrong.
        """
        venue = self.venue
        for entry in entries:
            if entry.kind != GROUP_KIND or entry.index <= venue.log_index:
                continue
            venue.apply(entry.index, entry.payload)
            self.groups += 1
            self.group_bytes += len(entry.payload)
            self._chain_indexes.append(entry.index)
            self._chain_digests.append(venue.digest)
            if observe is not None:
                observe(entry.index, venue.replies, venue.events)
            if venue.checkpoint_due:
                self.checkpoints.append(self.digests())

    def digests(self) -> StateDigests:
        """Return the digests of the state as it is now, from every page changed so far."""
        checkpoint = self.venue.freeze()
        while not checkpoint.step(_STEP_PAGES):
            pass
        for key, value in checkpoint.changes:
            if value:
                self.pages[key] = value
            else:
                self.pages.pop(key, None)
        return StateDigests(
            checkpoint.log_index,
            checkpoint.chain_digest,
            checkpoint.state_digest,
            checkpoint.ledger_digest,
            checkpoint.page_count,
        )

    def canonical_pages(self) -> list[tuple[bytes, bytes]]:
        """Return all pages as of the last `digests`, in key order."""
        return sorted(self.pages.items())

    def chain_at(self, index: int) -> bytes | None:
        """Return the chain digest as of `index`, None before the replay's start."""
        place = bisect_right(self._chain_indexes, index)
        return self._chain_digests[place - 1] if place else None

    @property
    def chain(self) -> list[tuple[int, bytes]]:
        """Return (log index, chain digest) of the start and of every group."""
        return list(zip(self._chain_indexes, self._chain_digests, strict=True))

    @property
    def commands(self) -> int:
        """Return how many commands the replayed groups held."""
        return self.venue.state.commands - self._start_commands

    @property
    def fills(self) -> int:
        """Return how many fills the replayed groups made."""
        return self.venue.state.treasury.fills - self._start_fills

    def rejections(self) -> dict[str, int]:
        """Return how many commands were rejected, by the name of the code."""
        return {
            Code(number).name: count for number, count in enumerate(self.venue.rejections) if count
        }
