"""A connection for reading, to any node.

Answers to queries, and subscriptions that outlive the connection.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from client.connection import Accepted, Address, Connection, LoginFailedError, RefusedMessage
from client.errors import (
    ClientError,
    LoginRefusedError,
    NotConnectedError,
    QueryRefusedError,
)
from client.leader_finder import LeaderFinder
from client.subscription import Subscription
from node.protocol import messages, refusals
from node.protocol.encoding import encode_query
from node.protocol.event_routes import EventRouter

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from client.timing import ClientTiming

_ANSWER = struct.Struct("<8xqhhiqqq")
_RETRIED_ELSEWHERE = frozenset({refusals.NOT_LEADER, refusals.NOT_YET_APPLIED})


class Answer(NamedTuple):
    """Records that were true at `log_index`."""

    log_index: int
    record_size: int
    records: bytes
    cursor: int


class Reader:
    """Reads through one node at a time and moves to another when that one fails or lags."""

    def __init__(
        self,
        addresses: Sequence[Address],
        key: SigningKey,
        *,
        timing: ClientTiming,
        random: Random,
    ) -> None:
        """Prepare; nothing is connected before the first use."""
        self._key = key
        self._timing = timing
        self._finder = LeaderFinder(addresses, timing, random)
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[Connection] | None = None
        self._requests = 0
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._turns = asyncio.Semaphore(messages.MAX_QUERIES)
        self._subscriptions: dict[int, Subscription] = {}
        self._router = EventRouter()
        self._closing = False
        self.account = 0
        self.role = 0
        self.reconnections = 0

    async def connected(self) -> Connection:
        """Return the connection, making one first if need be.

        Raises NotConnectedError or LoginRefusedError.
        """
        if self._connection is not None:
            return self._connection
        if self._connecting is None:
            self._connecting = asyncio.ensure_future(self._connect())
            self._connecting.add_done_callback(self._connect_done)
        return await asyncio.shield(self._connecting)

    async def close(self) -> None:
        """Log out and end all subscriptions."""
        self._closing = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.log_out()
        for subscription in list(self._subscriptions.values()):
            subscription.end(None)
        self._drop_answers()

    async def _connect(self) -> Connection:
        connection, accepted = await self._finder.find(self._log_in, self._timing.open)
        self.account = accepted.account
        self.role = accepted.role
        self._connection = connection
        for subscription in self._subscriptions.values():
            connection.write(subscription.request_frame())
        return connection

    def _connect_done(self, task: asyncio.Task[Connection]) -> None:
        self._connecting = None
        if task.cancelled() or self._closing:
            return
        error = task.exception()
        if error is None:
            if self._connection is not None and not self._connection.is_open:
                self.take_loss(self._connection)
        elif isinstance(error, LoginRefusedError):
            for subscription in list(self._subscriptions.values()):
                self.forget(subscription)
                subscription.end(error)
        elif self._subscriptions:
            asyncio.ensure_future(self._reconnect())  # noqa: RUF006 - ends by itself

    async def _log_in(self, address: Address) -> tuple[Connection, Accepted]:
        try:
            return await Connection.connect(
                address, self._key, self, self._timing, purpose=messages.READ
            )
        except LoginRefusedError as error:
            if error.reason == refusals.KEY_UNKNOWN:
                raise LoginFailedError(str(error)) from error
            raise

    # Queries.

    async def ask(
        self,
        subject: int,
        number: int = 0,
        identifier: int = 0,
        *,
        linearizable: bool = True,
        cursor: int = 0,
        at_least_index: int = 0,
    ) -> Answer:
        """Return one answer.

        A linearizable one reflects every command acknowledged before the call.

        Waits its turn while `MAX_QUERIES` others are asked, for as long as they take; then tries
        other nodes until one leads (or has applied `at_least_index`). Raises
        QueryRefusedError when the answer is no, NotConnectedError when no node answered in time.
        """
        options = messages.LINEARIZABLE if linearizable else 0

        def make(request: int) -> bytes:
            where = (cursor, at_least_index)
            return encode_query(request, subject, number, identifier, options, *where)

        return await self.ask_with(make)

    async def ask_with(self, make: Callable[[int], bytes]) -> Answer:
        """Return the answer to the frame that `make` makes of a request number, like `ask`."""
        reason = "no node answered"
        try:
            async with self._turns, asyncio.timeout(self._timing.reply):
                pause = self._timing.backoff_least
                while True:
                    self._requests += 1
                    try:
                        return await self._ask_once(self._requests, make(self._requests))
                    except QueryRefusedError as error:
                        reason = str(error)
                        if error.reason in _RETRIED_ELSEWHERE:
                            self._move_on()
                        elif error.reason != refusals.TOO_MANY_QUERIES:
                            raise  # Too many: those that were given up still wait at the node.
                    except ConnectionError:
                        reason = "the connection was lost"
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, self._timing.backoff_most)
        except TimeoutError as error:
            raise NotConnectedError(f"no answer within {self._timing.reply} s: {reason}") from error

    async def ask_all(
        self, subject: int, number: int = 0, identifier: int = 0, *, linearizable: bool = True
    ) -> Answer:
        """Return all records, in as many answers as it takes.

        `log_index` is that of the last one.
        """
        answer = await self.ask(subject, number, identifier, linearizable=linearizable)
        parts = [answer.records]
        while answer.cursor:
            answer = await self.ask(
                subject, number, identifier, linearizable=linearizable, cursor=answer.cursor
            )
            parts.append(answer.records)
        return answer._replace(records=b"".join(parts))

    async def _ask_once(self, request: int, frame: bytes) -> Answer:
        connection = await self.connected()
        future = asyncio.get_running_loop().create_future()
        self._answers[request] = future
        try:
            connection.write(frame)
            answer: bytes = await future
        finally:
            self._answers.pop(request, None)
        _, _, _, size, log_index, next_cursor, _ = _ANSWER.unpack_from(answer)
        return Answer(log_index, size, answer[messages.ANSWER_RECORDS :], next_cursor)

    def _move_on(self) -> None:
        """Try another node next; feeds move along and resume there."""
        self._finder.avoid()
        if self._connection is not None:
            connection = self._connection
            self.take_loss(connection)
            connection.log_out()

    # Subscriptions.

    async def subscribe(self, feed: int, stream: int, *, with_depth: bool = False) -> Subscription:
        """Follow a stream from now on; return once the node has confirmed.

        Raises SubscriptionRefusedError, NotConnectedError.
        """
        return await self.follow(Subscription(self, feed, stream, with_depth=with_depth))

    async def follow(self, subscription: Subscription) -> Subscription:
        """Begin a subscription that may have a position to resume from."""
        connection = await self.connected()
        self._requests += 1
        subscription.request = self._requests
        if subscription.key in self._subscriptions:
            raise ClientError(
                f"feed {subscription.feed}, stream {subscription.stream} is followed already"
            )
        self._subscriptions[subscription.key] = subscription
        self._router.add(subscription.key)
        connection.write(subscription.request_frame())
        await subscription.confirmed()
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Route nothing more to `subscription`."""
        if self._subscriptions.get(subscription.key) is subscription:
            del self._subscriptions[subscription.key]
            self._router.remove(subscription.key)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Tell the node that a subscription is over."""
        if self._connection is not None and subscription.key in self._subscriptions:
            self._connection.write(subscription.unsubscribe_frame())
        self.forget(subscription)

    def resubscribe(self, subscription: Subscription) -> None:
        """Ask again for a stream that the node has refused to resume."""
        if self._connection is not None:
            self._connection.write(subscription.request_frame())

    def restart(self) -> None:
        """Give the connection up and resume elsewhere.

        A stream had a gap, or a reader fell too far behind.
        """
        if self._connection is not None:
            connection = self._connection
            self._finder.avoid()
            connection.abort()
            self.take_loss(connection)

    # What the connection calls.

    def take_replies(self, frames: bytes) -> None:
        """Ignore replies: nothing is traded here."""

    def take_events(self, frames: bytes) -> None:
        """Hand events to the subscriptions that they belong to."""
        for part in self._router.route(frames):
            subscription = self._subscriptions.get(part.key)
            if subscription is not None:
                subscription.take(part.frames)

    def take_message(self, kind: int, frame: bytes) -> None:
        """Hand answers, confirmations and refusals to whoever asked."""
        request = int.from_bytes(frame[8:16], "little", signed=True)
        if kind == messages.ANSWER:
            future = self._answers.get(request)
            if future is not None and not future.done():
                future.set_result(frame)
        elif kind == messages.REFUSED:
            self._refused(RefusedMessage.parse(frame))
        elif kind in {messages.SUBSCRIBED, messages.DEPTH_LEVELS}:
            for subscription in self._subscriptions.values():
                if subscription.request == request:
                    subscription.take_message(kind, frame)

    def _refused(self, refused: RefusedMessage) -> None:
        future = self._answers.get(refused.request)
        if future is not None and not future.done():
            future.set_exception(QueryRefusedError(refused.refusal, refused.detail))
            return
        for subscription in list(self._subscriptions.values()):
            if subscription.request == refused.request:
                subscription.take_refusal(refused)

    def take_loss(self, connection: Connection) -> None:
        """Connect again if somebody waits for something."""
        if connection is not self._connection:
            return
        self._connection = None
        self._drop_answers()
        if self._subscriptions and not self._closing:
            self.reconnections += 1
            asyncio.ensure_future(self._reconnect())  # noqa: RUF006 - `connected` keeps the task

    async def _reconnect(self) -> None:
        try:
            await self.connected()
        except (ClientError, asyncio.CancelledError):
            return  # `_connect_done` goes on from here.

    def _drop_answers(self) -> None:
        for future in self._answers.values():
            if not future.done():
                future.set_exception(ConnectionError("the connection was lost"))
