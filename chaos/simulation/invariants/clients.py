"""Invariants of what clients were told, looked at once all is over."""

from typing import TYPE_CHECKING

from chaos.checkers.acknowledgement import AcknowledgementCheck
from chaos.checkers.execution_table import ExecutionTable
from chaos.checkers.log_record import records_of, replies_of
from chaos.checkers.log_replay import LogReplay
from chaos.checkers.retry_effect import RetryEffect
from chaos.checkers.sequence_order import conclude
from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.domain import events as layout

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster


class ExactlyOnce(Invariant):
    """Every acknowledged command is in the log once, with the reply that its client was given.

    And in real time: what was acknowledged before another command was sent lies before it. A
    retry changes nothing, whatever reply it is given.
    """

    name = "exactly once"

    def ended(self) -> None:
        """Have the checkers compare every history with what the log came to."""
        cluster = self.cluster
        table = ExecutionTable(0)
        effect = RetryEffect(LogReplay(cluster.setting.genesis))
        for applied in cluster.log.in_order():
            records, replies = list(records_of(applied.group)), list(replies_of(applied.replies))
            table.feed_records(applied.index, records, replies)
            effect.feed_records(applied.index, applied.group, records, replies, applied.events)
        check = AcknowledgementCheck(table)
        for client in cluster.clients:
            check.take(client.history)
            check.take(client.unknown())
        findings = conclude(check, table)
        findings.take(effect.findings)
        if not any(client.history for client in cluster.clients):
            return  # Nobody was served, which `EverythingEnds` judges.
        self.checked += findings.counts["operations"]
        told = "; ".join(f"{one.invariant}: {one.what}" for one in findings.examples[:3])
        self.require(findings.ok, told)
        for client in cluster.clients:
            self.require(not client.lost, f"client {client.number} lost {client.lost}")
            sequences = [one.sequence for one in client.history]
            self.require(
                sequences == list(range(1, len(sequences) + 1)),
                f"client {client.number} was answered out of order",
            )


class StreamsAreGapless(Invariant):
    """Every stream's events are numbered from 1 without a gap, in the order of the log."""

    name = "streams are gapless"

    def __init__(self, cluster: "Cluster") -> None:
        """Start before the first event."""
        super().__init__(cluster)
        self._next: dict[tuple[int, int], int] = {}

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Follow every stream."""
        del host
        if not first:
            return
        frames, at = applied.events, 0
        while at < len(frames):
            length = int.from_bytes(frames[at : at + 4], "little")
            kind = int.from_bytes(frames[at + 4 : at + 6], "little")
            stream = int.from_bytes(frames[at + 20 : at + 24], "little")
            sequence = int.from_bytes(frames[at + 24 : at + 32], "little")
            feed = (kind >= layout.FIRST_PUBLIC_EVENT) + (kind >= layout.FIRST_VENUE_EVENT)
            wanted = self._next.get((feed, stream), 1)
            self.require(
                sequence == wanted,
                f"stream {stream} of feed {feed} goes on with {sequence} at {applied.index}, "
                f"{wanted} was next",
            )
            self._next[feed, stream] = wanted + 1
            at += length


class EverythingEnds(Invariant):
    """Once a majority is connected, every command gets its reply within a bound."""

    name = "everything ends"

    def ended(self) -> None:
        """Look for clients that still wait."""
        for client in self.cluster.clients:
            if client.opened or client.started:
                self.require(
                    client.is_idle,
                    f"client {client.number} still waits for {client.outstanding} replies, "
                    f"session open: {client.opened}",
                )
        for reader in self.cluster.readers:
            self.require(reader.is_idle, f"a reader still waits, following {reader.following}")
        self.require(self.cluster.converged, f"no convergence: {self.cluster.describe()}")
