"""One stream of events: gapless and without repetitions, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from client.errors import ClientError, SubscriptionRefusedError
from client.event_header import parse_header
from client.events import Event, iterate_events
from node.protocol import messages, refusals
from node.protocol.encoding import encode_subscribe, encode_unsubscribe
from node.protocol.event_routes import (
    behind_position,
    is_gapless,
    last_frame_offset,
    route_key,
    select_events,
)

if TYPE_CHECKING:
    from client.connection import RefusedMessage
    from client.reader import Reader

_SUBSCRIBED = struct.Struct("<8xqhhiqq")
BUFFERED_BYTES_MOST: Final = 64 << 20
"""A consumer that is further behind than this gets an error and not more memory."""


class Subscription:
    """The events of one stream, or with stream 0 of all streams of a feed.

    Iterate with `async for`, or take whole batches of frames with `batch`. `last_sequence` and
    `last_log_index` are where it has got to: what it needs to resume elsewhere.
    """

    def __init__(
        self,
        reader: Reader,
        feed: int,
        stream: int,
        *,
        with_depth: bool = False,
        last_sequence: int | None = None,
        last_log_index: int = 0,
    ) -> None:
        """Prepare; `last_...` say what has been seen already, None and 0 mean from now on."""
        self._reader = reader
        self._with_depth = with_depth
        self._is_single = stream != 0 or feed == messages.VENUE
        self._frames: deque[bytes] = deque()
        self._buffered = 0
        self._ready = asyncio.Event()
        self._confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._error: ClientError | None = None
        self._ended = False
        self._has_position = last_sequence is not None or last_log_index > 0
        self._levels: list[bytes] = []
        self.feed = feed
        self.stream = stream
        self.key = route_key(feed, stream)
        self.request = 0
        self.last_sequence = last_sequence or 0
        self.last_log_index = last_log_index
        self.last_ordinal = 0x7FFFFFFF
        self.levels: bytes | None = None
        """The depth that the next events change, when it was asked for and has come.

        The consumer takes it.
        """
        self.levels_sequence = 0

    # For the consumer.

    async def confirmed(self) -> None:
        """Return once the node has said that the events follow."""
        await self._confirmed

    async def batch(self) -> bytes:
        """Return the frames that have come since the last call, waiting for some; b"" at the end.

        Raises SubscriptionRefusedError when the stream could not be resumed without a gap.
        """
        while not self._frames and self.levels is None:
            if self._error is not None:
                raise self._error
            if self._ended:
                return b""
            self._ready.clear()
            await self._ready.wait()
        frames = b"".join(self._frames)
        self._frames.clear()
        self._buffered = 0
        return frames

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield the events, one by one."""
        while frames := await self.batch():
            for event in iterate_events(frames):
                yield event

    def close(self) -> None:
        """End the subscription; iteration stops after what has come already."""
        self._reader.unsubscribe(self)
        self.end(None)

    # For the reader.

    def request_frame(self) -> bytes:
        """Return the SUBSCRIBE that begins the stream, or resumes it where it stopped."""
        if not self._has_position:
            options = messages.WITH_DEPTH if self._with_depth else 0
            return encode_subscribe(self.request, self.feed, self.stream, options, 0, 0)
        sequence = self.last_sequence + 1 if self._is_single else 0
        # All streams resume a group early: the last one may have come in part. Never at 0, which
        # would mean from now on: nothing can have come before entry 1, which holds no group.
        index = self.last_log_index if self._is_single else max(self.last_log_index - 1, 1)
        return encode_subscribe(self.request, self.feed, self.stream, 0, index, sequence)

    def unsubscribe_frame(self) -> bytes:
        """Return the UNSUBSCRIBE that ends the stream."""
        return encode_unsubscribe(self.request, self.feed, self.stream)

    def take_message(self, kind: int, frame: bytes) -> None:
        """Take a SUBSCRIBED or a DEPTH_LEVELS."""
        if kind == messages.SUBSCRIBED:
            self._subscribed(frame)
            return
        self._levels.append(frame[messages.LEVELS_RECORDS :])
        if not int.from_bytes(frame[20:24], "little"):
            self.levels = b"".join(self._levels)
            self.levels_sequence = int.from_bytes(frame[32:40], "little")
            self._levels.clear()
            self._settle()

    def _subscribed(self, frame: bytes) -> None:
        _, _, options, _, log_index, sequence = _SUBSCRIBED.unpack_from(frame)
        if not self._has_position:
            self._has_position = True
            self.last_sequence = sequence
            self.last_log_index = log_index
        if not options & messages.WITH_DEPTH:
            self._settle()

    def _settle(self) -> None:
        if not self._confirmed.done():
            self._confirmed.set_result(None)
        self._ready.set()

    def take(self, frames: bytes) -> None:
        """Buffer what is new; give the connection up on a gap, which resuming then fills."""
        if self._is_single:
            fresh = select_events(frames, self.feed, self.stream, self.last_sequence + 1)
        else:
            fresh = behind_position(frames, self.last_log_index, self.last_ordinal)
        if not fresh:
            return
        if self._is_single and not is_gapless(fresh, self.last_sequence):
            self._reader.restart()
            return
        header = parse_header(fresh, last_frame_offset(fresh))
        self.last_sequence = header.stream_sequence
        self.last_log_index = header.log_index
        self.last_ordinal = header.ordinal
        self._frames.append(fresh)
        self._buffered += len(fresh)
        self._ready.set()
        if self._buffered > BUFFERED_BYTES_MOST:
            self._reader.unsubscribe(self)
            self.end(ClientError(f"{self._buffered} bytes of events wait for their consumer"))

    def take_refusal(self, refused: RefusedMessage) -> None:
        """End the stream, unless the node only lags behind what has been seen: then try another."""
        if refused.reason == refusals.NOT_YET_APPLIED:
            self._reader.restart()
            return
        if refused.reason == refusals.TOO_OLD and self._with_depth:
            self._has_position = False  # A new depth is as good as the past.
            self._reader.resubscribe(self)
            return
        self._reader.forget(self)
        self.end(SubscriptionRefusedError(refused.refusal, refused.detail))

    def end(self, error: ClientError | None) -> None:
        """Stop iteration, with `error` if there is one."""
        self._ended = True
        self._error = self._error or error
        if not self._confirmed.done():
            self._confirmed.set_exception(error or ClientError("the client was closed"))
            self._confirmed.exception()  # Seen, even if nobody waits.
        self._ready.set()
