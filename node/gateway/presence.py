"""Presence: sessions that are to be given up when their clients are gone, and since when they are.

Only the leader watches. It says in the log that a client is gone; what that means the venue knows.
A new leader gives every client the whole grace to find it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from node.protocol.encoding import encode_session_gone

if TYPE_CHECKING:
    import asyncio

    from node.gateway.admission import Admission
    from node.gateway.reply_router import ReplyRouter
    from node.gateway.seams import Leadership, VenueView

LOOKS_PER_GRACE: Final = 4
"""How often in a grace period the connections are looked at: it may last so much longer."""
LOOK_SECONDS_MAX: Final = 0.25


class Presence:
    """Proposes a SESSION_GONE for each watched session without a client for the grace period."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        view: VenueView,
        leadership: Leadership,
        admission: Admission,
        replies: ReplyRouter,
    ) -> None:
        """Stand still until `start`."""
        self._loop = loop
        self._view = view
        self._leadership = leadership
        self._admission = admission
        self._replies = replies
        self._timer: asyncio.TimerHandle | None = None
        self._absent_since: dict[int, float] = {}
        self._said: dict[int, int] = {}

    def start(self) -> None:
        """Look from now on."""
        grace = self._view.disconnect_ms / 1_000
        delay = min(grace / LOOKS_PER_GRACE, LOOK_SECONDS_MAX)
        self._timer = self._loop.call_later(delay, self._look_again)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_again(self) -> None:
        self.look()
        self.start()

    def look(self) -> None:
        """Note who is absent, and propose what has to be said of those who are for too long."""
        if not self._leadership.ready:
            self._absent_since.clear()
            self._said.clear()
            return
        now, grace = self._loop.time(), self._view.disconnect_ms / 1_000
        watched = self._view.watched_sessions()
        for gone in self._absent_since.keys() - watched.keys():
            del self._absent_since[gone]
            self._said.pop(gone, None)
        for number, next_sequence in watched.items():
            if self._replies.taker(number) is not None:
                self._absent_since.pop(number, None)
                self._said.pop(number, None)
                continue
            waited = now - self._absent_since.setdefault(number, now)
            if waited >= grace and self._said.get(number) != next_sequence:
                self._said[number] = next_sequence
                self._admission.add_internal(encode_session_gone(number, next_sequence))
