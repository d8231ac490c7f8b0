"""Logins: who may, for what, and the sessions that are opened through the log for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from node.domain import events
from node.domain.commands import FRAME_TYPE
from node.domain.identifiers import NONCE_SIZE, PUBLIC_KEY_SIZE, SIGNATURE_SIZE
from node.gateway.barrier_tasks import BarrierTasks
from node.gateway.seams import BarrierLostError
from node.protocol import handshake, messages, refusals, versions
from node.protocol.encoding import encode_session_open
from node.protocol.fields import field_i16, field_i32
from node.protocol.login import login_statement

if TYPE_CHECKING:
    from node.gateway.admission import Admission
    from node.gateway.connection import Connection
    from node.gateway.connection_register import ConnectionRegister
    from node.gateway.counters import GatewayCounters
    from node.gateway.gateway_limits import GatewayLimits
    from node.gateway.refusal_log import RefusalLog
    from node.gateway.reply_router import ReplyRouter
    from node.gateway.seams import GatewayIdentity, Leadership, VenueView

WINDOW_LEAST = 16


class SessionOpening:
    """Checks logins, resumes sessions, and waits for the log to open new ones."""

    def __init__(
        self,
        identity: GatewayIdentity,
        limits: GatewayLimits,
        view: VenueView,
        leadership: Leadership,
        admission: Admission,
        replies: ReplyRouter,
        register: ConnectionRegister,
        counters: GatewayCounters,
        refusal_log: RefusalLog,
    ) -> None:
        """Start with nobody waiting."""
        self._identity = identity
        self._limits = limits
        self._view = view
        self._leadership = leadership
        self._admission = admission
        self._replies = replies
        self._register = register
        self._counters = counters
        self._waiting: dict[bytes, Connection] = {}
        self._tasks = BarrierTasks()
        self._log = refusal_log

    def login(self, connection: Connection, frame: bytes) -> None:
        """Accept, redirect or refuse a LOGIN.

        A new session is accepted later, when the log has opened it.
        """
        purpose = field_i16(frame, messages.LOGIN_PURPOSE)
        refusal, detail = self._check_form(frame, purpose)
        if refusal:
            self._refuse(connection, refusal, detail)
            return
        if purpose == messages.TRADE and not self._leadership.ready:
            self._send_to_leader(connection)
            return
        start = messages.LOGIN_PUBLIC_KEY
        connection.public_key = frame[start : start + PUBLIC_KEY_SIZE]
        if not self._is_signed(connection, frame, purpose):
            self._refuse(connection, refusals.SIGNATURE_INVALID)
            return
        if purpose == messages.READ:
            if self._has_key(connection):
                connection.handshake.take(handshake.READER_ACCEPTED)
                connection.accept_reading(self._view.log_index)
        elif len(self._waiting) + len(self._tasks) >= self._limits.openings:
            self._refuse(connection, refusals.NOT_READY, self._limits.openings)
        else:
            self._tasks.start(self._admit_trader(connection, frame))

    async def _admit_trader(self, connection: Connection, frame: bytes) -> None:
        """Go on behind a read barrier: a deposed leader does not know newer sessions and keys."""
        try:
            async with asyncio.timeout(self._limits.login_ms / 1_000):
                await self._leadership.read_barrier()
        except (BarrierLostError, TimeoutError):
            self._send_to_leader(connection)
            return
        if connection.is_closed or not self._has_key(connection):
            return
        session = field_i32(frame, messages.LOGIN_SESSION)
        if session:
            self._resume(connection, session)
        else:
            self._request(connection, frame)

    def _has_key(self, connection: Connection) -> bool:
        """Tell whether the key that has signed is registered; refuse the login if it is not."""
        key = self._view.key_by_public(connection.public_key)
        if key is None or key.revoked:
            self._refuse(connection, refusals.KEY_UNKNOWN if key is None else refusals.KEY_REVOKED)
            return False
        connection.key = key
        return True

    def _check_form(self, frame: bytes, purpose: int) -> tuple[int, int]:
        version = field_i16(frame, messages.LOGIN_VERSION)
        if not versions.is_spoken(version):
            return refusals.VERSION_UNSUPPORTED, version
        if purpose not in {messages.TRADE, messages.READ}:
            return refusals.PURPOSE_INVALID, purpose
        session = field_i32(frame, messages.LOGIN_SESSION)
        window = field_i32(frame, messages.LOGIN_WINDOW)
        if frame[20:24] != bytes(4) or session < 0 or (purpose == messages.READ and session):
            return refusals.MESSAGE_INVALID, messages.LOGIN
        if purpose == messages.TRADE and not WINDOW_LEAST <= window <= self._limits.window:
            return refusals.WINDOW_INVALID, self._limits.window
        return refusals.NONE, 0

    def _is_signed(self, connection: Connection, frame: bytes, purpose: int) -> bool:
        statement = login_statement(
            self._identity.cluster_id,
            self._identity.node,
            connection.nonce,
            field_i16(frame, messages.LOGIN_VERSION),
            purpose,
            field_i32(frame, messages.LOGIN_SESSION),
            field_i32(frame, messages.LOGIN_WINDOW),
            connection.public_key,
        )
        start = messages.LOGIN_SIGNATURE
        try:
            VerifyKey(connection.public_key).verify(
                statement, frame[start : start + SIGNATURE_SIZE]
            )
        except (BadSignatureError, ValueError):
            return False
        return True

    def _request(self, connection: Connection, frame: bytes) -> None:
        """Have the log open a session for `connection`."""
        start = messages.LOGIN_SIGNATURE
        connection.handshake.take(handshake.SESSION_REQUESTED)
        self._waiting[connection.nonce] = connection
        self._admission.add_internal(
            encode_session_open(
                connection.public_key,
                field_i32(frame, messages.LOGIN_WINDOW),
                connection.nonce,
                frame[start : start + SIGNATURE_SIZE],
            )
        )

    def _resume(self, connection: Connection, number: int) -> None:
        """Go on with a session that exists."""
        session = self._view.session(number)
        assert connection.key is not None  # Set by `_has_key` just before.
        if session is None:
            self._refuse(connection, refusals.SESSION_UNKNOWN, number)
        elif session.key_number != connection.key.number:
            self._refuse(connection, refusals.SESSION_NOT_YOURS, number)
        else:
            connection.handshake.take(handshake.SESSION_RESUMED)
            self._counters.sessions_resumed += 1
            connection.accept_trading(
                number, session.window, session.next_sequence, self._view.log_index
            )

    def _send_to_leader(self, connection: Connection) -> None:
        if self._leadership.is_leader:
            self._refuse(connection, refusals.NOT_READY)
        else:
            connection.redirect(self._leadership.leader_address())

    def _refuse(self, connection: Connection, refusal: int, detail: int = 0) -> None:
        self._log.write(
            reason=refusals.Refusal(refusal).name,
            detail=detail,
            address=self._register.connections.get(connection),
            public_key=connection.public_key.hex(),
        )
        connection.refuse(refusal, detail)

    def forget(self, connection: Connection) -> None:
        """Stop waiting for the session of a connection that is gone.

        The log may still open it, unused.
        """
        if self._waiting.get(connection.nonce) is connection:
            del self._waiting[connection.nonce]

    async def stop(self) -> None:
        """Cancel the logins that wait for their barrier."""
        await self._tasks.stop()

    def leadership_lost(self) -> None:
        """Send everybody who waits to the new leader."""
        leader = self._leadership.leader_address()
        for connection in list(self._waiting.values()):
            connection.redirect(leader)

    def control(self, event: bytes) -> None:
        """Act on an event about sessions or keys, wherever it was decided."""
        kind = field_i16(event, FRAME_TYPE)
        if kind in {events.SESSION_OPENED, events.SESSION_REFUSED}:
            self._answered(kind, event)
        elif kind == events.SESSION_EVICTED:
            self._evicted(field_i32(event, events.SESSION_EVICTED_SESSION))
        else:
            self._revoked(field_i32(event, events.KEY_EVENT_KEY))

    def _answered(self, kind: int, event: bytes) -> None:
        start = events.SESSION_EVENT_NONCE
        connection = self._waiting.pop(event[start : start + NONCE_SIZE], None)
        if connection is None:
            return
        if kind == events.SESSION_REFUSED:
            code = field_i32(event, events.SESSION_EVENT_CODE)
            self._refuse(connection, refusals.SESSION_NOT_OPENED, code)
            return
        connection.handshake.take(handshake.SESSION_OPENED)
        self._counters.sessions_opened += 1
        connection.accept_trading(
            field_i32(event, events.SESSION_EVENT_SESSION),
            field_i32(event, events.SESSION_EVENT_WINDOW),
            1,
            self._view.log_index,
        )

    def _evicted(self, session: int) -> None:
        connection = self._replies.taker(session)
        if connection is not None:
            connection.refuse(refusals.SESSION_EVICTED, session)

    def _revoked(self, key_number: int) -> None:
        for connection in list(self._register.connections):
            if connection.key is not None and connection.key.number == key_number:
                connection.refuse(refusals.KEY_REVOKED, key_number)
