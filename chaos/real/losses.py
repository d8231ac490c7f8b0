"""What sessions declared lost: nothing else may be without an outcome, and none of it with one."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from chaos.history import Operation, Outcome
from chaos.real.recording import losses

LOSSES: Final = "a session knows what it has lost"


class LossCheck:
    """Compares one session's recording with the losses that it was told of."""

    def __init__(self, recording: Path) -> None:
        """Read what was declared lost."""
        self._name = recording.name
        declared, self._ended = losses(recording)
        self.declared: Final = sum(last - first + 1 for first, last in declared)
        """Commands, once for each time that they were declared."""
        self._lost = {sequence for first, last in declared for sequence in range(first, last + 1)}
        self.wrong: list[str] = []
        self.looked = 0
        """How many commands were looked at."""

    def watch(self, operations: Iterable[Operation]) -> Iterator[Operation]:
        """Yield `operations`, all of the session's, and see what is wrong with its losses."""
        unsent = set(self._lost)
        for operation in operations:
            if operation.sequence:
                unsent.discard(operation.sequence)
                self._look(operation)
            yield operation
        if unsent:
            self._complain(min(unsent), "was declared lost, and never sent")

    def _look(self, operation: Operation) -> None:
        self.looked += 1
        lost = operation.sequence in self._lost
        known = operation.outcome != Outcome.UNKNOWN
        if lost and known:
            self._complain(
                operation.sequence,
                f"was declared lost, and ended {operation.outcome.name} at index "
                f"{operation.log_index}",
            )
        if self._ended and not lost and not known:
            self._complain(
                operation.sequence, "has no outcome, and nobody was told that it is lost"
            )

    def _complain(self, sequence: int, what: str) -> None:
        self.wrong.append(f"session of {self._name}: sequence {sequence} {what}")
