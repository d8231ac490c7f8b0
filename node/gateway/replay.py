"""The past of one stream, from the event journal, in slices, until it meets the present."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.domain.events import EVENT_STREAM_SEQUENCE
from node.protocol import messages, refusals
from node.protocol.event_routes import select_events
from node.protocol.fields import field_i64

if TYPE_CHECKING:
    from node.gateway.connection import Connection
    from node.gateway.feeds import Feeds, Subscription


class Replay:
    """Sends what a subscriber has missed, never faster than it reads.

    Then hands it over to the live feed.
    """

    def __init__(
        self, feeds: Feeds, connection: Connection, wanted: Subscription, key: int
    ) -> None:
        """Prepare; nothing is sent before `start`."""
        self._feeds = feeds
        self._connection = connection
        self._wanted = wanted
        self._key = key
        self._cancelled = False
        self._announced = False
        self._is_single = wanted.stream != 0 or wanted.feed == messages.VENUE
        # One stream begins inside the group named, at a sequence; all streams begin behind it.
        from_index = wanted.from_log_index
        self._after = max(from_index - 1, 0) if self._is_single else from_index

    def start(self) -> None:
        """Send the first slice, or refuse when the past is not held any more."""
        oldest = self._feeds.history.oldest_index
        if self._after + 1 < oldest:
            if not self._is_single or self._wanted.from_sequence == 0:
                self._too_old(oldest)
                return
            # The sequence may be there all the same: the first one found decides.
            self._after = oldest - 1
        self._step()

    def cancel(self) -> None:
        """Send nothing more."""
        self._cancelled = True

    def _too_old(self, oldest: int) -> None:
        self._cancelled = True
        self._feeds.give_up(self._connection, self._wanted, self._key, refusals.TOO_OLD, oldest)

    def _step(self) -> None:
        if self._cancelled or self._connection.is_closed:
            return
        oldest = self._feeds.history.oldest_index
        # The journal has dropped what comes next while the reader was slow.
        if self._after + 1 < oldest:
            self._too_old(oldest)
            return
        found, complete = self._slice()
        if found and not self._announced and not self._begin(found):
            return
        if found:
            self._connection.send(found)
        if complete:
            self._finish()
        elif self._connection.writable:
            self._feeds.loop.call_soon(self._step)
        else:
            self._connection.on_writable.append(self._step)

    def _slice(self) -> tuple[bytes, bool]:
        """Return the stream's events in the next groups, and whether these were the last ones."""
        parts: list[bytes] = []
        size = 0
        for index, events in self._feeds.history.since(self._after):
            parts.append(events)
            size += len(events)
            self._after = index
            if size >= self._feeds.replay_bytes:
                return self._select(parts), False
        return self._select(parts), True

    def _select(self, parts: list[bytes]) -> bytes:
        wanted = self._wanted
        return select_events(b"".join(parts), wanted.feed, wanted.stream, wanted.from_sequence)

    def _begin(self, found: bytes) -> bool:
        """Announce the stream if `found` begins where it was asked to; otherwise refuse."""
        first = field_i64(found, EVENT_STREAM_SEQUENCE)
        if self._is_single and self._wanted.from_sequence not in {0, first}:
            self._too_old(self._feeds.history.oldest_index)
            return False
        self._announce()
        return True

    def _announce(self) -> None:
        self._announced = True
        self._feeds.announce_replay(self._connection, self._wanted)

    def _finish(self) -> None:
        if not self._announced:
            wanted = self._wanted
            newest = self._feeds.view.stream_sequence(wanted.feed, wanted.stream) or 0
            if self._is_single and 0 < wanted.from_sequence <= newest:
                self._too_old(self._feeds.history.oldest_index)
                return
            self._announce()
        self._feeds.go_live(self._connection, self._key)
