"""What a disk must be able to do for its power to be cut."""

from pathlib import Path
from typing import Protocol


class PowerDisk(Protocol):
    """A mounted disk with a power switch."""

    @property
    def path(self) -> Path:
        """Where it is mounted."""

    def lose_power(self) -> None:
        """Fail everything from now on and store nothing more."""

    def restore_power(self) -> object:
        """Mount what survived."""
