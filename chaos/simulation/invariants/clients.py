"""Invariants of what clients were told, looked at once all is over."""

from struct import Struct
from typing import TYPE_CHECKING

from chaos.history import Operation
from chaos.simulation.committed_log import Applied
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from node.domain import events as layout
from node.domain.codes import Code
from node.domain.replies import REPLY_SIZE

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

_REPLY = Struct("<8xiiqqqq")
assert _REPLY.size == REPLY_SIZE
_UNSTORED = frozenset({Code.SEQUENCE_GAP, Code.REPLY_FORGOTTEN, Code.UNKNOWN_SESSION})


class ExactlyOnce(Invariant):
    """Every acknowledged command is in the log once, with the reply that its client was given.

    And in real time: what was acknowledged before another command was sent lies before it.
    """

    name = "exactly once"

    def ended(self) -> None:
        """Compare every history with the log."""
        executed = self._executed()
        operations = [one for client in self.cluster.clients for one in client.history]
        for operation in operations:
            name = (operation.session, operation.sequence)
            self.require(name in executed, f"{_told(operation)} is not in the log")
            found = executed[name]
            given = (
                operation.log_index,
                operation.code,
                operation.result,
                operation.filled,
            )
            self.require(found == given, f"{_told(operation)} is in the log as {found}")
        self._check_real_time(operations)
        for client in self.cluster.clients:
            self.require(not client.lost, f"client {client.number} lost {client.lost}")
            sequences = [one.sequence for one in client.history]
            self.require(
                sequences == list(range(1, len(sequences) + 1)),
                f"client {client.number} was answered out of order",
            )

    def _executed(self) -> dict[tuple[int, int], tuple[int, int, int, int]]:
        executed: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        for applied in self.cluster.log.in_order():
            for reply in _REPLY.iter_unpack(applied.replies):
                session, code, sequence, index, result, filled = reply
                if session == 0 or code in _UNSTORED or index != applied.index:
                    continue  # A retry answered from the window names the index of the original.
                name = (session, sequence)
                self.require(name not in executed, f"{name} is executed twice, again at {index}")
                executed[name] = (index, code, result, filled)
        return executed

    def _check_real_time(self, operations: list[Operation]) -> None:
        by_return = sorted(operations, key=lambda one: one.returned_ns)
        newest = at = 0
        for operation in sorted(operations, key=lambda one: one.invoked_ns):
            while at < len(by_return) and by_return[at].returned_ns < operation.invoked_ns:
                newest = max(newest, by_return[at].log_index)
                at += 1
            self.require(
                operation.log_index >= newest,
                f"{_told(operation)} lies before {newest}, acknowledged before it was sent",
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
        self.require(self.cluster.converged, f"no convergence: {self.cluster.describe()}")


def _told(operation: Operation) -> str:
    return (
        f"sequence {operation.sequence} of session {operation.session}, acknowledged at "
        f"{operation.log_index} with code {operation.code} and result {operation.result},"
    )
