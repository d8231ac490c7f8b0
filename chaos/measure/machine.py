"""What the machine did to a measurement: its load, and which cores processes had or waited for."""

import os
from pathlib import Path
from typing import Final

_TICK_MS: Final = 1_000 / os.sysconf("SC_CLK_TCK")
_USER_FIELD: Final = 11
"""Of what follows a process's name in its stat: ticks in user mode; those in the kernel follow."""
_STOLEN_FIELD: Final = 8
"""Of the first line of /proc/stat: what other guests of the same host took."""


def load() -> str:
    """Return the load of the last minute over the number of cores, such as "1.90 on 2 cores"."""
    return f"{os.getloadavg()[0]:.2f} on {os.cpu_count()} cores"


def waited_ms(process: int) -> float:
    """Return how long the main thread of a process has waited for a core, ready to run.

    0 where the kernel does not say or the process is gone.
    """
    try:
        fields = Path(f"/proc/{process}/schedstat").read_text().split()
    except OSError:
        return 0.0
    return int(fields[1]) / 1e6 if len(fields) > 1 else 0.0


def core_seconds(process: int) -> float:
    """Return how long a process has had a core, over all its threads; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[_USER_FIELD : _USER_FIELD + 2])) * _TICK_MS / 1_000


def stolen_ms() -> float:
    """Return for how long this machine's cores were not its own, over all cores; 0 if unknown."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()
    except OSError:
        return 0.0
    return int(fields[_STOLEN_FIELD]) * _TICK_MS if len(fields) > _STOLEN_FIELD else 0.0
