"""Events of one group, sorted by the stream that each belongs to.

One scan, and a copy only where someone listens.
"""

from typing import Final

from librt.strings import BytesWriter, read_i16_le, read_i32_le, read_i64_le, write_i64_le
from mypy_extensions import i64

from node.domain.events import (
    EVENT_LOG_INDEX,
    EVENT_ORDINAL,
    EVENT_STREAM,
    EVENT_STREAM_SEQUENCE,
    FIRST_PUBLIC_EVENT,
    FIRST_VENUE_EVENT,
    KEY_REVOKED,
    SESSION_EVICTED,
    SESSION_OPENED,
    SESSION_REFUSED,
)
from node.protocol.messages import EXECUTIONS, MARKET_DATA, VENUE

PUBLIC_FROM: Final[i64] = FIRST_PUBLIC_EVENT
VENUE_FROM: Final[i64] = FIRST_VENUE_EVENT
FEED_SHIFT: Final[i64] = 32


def route_key(feed: int, stream: int) -> int:
    """Return the key under which a stream's events are routed.

    Stream 0 is all streams of the feed.
    """
    return feed << 32 | stream


def feed_of(kind: i64) -> i64:
    """Return the feed that an event of type `kind` belongs to."""
    if kind < PUBLIC_FROM:
        return EXECUTIONS
    if kind < VENUE_FROM:
        return MARKET_DATA
    return VENUE


class Route:
    """The events of one group for one stream, as they are collected."""

    def __init__(self, key: i64) -> None:
        """Collect for `key`; nothing yet."""
        self.key: i64 = key
        self.writer: BytesWriter = BytesWriter()


class RoutedEvents:
    """The events of one group for one stream: whole frames, in order."""

    def __init__(self, key: int, frames: bytes) -> None:
        """Hold what was collected."""
        self.key = key
        self.frames = frames


class EventRouter:
    """Which streams someone listens to, and the scan that collects their events."""

    def __init__(self) -> None:
        """Listen to nothing."""
        self.control: list[bytes] = []
        self._routes: dict[int, Route] = {}
        self._interest: list[int] = [0, 0, 0, 0]
        self._all: list[int] = [0, 0, 0, 0]

    def add(self, key: int) -> None:
        """Collect the events of `key` from the next group on."""
        if key not in self._routes:
            self._routes[key] = Route(key)
            self._count(key, 1)

    def remove(self, key: int) -> None:
        """Collect the events of `key` no more."""
        if key in self._routes:
            del self._routes[key]
            self._count(key, -1)

    def _count(self, key: int, change: int) -> None:
        self._interest[key >> 32] += change
        if key & 0xFFFFFFFF == 0:
            self._all[key >> 32] += change

    def route(self, events: bytes) -> list[RoutedEvents]:
        """Return the events that someone listens to, by stream.

        Set `control` to those about sessions and keys.
        """
        self.control = []
        touched: list[Route] = []
        size: i64 = len(events)
        offset: i64 = 0
        last_key: i64 = -1
        last: Route | None = None
        while offset < size:
            length: i64 = i64(read_i32_le(events, offset))
            kind: i64 = i64(read_i16_le(events, offset + 4))
            feed: i64 = feed_of(kind)
            if feed == VENUE and _is_control(kind):
                self.control.append(events[offset : offset + length])
            if self._interest[feed] > 0:
                key: i64 = feed << FEED_SHIFT | i64(read_i32_le(events, offset + EVENT_STREAM))
                if key != last_key:
                    last_key = key
                    last = self._routes.get(key)
                if last is not None:
                    _collect(last, events, offset, length, touched)
                if self._all[feed] > 0 and key & 0xFFFFFFFF != 0:
                    _collect(self._routes[feed << FEED_SHIFT], events, offset, length, touched)
            offset += length
        return [_finish(route) for route in touched]


def _is_control(kind: i64) -> bool:
    return kind in (SESSION_OPENED, SESSION_REFUSED, SESSION_EVICTED, KEY_REVOKED)


def _collect(route: Route, events: bytes, offset: i64, length: i64, touched: list[Route]) -> None:
    writer = route.writer
    if len(writer) == 0:
        touched.append(route)
    end = offset + length
    while offset < end:  # Every event is whole words long: a test holds the layouts to it.
        write_i64_le(writer, read_i64_le(events, offset))
        offset += 8


def _finish(route: Route) -> RoutedEvents:
    frames = route.writer.getvalue()
    route.writer.truncate(0)
    return RoutedEvents(route.key, frames)


def select_events(events: bytes, feed: int, stream: int, from_sequence: int) -> bytes:
    """Return the events of one stream (0.

    All streams of `feed`) whose stream sequence is `from_sequence` or later.
    """
    writer = BytesWriter()
    wanted_feed: i64 = feed
    wanted_stream: i64 = stream
    first: i64 = from_sequence
    size: i64 = len(events)
    offset: i64 = 0
    while offset < size:
        length: i64 = i64(read_i32_le(events, offset))
        if (
            feed_of(i64(read_i16_le(events, offset + 4))) == wanted_feed
            and (
                wanted_stream == 0
                or i64(read_i32_le(events, offset + EVENT_STREAM)) == wanted_stream
            )
            and read_i64_le(events, offset + EVENT_STREAM_SEQUENCE) >= first
        ):
            end = offset + length
            while offset < end:
                write_i64_le(writer, read_i64_le(events, offset))
                offset += 8
        else:
            offset += length
    return writer.getvalue()


def behind_position(frames: bytes, log_index: i64, ordinal: i64) -> bytes:
    """Return the events of `frames`, which are in log order, that come behind (log_index.

    Ordinal).
    """
    size: i64 = len(frames)
    offset: i64 = 0
    while offset < size:
        index = read_i64_le(frames, offset + EVENT_LOG_INDEX)
        place: i64 = i64(read_i32_le(frames, offset + EVENT_ORDINAL))
        if index > log_index or (index == log_index and place > ordinal):
            break
        offset += i64(read_i32_le(frames, offset))
    return frames[offset:] if offset > 0 else frames


def is_gapless(frames: bytes, last_sequence: i64) -> bool:
    """Tell whether the events of one stream go on behind `last_sequence` without a gap."""
    size: i64 = len(frames)
    offset: i64 = 0
    expected = last_sequence + 1
    while offset < size:
        if read_i64_le(frames, offset + EVENT_STREAM_SEQUENCE) != expected:
            return False
        expected += 1
        offset += i64(read_i32_le(frames, offset))
    return True


def last_frame_offset(frames: bytes) -> int:
    """Return where the last of `frames` (whole ones, at least one) begins."""
    size: i64 = len(frames)
    offset: i64 = 0
    last: i64 = 0
    while offset < size:
        last = offset
        offset += i64(read_i32_le(frames, offset))
    return last
