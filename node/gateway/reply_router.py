"""Replies to the connections whose sessions they belong to: one write a session and group."""

from typing import Protocol

from node.gateway.counters import GatewayCounters
from node.protocol.reply_runs import ReplyRuns


class ReplyTaker(Protocol):
    """The part of a connection that replies go to."""

    def take_replies(self, frames: bytes, newest: int) -> None:
        """Send `frames`; the window has moved past `newest`."""

    def refuse(self, reason: int, detail: int = 0) -> None:
        """Say why the session ends here."""


class ReplyRouter:
    """Which connection speaks for which session. A session has one at most."""

    def __init__(self, counters: GatewayCounters) -> None:
        """Start without sessions."""
        self._takers: dict[int, ReplyTaker] = {}
        self._counters = counters

    def attach(self, session: int, taker: ReplyTaker) -> ReplyTaker | None:
        """Send the session's replies to `taker` from now on; return who had them until now."""
        previous = self._takers.get(session)
        self._takers[session] = taker
        return previous

    def detach(self, session: int, taker: ReplyTaker) -> None:
        """Send nothing more to `taker`, unless another one has taken over already."""
        if self._takers.get(session) is taker:
            del self._takers[session]

    def taker(self, session: int) -> ReplyTaker | None:
        """Return who speaks for `session` here."""
        return self._takers.get(session)

    def publish(self, replies: bytes) -> None:
        """Hand the replies of one group to their connections.

        Where nobody is connected, do nothing.
        """
        takers = self._takers
        if not takers or not replies:
            return
        runs = ReplyRuns(replies)
        for session, frames, newest in zip(runs.sessions, runs.frames, runs.newest, strict=True):
            taker = takers.get(session)
            if taker is None:
                self._counters.replies_unrouted += 1
            else:
                self._counters.reply_bytes += len(frames)
                taker.take_replies(frames, newest)
