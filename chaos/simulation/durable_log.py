"""What a power loss would leave of a host's log: known from its disk, whatever its journal says."""

from collections.abc import Sequence
from pathlib import Path

from chaos.simulation.disk import SimulatedDisk
from node.consensus.errors import ConsensusError
from node.consensus.journal_record import BASE, ENTRY, RESET, TRUNCATE, Record
from node.consensus.journal_recovery import recover


class DurableLog:
    """Follows one journal, flush by flush, or reads the disk again when nothing is known."""

    def __init__(self, disk: SimulatedDisk, directory: Path) -> None:
        """Know nothing yet."""
        self._disk = disk
        self._directory = directory
        self._terms: dict[int, int] | None = None

    def forget(self) -> None:
        """Read the disk at the next question: a process began or ended."""
        self._terms = None

    def take(self, records: Sequence[Record]) -> None:
        """Take note of records that a flush has written: they count if all of it was synced."""
        terms = self._terms
        if terms is None:
            return
        if not self._disk.everything_is_durable:
            self._terms = None
            return
        for record in records:
            if record.kind == ENTRY:
                terms[record.index] = record.term
            elif record.kind == TRUNCATE:
                _keep(terms, range(record.index))
            elif record.kind == BASE:
                _keep(terms, range(record.index, 1 << 62))
            elif record.kind == RESET:
                terms.clear()
                terms[record.index] = record.term

    def holds(self, index: int, term: int) -> bool:
        """Tell whether the entry of `term` at `index` would be there."""
        if self._terms is None:
            self._terms = self._read()
        return self._terms.get(index) == term

    def _read(self) -> dict[int, int]:
        try:
            stored = recover(self._disk.after_power_loss(), self._directory)
        except ConsensusError:
            return {}
        return {index: term for _payload, index, term in stored.entries}


def _keep(terms: dict[int, int], indexes: range) -> None:
    for index in [index for index in terms if index not in indexes]:
        del terms[index]
