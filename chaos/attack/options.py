"""What an attack was asked to be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

FUZZ: Final = "fuzz"
AUTHENTICATION: Final = "authentication"
OVERLOAD: Final = "overload"
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class AttackOptions:
    """The options of `python -m chaos attack`."""

    state: Path
    seed: str
    executions: int
    """How many fuzz executions to reach, over all runs with the same state."""
    seconds: float
    """How long fuzzing may take in this run; overload measures for as long in all."""
    attempts: int
    """How many times to try to get in."""
    connections: int
    """How many connections to hold in the overload."""
    jobs: int
    engine: str
    targets: tuple[str, ...]
    base_port: int
    quick: bool
