"""How far the clients are: a few counters in a file that both sides have mapped."""

import mmap
from pathlib import Path
from struct import Struct
from time import monotonic_ns
from typing import Final, NamedTuple

SLOTS: Final = 16
_SLOT: Final = Struct("<qqqq")


class Progress(NamedTuple):
    """What one session has come to."""

    acknowledged: int = 0
    last_ns: int = 0
    """When the last acknowledgement came, of the machine's monotonic clock."""
    lost: int = 0
    """Commands that the session gave up: their outcome will never be known."""
    reconnections: int = 0


class ProgressFile:
    """The counters of one client process, a slot a session."""

    def __init__(self, path: Path) -> None:
        """Map the file at `path`, making it first if need be."""
        with path.open("ab") as file:
            file.truncate(SLOTS * _SLOT.size)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SLOTS * _SLOT.size)

    def acknowledge(self, slot: int, count: int, reconnections: int) -> None:
        """Add `count` acknowledgements that have just come."""
        before = self.read(slot)
        _SLOT.pack_into(
            self._map,
            slot * _SLOT.size,
            before.acknowledged + count,
            monotonic_ns(),
            before.lost,
            reconnections,
        )

    def lose(self, slot: int, count: int) -> None:
        """Add `count` commands whose outcome will never be known."""
        before = self.read(slot)
        after = before._replace(lost=before.lost + count)
        _SLOT.pack_into(self._map, slot * _SLOT.size, *after)

    def read(self, slot: int) -> Progress:
        """Return one session's counters."""
        return Progress._make(_SLOT.unpack_from(self._map, slot * _SLOT.size))

    def total(self) -> Progress:
        """Return all sessions' counters, added up; `last_ns` is the latest."""
        slots = [self.read(slot) for slot in range(SLOTS)]
        return Progress(
            sum(slot.acknowledged for slot in slots),
            max(slot.last_ns for slot in slots),
            sum(slot.lost for slot in slots),
            sum(slot.reconnections for slot in slots),
        )

    def close(self) -> None:
        """Unmap."""
        self._map.close()
