"""What the adversary of the invariant tests tried, and what the vault took of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.toolchain import FOLDER

COUNTS: Final = FOLDER / "out" / "adversary.txt"
THEFTS: Final = (
    "without a quorum",
    "replayed",
    "skipped",
    "reordered",
    "of another chain",
    "of another history",
    "unbalanced",
    "of cash that is not there",
    "paid twice",
)


@dataclass(frozen=True)
class Tally:
    """Counts over all runs."""

    runs: int
    settled: int
    refused: int
    attempts: tuple[int, ...]
    taken: tuple[int, ...]


def forget(path: Path = COUNTS) -> None:
    """Remove the counts of earlier runs."""
    path.unlink(missing_ok=True)


def tally(path: Path = COUNTS) -> Tally:
    """Return the counts of all runs since they were forgotten.

    Each line has batches settled and refused, then attempts and acceptances of each theft.
    """
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [[int(cell) for cell in line.split()] for line in lines]
    sums = [sum(column) for column in zip(*rows, strict=True)] or [0] * (2 + 2 * len(THEFTS))
    return Tally(len(rows), sums[0], sums[1], tuple(sums[2::2]), tuple(sums[3::2]))
