"""What survived a power loss, read from the disk before any node has touched it.

At that instant everything acknowledged must be durable on a majority: it must be in the log that
Raft would go on with, with its reply, and on enough other disks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.history import Operation, Outcome
from node.audit.acknowledgements import Acknowledgement, AcknowledgementCheck
from node.audit.canonical import read_state
from node.audit.conservation import check_conservation
from node.audit.directory import read_journal
from node.audit.replay import Replay
from node.audit.verify import UNREADABLE, UNREPLAYABLE
from node.domain.genesis import Genesis


class _Journal:
    """One node's log. Raises one of UNREADABLE."""

    def __init__(self, folder: Path) -> None:
        self.summary, self.entries = read_journal(folder / "journal")

    @property
    def newest(self) -> tuple[int, int]:
        """Term and index of the last entry: what an election compares."""
        last = self.entries[-1:]
        return (last[0].term, last[0].index) if last else (0, 0)

    def agrees(self, other: "_Journal", highest: int) -> bool:
        """Return whether it holds what `other` holds up to the index `highest`."""
        wanted = {entry.index: entry for entry in other.entries if entry.index <= highest}
        mine = [entry for entry in self.entries if entry.index <= highest]
        reached = self.newest[1] >= highest
        return reached and all(wanted.get(entry.index) == entry for entry in mine)


@dataclass(slots=True)
class Survivors:
    """What was found; nothing in `findings` means that all promises were kept."""

    acknowledged: int = 0
    lost: int = 0
    altered: int = 0
    refused: int = 0
    """Journals that a node would refuse to start from."""
    torn_tails: int = 0
    commands: int = 0
    """In the log that goes on."""
    findings: list[str] = field(default_factory=list)


def inspect_survivors(
    folders: Sequence[Path], genesis: Genesis, operations: Iterable[Operation]
) -> Survivors:
    """Return what the nodes' `folders` still hold of what the clients were told."""
    found = Survivors()
    journals = []
    for folder in folders:
        try:
            journals.append(_Journal(folder))
        except UNREADABLE as error:
            found.refused += 1
            found.findings.append(f"{folder.name} would refuse to start: {error}")
    told = [_acknowledgement(one) for one in operations if one.outcome is not Outcome.UNKNOWN]
    found.acknowledged = len(told)
    found.torn_tails = sum(journal.summary.torn_tail for journal in journals)
    if not journals:
        found.lost = len(told)
        return found
    # What Raft would elect holds everything that was committed.
    winner = max(journals, key=lambda journal: journal.newest)
    _check_replay(winner, genesis, told, found)
    highest = max((one.log_index for one in told), default=0)
    held = sum(journal.agrees(winner, highest) for journal in journals)
    if highest and held * 2 <= len(folders):
        found.findings.append(
            f"index {highest} was acknowledged, and {held} of {len(folders)} nodes hold it"
        )
    return found


def _acknowledgement(operation: Operation) -> Acknowledgement:
    return Acknowledgement(
        operation.session,
        operation.sequence,
        operation.log_index,
        operation.result,
        operation.code,
        operation.filled,
    )


def _check_replay(
    winner: _Journal, genesis: Genesis, told: list[Acknowledgement], found: Survivors
) -> None:
    replay = Replay(genesis)
    check = AcknowledgementCheck(told, replay.start_index)
    try:
        replay.feed(winner.entries, check.observe)
        replay.digests()
        conservation = check_conservation(read_state(replay.canonical_pages()))
    except UNREPLAYABLE as error:
        found.findings.append(f"the log cannot be replayed: {error}")
        return
    report = check.report()
    found.lost, found.altered, found.commands = report.lost, report.altered, replay.commands
    found.findings += report.examples + conservation.findings
