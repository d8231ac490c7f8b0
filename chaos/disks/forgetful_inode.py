"""One file of a disk that forgets: its bytes now, and what of them a power loss may take back.

The bytes are kept once. Beside them lies what each 512-byte sector held at the last sync, for those
that changed since, so that a sync costs what changed and a power loss can choose for every sector.
"""

import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

SECTOR_BYTES: Final = 512
"""What a disk writes whole or not at all."""


@dataclass(slots=True)
class Inode:
    """A file, folder or symbolic link. Mode, owner and times are durable at once."""

    number: int
    mode: int
    uid: int = 0
    gid: int = 0
    links: int = 0
    """Names that it has now."""
    lookups: int = 0
    """References that the kernel holds."""
    modified_ns: int = field(default_factory=time.time_ns)
    data: bytearray = field(default_factory=bytearray, repr=False)
    synced_bytes: int = 0
    """The size at the last sync."""
    shortest_bytes: int = 0
    """The least size since then: below `synced_bytes` when it was truncated."""
    before: dict[int, bytes] = field(default_factory=dict, repr=False)
    """What sectors that changed since the last sync held then; shorter at its end."""
    doomed: set[int] = field(default_factory=set, repr=False)
    """Sectors that a failed sync has dropped: until they are written again no sync writes them."""
    names: dict[str, int] = field(default_factory=dict)
    """A folder's names now."""
    synced_names: dict[str, int] = field(default_factory=dict)
    """A folder's names as of its last sync."""
    parent: int = 0
    name: str = ""
    """Its newest name, for patterns of names and for reports."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def dirty(self) -> bool:
        """Whether a power loss could change its bytes."""
        return bool(self.before) or self.synced_bytes != len(self.data)

    def write(self, offset: int, content: bytes | memoryview) -> None:
        """Put `content` at `offset`; a gap before it becomes zeros."""
        end = offset + len(content)
        self._keep(offset, end)
        if offset > len(self.data):
            self.data.extend(bytes(offset - len(self.data)))
        self.data[offset:end] = content
        if self.doomed:
            self.doomed.difference_update(_sectors(offset, end))
        self.modified_ns = time.time_ns()

    def resize(self, size: int) -> None:
        """Cut it to `size` bytes, or lengthen it with zeros."""
        if size < len(self.data):
            self._keep(size, len(self.data))
            del self.data[size:]
            self.shortest_bytes = min(self.shortest_bytes, size)
        else:
            self.data.extend(bytes(size - len(self.data)))
        self.modified_ns = time.time_ns()

    def sync(self) -> None:
        """Make its bytes durable, but for those that a failed sync has dropped."""
        none = bytes(SECTOR_BYTES)
        self.before = {sector: self.before.get(sector, none) for sector in self.doomed}
        self.synced_bytes = self.shortest_bytes = len(self.data)

    def fail_sync(self) -> None:
        """Drop what is not durable from what later syncs will write; readers still see it.

        So does Linux after an error: pages count as clean, and a second fsync says all is well.
        """
        self.doomed.update(self._changed_sectors(self.synced_bytes))

    def lose(self, survives: Callable[[], bool]) -> int:
        """Decide sector by sector what the power loss left; return how many sectors it took."""
        size = self.synced_bytes
        if self.shortest_bytes < size:
            if not survives():  # The truncation, and with it all that came after.
                return self._revert()
            size = self.shortest_bytes
        lost = 0
        kept_bytes, all_bytes = size, len(self.data)
        for sector in self._changed_sectors(size):
            start = sector * SECTOR_BYTES
            if start >= all_bytes:
                continue  # Cut off, and the cut survives.
            if sector not in self.doomed and survives():
                size = max(size, min(start + SECTOR_BYTES, all_bytes))
                continue
            lost += 1
            held = self.before.get(sector, b"")[: max(0, kept_bytes - start)]
            self.data[start : start + SECTOR_BYTES] = held.ljust(SECTOR_BYTES, b"\0")
        self._settle(size)
        return lost

    def _revert(self) -> int:
        lost = len(self.before)
        self.data.extend(bytes(max(0, self.synced_bytes - len(self.data))))
        for sector, held in self.before.items():
            start = sector * SECTOR_BYTES
            self.data[start : start + len(held)] = held
        self._settle(self.synced_bytes)
        return lost

    def _settle(self, size: int) -> None:
        del self.data[size:]
        self.data.extend(bytes(size - len(self.data)))
        self.synced_bytes = self.shortest_bytes = size
        self.before = {}
        self.doomed = set()

    def _keep(self, begin: int, end: int) -> None:
        """Remember what the sectors from `begin` to `end` held at the last sync."""
        for sector in _sectors(begin, min(end, self.synced_bytes)):
            if sector not in self.before:
                start = sector * SECTOR_BYTES
                held = self.data[start : min(start + SECTOR_BYTES, self.synced_bytes)]
                self.before[sector] = bytes(held)

    def _changed_sectors(self, size: int) -> list[int]:
        """Return the sectors that differ from a synced file of `size` bytes, in order."""
        grown = range(-(-size // SECTOR_BYTES), -(-len(self.data) // SECTOR_BYTES))
        return sorted({*self.before, *grown})


def _sectors(begin: int, end: int) -> Iterator[int]:
    """Yield the sectors that the bytes from `begin` up to `end` touch, the last one included."""
    yield from range(begin // SECTOR_BYTES, -(-end // SECTOR_BYTES))
