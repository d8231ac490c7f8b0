"""What a node reads from outside itself: clocks and chance, and nothing of it by any other way.

With the loop (sockets, timers, threads), `node.consensus.file_system` and
`node.storage.state_store` (disk) this is all that tells one run of a node from another: a simulator
that provides them repeats a run from its seed. tests/architecture finds who reads a clock or chance
past it.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random, SystemRandom


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The operating system's clocks and chance, or others in their place."""

    monotonic_ns: Callable[[], int] = time.monotonic_ns
    wall_ns: Callable[[], int] = time.time_ns
    """Since 1970; it may jump."""
    random_bytes: Callable[[int], bytes] = os.urandom
    random: Random = field(default_factory=SystemRandom)

    def monotonic(self) -> float:
        """Return the monotonic clock in seconds."""
        return self.monotonic_ns() / 1e9
