"""What a disk that forgets does wrong at the moment: sent to the process that serves it."""

from fnmatch import fnmatchcase

import msgspec


class DiskFaults(msgspec.Struct, frozen=True):
    """Faults in force; all at rest by default. Patterns are of paths from the disk's root."""

    fsync_errno: int = 0
    """What fsync and fdatasync fail with; what they should have written is dropped."""
    write_errno: int = 0
    """What writes fail with."""
    failing: str = "*"
    """Of which files syncs and writes fail."""
    ignored: str = ""
    """Of which files syncs say that all is well and do nothing."""
    delay_ms: float = 0.0
    """How long a sync takes."""
    slow: str = "*"
    """Of which files syncs are slow."""
    free_bytes: int = -1
    """How much more can be written; -1 for what the disk has."""


class DiskCounters(msgspec.Struct):
    """What a disk has done since it was made."""

    writes: int = 0
    written_bytes: int = 0
    syncs: int = 0
    syncs_failed: int = 0
    syncs_ignored: int = 0
    writes_refused: int = 0
    power_losses: int = 0


def concerns(pattern: str, path: str) -> bool:
    """Return whether a pattern of paths concerns the file at `path`; "" concerns none."""
    return bool(pattern) and fnmatchcase(path, pattern)
