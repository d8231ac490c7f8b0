"""What a round comes to: every node's log replayed offline, every acknowledgement looked for."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from chaos.history import Outcome
from chaos.real.diary import Diary
from chaos.real.recording import operations, recordings, reply_frames, silences
from chaos.report.run_report import Operations
from node.audit.report import AuditReport
from node.audit.verify import verify
from node.domain.replies import REPLY_SIZE


class Verdict(NamedTuple):
    """What was found in one round."""

    operations: Operations
    commands: int
    """In the longest log."""


def judge_round(folders: list[Path], recorded: Path, scratch: Path, diary: Diary) -> Verdict:
    """Judge stopped nodes by their `folders` and the clients by what they recorded.

    The first of `folders` is that of the node whose log reaches back to the first entry.
    """
    counted = count_operations(recorded)
    acknowledgements = scratch / "acknowledgements.bin"
    with acknowledgements.open("wb") as file:
        for recording in recordings(recorded):
            file.writelines(reply_frames(recording))
    executions = _Executions()
    report = verify(
        folders, acknowledgements=acknowledgements, observe=executions.observe, scratch=scratch
    )
    acknowledgements.unlink()
    _take_down(report, executions, counted, diary)
    return Verdict(counted, executions.commands)


def _take_down(
    report: AuditReport, executions: "_Executions", counted: Operations, diary: Diary
) -> None:
    for finding in report.all_findings():
        diary.violate("offline replay confirms every log, digest and balance", finding)
    seen = report.acknowledgements
    if seen is not None:
        counted.lost = seen.lost
        counted.altered = seen.altered
        if seen.before_start:
            diary.violate(
                "the witness keeps its whole log",
                f"{seen.before_start} acknowledgements lie before the first entry of the log",
            )
        expected = counted.acknowledged + counted.rejected
        if seen.total != expected or seen.found != expected:
            diary.violate(
                "every acknowledgement is in the log",
                f"{expected} were recorded, {seen.total} looked for, {seen.found} found",
            )
    counted.duplicated = executions.repeated
    if executions.repeated:
        diary.violate(
            "no command is executed twice", f"{executions.repeated} sequences were executed again"
        )
    agreement = report.agreement
    if agreement is not None and not agreement.equal:
        counted.diverged = 1


def count_operations(recorded: Path) -> Operations:
    """Return how many operations the clients recorded, by outcome."""
    outcomes: Counter[tuple[Outcome, bool]] = Counter()
    for recording in recordings(recorded):
        outcomes.update((one.outcome, one.sequence == 0) for one in operations(recording))
    return Operations(
        outcomes[Outcome.OK, False],
        outcomes[Outcome.REJECTED, False],
        outcomes[Outcome.UNKNOWN, False],
        outcomes[Outcome.OK, True] + outcomes[Outcome.UNKNOWN, True],
    )


class _Executions:
    """Counts executed commands of a log, and sequences that were executed more than once."""

    def __init__(self) -> None:
        self.commands = 0
        self.repeated = 0
        self._last: dict[int, int] = {}

    def observe(self, index: int, replies: bytes, events: bytes) -> None:
        """Look at the replies of the group at `index`: those of an earlier one are repeats."""
        del events
        for offset in range(0, len(replies), REPLY_SIZE):
            log_index = int.from_bytes(replies[offset + 24 : offset + 32], "little")
            if log_index != index:
                continue
            session = int.from_bytes(replies[offset + 8 : offset + 12], "little")
            sequence = int.from_bytes(replies[offset + 16 : offset + 24], "little")
            self.commands += 1
            if sequence <= self._last.get(session, 0) and session:
                self.repeated += 1
            self._last[session] = max(sequence, self._last.get(session, 0))


def failovers_ms(recorded: Path, killed_ns: Iterable[int]) -> list[float]:
    """Return, for each kill of a leader, the silence in the clients' view.

    From the last acknowledgement on any old connection to the first on any new one.
    """
    every = [silences(recording) for recording in recordings(recorded)]
    found = []
    for at_ns in killed_ns:
        across = [next((one for one in session if one.until_ns > at_ns), None) for session in every]
        crossed = [one for one in across if one is not None and one.from_ns <= at_ns + 100_000_000]
        if crossed:
            last_old = max(one.from_ns for one in crossed)
            first_new = min(one.until_ns for one in crossed)
            found.append(max(0.0, (first_new - last_old) / 1e6))
    return found
