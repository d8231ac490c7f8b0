"""Invariants of what readers were told: answers, and every single event of a feed."""

from typing import TYPE_CHECKING

from chaos.simulation.committed_log import Applied
from chaos.simulation.following import Following, frames_of, index_of
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from chaos.simulation.reader_host import Answered
from node.engine.reading import record_bytes
from node.protocol import messages

if TYPE_CHECKING:
    from chaos.simulation.cluster import Cluster

_DIGEST_SIZE = 32
_Records = dict[tuple[int, int], bytes]


class ReadsAreLinearizable(Invariant):
    """An answer knows everything that anybody was told before it was asked, and tells the truth.

    That holds for commands acknowledged to any client, and for linearizable answers themselves. The
    records are compared with those of a replay of the log up to the index that the answer names.
    """

    name = "reads are linearizable"

    def __init__(self, cluster: "Cluster") -> None:
        """Start with nothing applied."""
        super().__init__(cluster)
        self._records: dict[int, _Records] = {}

    def applied(self, host: Host, applied: Applied, *, first: bool) -> None:
        """Keep the records that are asked for, as of this index."""
        del host
        if not first or not self.cluster.readers:
            return
        state = self.cluster.replay.venue.state
        kept: _Records = {(messages.TREASURY, 0): record_bytes(state.treasury)}
        for account in state.accounts:
            if account is not None:
                kept[messages.ACCOUNT, account.number] = record_bytes(account)
        self._records[applied.index] = kept

    def answered(self, answer: Answered) -> None:
        """Compare an answer with what was known when it was asked, and with the log."""
        self.require(
            answer.log_index >= answer.floor,
            f"an answer as of {answer.log_index} was asked when {answer.floor} had been told",
        )
        applied = self.cluster.log.by_index.get(answer.log_index)
        if applied is None:
            return
        if answer.subject == messages.STATUS:
            truth: bytes | None = applied.digest
            told = answer.records[:_DIGEST_SIZE]
        else:
            kept = self._records.get(answer.log_index, {})
            truth = kept.get((answer.subject, answer.number))
            told = answer.records
        if truth is not None:
            self.require(
                told == truth,
                f"{messages.Subject(answer.subject).name} {answer.number} as of "
                f"{answer.log_index} is {told.hex()}, the log says {truth.hex()}",
            )


class FeedsAreExact(Invariant):
    """A subscriber gets every event of its stream once, in order, byte for byte as the log has it.

    Through failovers and restarts: a subscription that a node cannot resume ends, and says so.
    """

    name = "feeds are exact"

    def heard(self, following: Following, frames: bytes) -> None:
        """Compare what came with what is owed next."""
        for frame in frames_of(frames):
            owed = following.take()
            if owed is None:
                last = self.cluster.log.last_index
                told = f"the log, up to {last}, has no such event of {index_of(frame)}"
            else:
                told = f"{owed.hex()} of {index_of(owed)} is next"
            self.require(frame == owed, f"{following}: {frame.hex()} came, {told}")

    def ended(self) -> None:
        """Require that nothing is owed any more."""
        for reader in self.cluster.readers:
            following = reader.following
            if following is not None:
                self.require(not following.owes, f"{following} did not come to the log's end")
