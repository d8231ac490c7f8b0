"""Queries.

Canonical records as of a log index, behind a read barrier when the client asks for one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from node.domain import commands, terms
from node.domain.commands import FRAME_TYPE
from node.gateway.barrier_tasks import BarrierTasks
from node.gateway.seams import BarrierLostError, Found
from node.protocol import encoding, messages, refusals
from node.protocol.fields import field_i16, field_i32, field_i64

if TYPE_CHECKING:
    from node.gateway.connection import Connection
    from node.gateway.counters import GatewayCounters
    from node.gateway.gateway_limits import GatewayLimits
    from node.gateway.seams import Leadership, VenueView

_ANSWERS_A_TURN: Final = 4
"""Plain queries answered in one turn of the loop; an answer takes up to about a millisecond."""
_OWN: Final = frozenset(
    {
        messages.ACCOUNT,
        messages.POSITIONS,
        messages.OPEN_ORDERS,
        messages.ORDER,
        messages.ORDER_BY_CLIENT_ID,
        messages.ORDER_GROUPS,
        messages.PREVIEWS,
    }
)
"""Subjects of one account: `number` is the account."""
_OF_ALL: Final = frozenset({messages.ACCOUNTS, messages.PAUSES, messages.STOPS})
"""Subjects that are about accounts of others too."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a QUERY or a PREVIEW asks."""

    request: int
    subject: int
    options: int
    number: int
    identifier: int
    cursor: int
    at_least_index: int
    order: bytes = b""
    """The frame of the order whose preview is asked for."""

    @classmethod
    def parse(cls, frame: bytes) -> Question:
        """Read the fields of a QUERY or a PREVIEW."""
        if field_i16(frame, FRAME_TYPE) == messages.PREVIEW:
            return cls.parse_preview(frame)
        return cls(
            field_i64(frame, messages.QUERY_REQUEST),
            field_i16(frame, messages.QUERY_SUBJECT),
            field_i16(frame, messages.QUERY_OPTIONS),
            field_i32(frame, messages.QUERY_NUMBER),
            field_i64(frame, messages.QUERY_ID),
            field_i64(frame, messages.QUERY_CURSOR),
            field_i64(frame, messages.QUERY_AT_LEAST_INDEX),
        )

    @classmethod
    def parse_preview(cls, frame: bytes) -> Question:
        """Read the fields of a PREVIEW; `number` is the order's account."""
        order = frame[messages.PREVIEW_ORDER :]
        return cls(
            field_i64(frame, messages.PREVIEW_REQUEST),
            messages.PREVIEWS,
            field_i16(frame, messages.PREVIEW_OPTIONS),
            field_i32(order, commands.ACCOUNT),
            0,
            0,
            field_i64(frame, messages.PREVIEW_AT_LEAST_INDEX),
            order,
        )

    @property
    def is_known(self) -> bool:
        """Whether there is such a subject, for a question of this kind."""
        if self.order:
            return field_i16(self.order, FRAME_TYPE) == commands.PLACE_WITH_TERMS
        return self.subject in messages.Subject.__members__.values()


class Queries:
    """Answers from the state, in turn or after a barrier."""

    def __init__(
        self,
        limits: GatewayLimits,
        view: VenueView,
        leadership: Leadership,
        counters: GatewayCounters,
    ) -> None:
        """Start with nothing asked."""
        self._limits = limits
        self._view = view
        self._leadership = leadership
        self._counters = counters
        self._tasks = BarrierTasks()
        self._asked: deque[tuple[Connection, Question]] = deque()

    def ask(self, connection: Connection, frame: bytes) -> None:
        """Answer a QUERY in its turn, or when the barrier is reached; or refuse it."""
        question = Question.parse(frame)
        self._counters.queries += 1
        refusal, detail = self._check(connection, question)
        if refusal:
            connection.refuse(refusal, detail, request=question.request)
            return
        connection.queries_waiting += 1
        if question.options == messages.LINEARIZABLE:
            self._tasks.start(self._answer_behind_barrier(connection, question))
        else:
            if not self._asked:
                asyncio.get_running_loop().call_soon(self._serve)
            self._asked.append((connection, question))

    def _serve(self) -> None:
        """Answer a few: one client's many questions must not keep the loop from the log."""
        for _ in range(min(_ANSWERS_A_TURN, len(self._asked))):
            connection, question = self._asked.popleft()
            connection.queries_waiting -= 1
            self._answer(connection, question)
        if self._asked:
            asyncio.get_running_loop().call_soon(self._serve)

    def _may_ask(self, connection: Connection, question: Question) -> bool:
        """Tell whether the key may know: its own accounts, and what is public.

        The rest for brokers and operators.
        """
        key = connection.key
        if key is None:
            return False
        if key.role in {terms.BROKER, terms.OPERATOR}:
            return True
        if question.subject in _OWN:
            return self._view.acts_for(key, question.number)
        return question.subject not in _OF_ALL

    def _check(self, connection: Connection, question: Question) -> tuple[int, int]:
        if not question.is_known:
            return refusals.SUBJECT_UNKNOWN, question.subject
        if (
            question.options not in {0, messages.LINEARIZABLE}
            or min(question.number, question.at_least_index) < 0
            or (question.cursor < 0 and question.subject != messages.OPEN_ORDERS)
        ):
            return refusals.MESSAGE_INVALID, messages.QUERY
        if not self._may_ask(connection, question):
            return refusals.NOT_PERMITTED, question.number
        if question.at_least_index > self._view.log_index:
            return refusals.NOT_YET_APPLIED, self._view.log_index
        if question.options == messages.LINEARIZABLE and not self._leadership.ready:
            leader = self._leadership.leader_address()
            return refusals.NOT_LEADER, leader.node if leader else 0
        if connection.queries_waiting >= self._limits.queries:
            return refusals.TOO_MANY_QUERIES, connection.queries_waiting
        return refusals.NONE, 0

    async def _answer_behind_barrier(self, connection: Connection, question: Question) -> None:
        try:
            async with asyncio.timeout(self._limits.query_ms / 1_000):
                await self._leadership.read_barrier()
        except (BarrierLostError, TimeoutError):
            connection.refuse(refusals.NOT_LEADER, request=question.request)
        else:
            self._answer(connection, question)
        finally:
            connection.queries_waiting -= 1

    def _answer(self, connection: Connection, question: Question) -> None:
        if connection.is_closed:
            return
        found = self._find(connection, question)
        if found is None:
            connection.refuse(refusals.NOT_FOUND, question.number, request=question.request)
            return
        connection.send(
            encoding.encode_answer(
                question.request,
                question.subject,
                question.options,
                found.record_size,
                self._view.log_index,
                found.cursor,
                found.record_count,
                found.records,
            )
        )

    def _find(self, connection: Connection, question: Question) -> Found | None:
        if question.order:
            assert connection.key is not None
            record = self._view.preview(question.order, connection.key.number)
            return Found(len(record), 1, record, 0)
        return self._view.find(
            question.subject,
            question.number,
            question.identifier,
            question.cursor,
            self._limits.answer_bytes,
        )

    async def stop(self) -> None:
        """Cancel what waits."""
        self._asked.clear()
        await self._tasks.stop()
