"""Backpressure.

A connection whose commands wait too long is not read, so that its client feels it.
"""

from typing import Protocol

from node.gateway.admission import Admission, Backlog
from node.gateway.counters import GatewayCounters
from node.gateway.gateway_limits import GatewayLimits


class PausableTransport(Protocol):
    """The part of a transport that stops and restarts reading."""

    def pause_reading(self) -> None:
        """Read no more."""

    def resume_reading(self) -> None:
        """Read again."""

    def is_closing(self) -> bool:
        """Tell whether the end has begun, so that nothing may be asked of it any more."""


class Backpressure:
    """Pauses and resumes reading by what waits in admission, of one connection and of all."""

    def __init__(
        self, limits: GatewayLimits, admission: Admission, counters: GatewayCounters
    ) -> None:
        """Watch `admission` with the bounds of `limits`."""
        self._limits = limits
        self._admission = admission
        self._counters = counters
        self._paused: dict[Backlog, PausableTransport] = {}

    def added(self, backlog: Backlog, transport: PausableTransport) -> None:
        """Stop reading if what waits is over a bound now."""
        limits = self._limits
        over = (
            backlog.size > limits.pending_bytes or self._admission.size > limits.pending_bytes_total
        )
        if over and backlog not in self._paused:
            self._paused[backlog] = transport
            self._counters.readings_paused += 1
            transport.pause_reading()

    def taken(self) -> None:
        """Read again from every connection whose bound, and the bound over all, is half empty."""
        limits = self._limits
        if not self._paused or self._admission.size > limits.pending_bytes_total // 2:
            return
        ready = [b for b in self._paused if b.size <= limits.pending_bytes // 2]
        for backlog in ready:
            transport = self._paused.pop(backlog)
            if not transport.is_closing():
                transport.resume_reading()

    def forget(self, backlog: Backlog) -> None:
        """Note that the connection is gone."""
        self._paused.pop(backlog, None)
