"""One client's socket.

Bytes in through the scanner, frames out, and the steps of the handshake between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from node.domain.commands import FRAME_TYPE
from node.domain.identifiers import NONCE_SIZE
from node.gateway.admission import Backlog
from node.gateway.signatures import is_signed
from node.protocol import encoding, handshake, messages, refusals, versions
from node.protocol.framing import FrameScanner

if TYPE_CHECKING:
    from node.gateway.seams import KeyView, LeaderAddress
    from node.gateway.services import Services


class Connection(asyncio.Protocol):
    """A client, from accept to close. All its calls come from one loop; it never waits.

    Whatever is wrong with what this client sends ends this connection alone, with a REFUSED that
    says why.
    """

    def __init__(self, services: Services) -> None:
        """Wait for `connection_made`."""
        self._services = services
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.handshake = handshake.Handshake()
        self.scanner = FrameScanner(services.limits.frame_bytes)
        self.backlog = Backlog()
        self.nonce = b""
        self.key: KeyView | None = None
        self.public_key = b""
        self.session = 0
        self.heard_at = services.loop.time()
        self.is_overdue = False
        self.queries_waiting = 0
        self.writable = True
        self.on_writable: list[Callable[[], None]] = []

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the challenge, or a refusal if there are too many connections."""
        services = self._services
        self._transport = cast("asyncio.Transport", transport)
        services.counters.connections_accepted += 1
        limits = services.limits
        peer = transport.get_extra_info("peername")
        refusal = services.register.admit(self, str(peer[0]) if peer else "")
        if refusal:
            self.refuse(refusal)
            return
        self._transport.set_write_buffer_limits(high=max(1, limits.output_bytes // 4))
        self.nonce = services.random_bytes(NONCE_SIZE)
        self.handshake.take(handshake.CHALLENGE_SENT)
        self._write(
            encoding.encode_challenge(
                versions.OLDEST_PROTOCOL_VERSION,
                versions.PROTOCOL_VERSION,
                services.identity.node,
                services.identity.cluster_id,
                self.nonce,
                limits.login_ms,
                limits.heartbeat_ms,
            )
        )
        self._timer = services.loop.call_later(limits.login_ms / 1_000, self._login_timed_out)

    def data_received(self, data: bytes) -> None:
        """Scan `data`: queue the commands, serve the messages, answer what is wrong."""
        services = self._services
        self.heard_at = services.loop.time()
        self.is_overdue = False
        services.counters.bytes_in += len(data)
        scanner = self.scanner
        scanner.feed(data)
        if scanner.attestations and not self._are_signed(scanner.attestations):
            self.refuse(refusals.SIGNATURE_INVALID)
            return
        if scanner.count:
            services.counters.commands_admitted += scanner.count
            services.admission.add(self.backlog, scanner.records, scanner.count)
            if self._transport is not None:
                services.backpressure.added(self.backlog, self._transport)
        if scanner.messages:
            refusal, detail, resend = scanner.refusal, scanner.detail, scanner.resend_from
            for frame in scanner.messages:
                if self.handshake.state == handshake.CLOSED:
                    return
                self._serve(frame)
            if refusal:
                self.refuse(refusal, detail, resend)
        elif scanner.refusal:
            self.refuse(scanner.refusal, scanner.detail, scanner.resend_from)

    def _are_signed(self, attestations: list[bytes]) -> bool:
        """Tell whether resolvers have signed what is attested: `apply` does not look again."""
        cluster_id = self._services.identity.cluster_id
        return all(is_signed(cluster_id, frame) for frame in attestations)

    def pause_writing(self) -> None:
        """Note that the client reads slowly: replays wait."""
        self.writable = False

    def resume_writing(self) -> None:
        """Let what waited for the client go on."""
        self.writable = True
        waiting, self.on_writable = self.on_writable, []
        for resume in waiting:
            resume()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """Forget the client everywhere."""
        services = self._services
        self.handshake.take(handshake.CONNECTION_LOST)
        self._leave()
        self._cancel_timer()
        self._transport = None
        self.on_writable.clear()
        services.register.forget(self)
        services.counters.connections_closed += 1
        services.counters.commands_skipped += self.scanner.skipped

    # What the rest of the gateway calls.

    def send(self, frames: bytes) -> None:
        """Send whole frames; cut the client if it has not read too much of what was sent before."""
        transport = self._transport
        if transport is None or self.handshake.state == handshake.CLOSED:
            return
        if transport.get_write_buffer_size() > self._services.limits.output_bytes:
            self.refuse(refusals.READER_TOO_SLOW, transport.get_write_buffer_size())
            return
        self._services.counters.bytes_out += len(frames)
        transport.write(frames)

    def take_replies(self, frames: bytes, newest: int) -> None:
        """Send replies and move the window."""
        self.scanner.acknowledge(newest)
        self.send(frames)

    def refuse(self, reason: int, detail: int = 0, resend_from: int = 0, request: int = 0) -> None:
        """Say why something was not taken; end the connection if the reason is one that does."""
        if self.handshake.state == handshake.CLOSED:
            return
        self._services.counters.refusals[reason] += 1
        closing = refusals.closes(reason)
        frame = encoding.encode_refused(reason, closing, resend_from, detail, request)
        if not closing:
            self.send(frame)
            return
        self.handshake.take(handshake.REFUSAL_SENT)
        self._finish(frame)

    def redirect(self, leader: LeaderAddress | None) -> None:
        """Send the client to the leader, or to look for one, and end the connection."""
        if not self.handshake.take(handshake.REDIRECT_SENT):
            return
        self._services.counters.redirects += 1
        node, host, port = leader if leader is not None else (0, "", 0)
        self._finish(encoding.encode_redirect(node, host, port))

    def accept_trading(self, session: int, window: int, next_sequence: int, log_index: int) -> None:
        """Say that the login is accepted, and admit the session's commands from now on."""
        services = self._services
        previous = services.replies.attach(session, self)
        if previous is not None:
            previous.refuse(refusals.SESSION_TAKEN_OVER, session)
        self.session = session
        self.scanner.open(session, next_sequence, window)
        self._accepted(messages.TRADE, session, window, next_sequence, log_index)

    def accept_reading(self, log_index: int) -> None:
        """Say that a login without a session is accepted."""
        self._accepted(messages.READ, 0, 0, 0, log_index)

    def heartbeat(self, frame: bytes, now: float) -> None:
        """Send a heartbeat, or end the connection if the client was silent for too long.

        `now` is the loop's time in seconds. Silence counts at two beats in succession: after a
        stall of this loop the client's bytes wait to be read, and are before the second.
        """
        if self.handshake.state not in {handshake.TRADING, handshake.READING}:
            return
        silent_ms = int((now - self.heard_at) * 1_000)
        if silent_ms <= self._services.limits.idle_ms or not self.is_overdue:
            self.is_overdue = silent_ms > self._services.limits.idle_ms
            self.send(frame)
        else:
            self.refuse(refusals.IDLE_TIMED_OUT, silent_ms)

    @property
    def is_closed(self) -> bool:
        """Tell whether nothing more is sent or taken."""
        return self.handshake.state == handshake.CLOSED

    # Steps.

    def _serve(self, frame: bytes) -> None:
        """Handle one session-layer message, if the handshake allows it now."""
        kind = int.from_bytes(frame[FRAME_TYPE : FRAME_TYPE + 2], "little")
        step = _STEPS[kind]
        if not self.handshake.take(step):
            self.refuse(refusals.STEP_INVALID, kind)
            return
        services = self._services
        if kind == messages.LOGIN:
            services.opening.login(self, frame)
        elif kind in {messages.QUERY, messages.PREVIEW}:
            services.queries.ask(self, frame)
        elif kind == messages.SUBSCRIBE:
            services.feeds.subscribe(self, frame)
        elif kind == messages.UNSUBSCRIBE:
            services.feeds.unsubscribe(self, frame)
        elif kind == messages.LOGOUT:
            self._finish(encoding.encode_logout())

    def _accepted(
        self, purpose: int, session: int, window: int, next_sequence: int, log_index: int
    ) -> None:
        key = self.key
        assert key is not None
        self._cancel_timer()
        self._services.counters.logins_accepted += 1
        self.send(
            encoding.encode_login_accepted(
                session,
                window,
                next_sequence,
                log_index,
                key.number,
                key.account,
                key.role,
                purpose,
                versions.PROTOCOL_VERSION,
            )
        )

    def _login_timed_out(self) -> None:
        self._timer = None
        if self.handshake.state in _LOGGING_IN:
            self.refuse(refusals.LOGIN_TIMED_OUT, self._services.limits.login_ms)

    def _write(self, frame: bytes) -> None:
        if self._transport is not None:
            self._services.counters.bytes_out += len(frame)
            self._transport.write(frame)

    def _finish(self, last_words: bytes) -> None:
        """Write `last_words`, leave the gateway.

        Close once they are flushed or the linger time is over.
        """
        self._write(last_words)
        self._leave()
        self._cancel_timer()
        transport = self._transport
        if transport is not None:
            transport.close()
            linger = self._services.limits.linger_ms / 1_000
            self._timer = self._services.loop.call_later(linger, transport.abort)

    def _leave(self) -> None:
        """Stop taking part: no more commands, no replies, no feeds.

        What was admitted stays in the queue: a client's last words, a CANCEL_ALL say, still count.
        """
        services = self._services
        self.scanner.close()
        services.opening.forget(self)
        if self.session:
            services.replies.detach(self.session, self)
        services.feeds.forget(self)
        services.backpressure.forget(self.backlog)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


_LOGGING_IN = frozenset({handshake.CHALLENGED, handshake.AUTHENTICATING, handshake.OPENING})
_STEPS = {
    messages.LOGIN: handshake.LOGIN_RECEIVED,
    messages.HEARTBEAT: handshake.HEARTBEAT_RECEIVED,
    messages.LOGOUT: handshake.LOGOUT_RECEIVED,
    messages.SUBSCRIBE: handshake.SUBSCRIPTION_RECEIVED,
    messages.UNSUBSCRIBE: handshake.SUBSCRIPTION_RECEIVED,
    messages.QUERY: handshake.QUERY_RECEIVED,
    messages.PREVIEW: handshake.QUERY_RECEIVED,
}
