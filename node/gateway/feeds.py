"""Feeds: every subscriber gets each event of its streams once, in order, live or from the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from node.domain import terms
from node.domain.records import LEVEL_SIZE
from node.gateway.replay import Replay
from node.protocol import encoding, messages, refusals
from node.protocol.event_routes import EventRouter, route_key
from node.protocol.fields import field_i16, field_i32, field_i64

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from node.gateway.connection import Connection
    from node.gateway.counters import GatewayCounters
    from node.gateway.gateway_limits import GatewayLimits
    from node.gateway.seams import EventHistory, VenueView

LEVELS_PER_FRAME: Final = 4_000


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a SUBSCRIBE asks for."""

    request: int
    feed: int
    stream: int
    options: int
    from_log_index: int
    from_sequence: int

    @classmethod
    def parse(cls, frame: bytes) -> Subscription:
        """Read the fields of a SUBSCRIBE."""
        return cls(
            field_i64(frame, messages.SUBSCRIBE_REQUEST),
            field_i16(frame, messages.SUBSCRIBE_FEED),
            field_i32(frame, messages.SUBSCRIBE_STREAM),
            field_i16(frame, messages.SUBSCRIBE_OPTIONS),
            field_i64(frame, messages.SUBSCRIBE_FROM_LOG_INDEX),
            field_i64(frame, messages.SUBSCRIBE_FROM_SEQUENCE),
        )

    @property
    def is_well_formed(self) -> bool:
        """Tell whether the fields make sense together, whatever the venue holds."""
        from_the_past = self.from_log_index != 0 or self.from_sequence != 0
        with_depth = self.options == messages.WITH_DEPTH
        return (
            self.from_log_index >= 0
            and self.from_sequence >= 0
            and self.stream >= 0
            and self.options in {0, messages.WITH_DEPTH}
            and not (self.stream == 0 and self.from_sequence and self.feed != messages.VENUE)
            and not (
                with_depth
                and (from_the_past or self.stream == 0 or self.feed != messages.MARKET_DATA)
            )
        )


class Feeds:
    """The subscriptions of all connections, and the one scan that serves them."""

    def __init__(
        self,
        loop: AbstractEventLoop,
        limits: GatewayLimits,
        view: VenueView,
        history: EventHistory,
        counters: GatewayCounters,
    ) -> None:
        """Start without subscribers."""
        self._loop = loop
        self._limits = limits
        self._view = view
        self._history = history
        self._counters = counters
        self._router = EventRouter()
        self._live: dict[int, dict[Connection, None]] = {}
        self._of: dict[Connection, dict[int, Replay | None]] = {}

    def publish(self, events: bytes) -> list[bytes]:
        """Send the events of one group to their subscribers.

        Return those about sessions and keys.
        """
        routed = self._router.route(events)
        control = self._router.control
        for part in routed:
            frames = part.frames
            # Gone, when the last subscriber was too slow for another of this group's streams.
            subscribers = self._live.get(part.key, {})
            self._counters.event_bytes += len(frames) * len(subscribers)
            for connection in list(subscribers):
                connection.send(frames)
        return control

    def subscribe(self, connection: Connection, frame: bytes) -> None:
        """Answer a SUBSCRIBE with SUBSCRIBED and what it asks for, or with a REFUSED."""
        wanted = Subscription.parse(frame)
        refusal, detail = self._check(connection, wanted)
        if refusal:
            connection.refuse(refusal, detail, request=wanted.request)
            return
        self._counters.subscriptions += 1
        key = route_key(wanted.feed, wanted.stream)
        if wanted.from_log_index or wanted.from_sequence:
            replay = Replay(self, connection, wanted, key)
            self._of.setdefault(connection, {})[key] = replay
            replay.start()
            return
        sequence = self._view.stream_sequence(wanted.feed, wanted.stream) or 0
        self._announce(connection, wanted, self._view.log_index, sequence)
        if wanted.options == messages.WITH_DEPTH:
            self._send_depth(connection, wanted)
        self.go_live(connection, key)

    def _may_follow(self, connection: Connection, feed: int, stream: int) -> bool:
        """Tell whether the key may read the stream: its own accounts' executions, all markets.

        The rest for brokers and operators.
        """
        key = connection.key
        if key is None or feed not in _FEEDS:
            return False
        if feed == messages.MARKET_DATA or key.role in {terms.BROKER, terms.OPERATOR}:
            return True
        return feed == messages.EXECUTIONS and self._view.acts_for(key, stream)

    def _check(self, connection: Connection, wanted: Subscription) -> tuple[int, int]:
        if not wanted.is_well_formed:
            return refusals.MESSAGE_INVALID, messages.SUBSCRIBE
        if not self._may_follow(connection, wanted.feed, wanted.stream):
            return refusals.NOT_PERMITTED, wanted.stream
        own = self._of.get(connection, {})
        if route_key(wanted.feed, wanted.stream) in own:
            return refusals.ALREADY_SUBSCRIBED, wanted.stream
        if len(own) >= self._limits.subscriptions:
            return refusals.TOO_MANY_SUBSCRIPTIONS, len(own)
        newest = self._view.stream_sequence(wanted.feed, wanted.stream)
        if newest is None:
            return refusals.STREAM_UNKNOWN, wanted.stream
        # Entry 1 of a log never holds a group: behind it is the beginning, also before any group.
        newest_index = max(self._view.log_index, 1)
        if wanted.from_sequence > newest + 1 or wanted.from_log_index > newest_index:
            return refusals.NOT_YET_APPLIED, self._view.log_index
        return refusals.NONE, 0

    def unsubscribe(self, connection: Connection, frame: bytes) -> None:
        """Answer an UNSUBSCRIBE with UNSUBSCRIBED, after which nothing of the stream follows."""
        request = field_i64(frame, messages.UNSUBSCRIBE_REQUEST)
        feed = field_i16(frame, messages.UNSUBSCRIBE_FEED)
        stream = field_i32(frame, messages.UNSUBSCRIBE_STREAM)
        own = self._of.get(connection, {})
        key = route_key(feed, stream)
        if feed not in _FEEDS or stream < 0 or key not in own:
            connection.refuse(refusals.NOT_SUBSCRIBED, stream, request=request)
            return
        self._end(connection, key)
        connection.send(encoding.encode_unsubscribed(request, feed, stream))

    def forget(self, connection: Connection) -> None:
        """End all subscriptions of a connection that is gone."""
        for key in list(self._of.get(connection, {})):
            self._end(connection, key)
        self._of.pop(connection, None)

    def connections(self) -> list[Connection]:
        """Return the connections that have subscriptions."""
        return list(self._of)

    def _end(self, connection: Connection, key: int) -> None:
        replay = self._of[connection].pop(key)
        if replay is not None:
            replay.cancel()
            return
        subscribers = self._live[key]
        del subscribers[connection]
        if not subscribers:
            del self._live[key]
            self._router.remove(key)

    # What a replay calls.

    @property
    def view(self) -> VenueView:
        """The state as this node has applied it."""
        return self._view

    @property
    def history(self) -> EventHistory:
        """Past events."""
        return self._history

    @property
    def loop(self) -> AbstractEventLoop:
        """The loop that replays run on."""
        return self._loop

    @property
    def replay_bytes(self) -> int:
        """How much of the past is scanned before the loop goes on."""
        return self._limits.replay_bytes

    def go_live(self, connection: Connection, key: int) -> None:
        """Send the stream's events to `connection` from the next group on."""
        if connection.is_closed:
            return
        self._of.setdefault(connection, {})[key] = None
        subscribers = self._live.get(key)
        if subscribers is None:
            subscribers = {}
            self._live[key] = subscribers
            self._router.add(key)
        subscribers[connection] = None

    def give_up(
        self, connection: Connection, wanted: Subscription, key: int, refusal: int, detail: int
    ) -> None:
        """End a replay that cannot be served."""
        self._of.get(connection, {}).pop(key, None)
        connection.refuse(refusal, detail, request=wanted.request)

    def announce_replay(self, connection: Connection, wanted: Subscription) -> None:
        """Say that the past follows, from where it was asked for."""
        after = max(wanted.from_sequence - 1, 0)
        self._announce(connection, wanted, wanted.from_log_index, after)

    @staticmethod
    def _announce(
        connection: Connection, wanted: Subscription, log_index: int, sequence: int
    ) -> None:
        connection.send(
            encoding.encode_subscribed(
                wanted.request, wanted.feed, wanted.stream, wanted.options, log_index, sequence
            )
        )

    def _send_depth(self, connection: Connection, wanted: Subscription) -> None:
        """Send the market's whole depth, as of now, in as few frames as hold it."""
        depth = self._view.depth(wanted.stream)
        assert depth is not None  # `stream_sequence` found the market in this same step.
        size = LEVELS_PER_FRAME * LEVEL_SIZE
        start = 0
        more = True
        while more:
            levels = depth.levels[start : start + size]
            start += size
            more = start < len(depth.levels)
            connection.send(
                encoding.encode_depth_levels(
                    wanted.request,
                    wanted.stream,
                    more,
                    self._view.log_index,
                    depth.stream_sequence,
                    levels,
                )
            )


_FEEDS: Final = frozenset({messages.EXECUTIONS, messages.MARKET_DATA, messages.VENUE})
