"""The files of a disk that forgets, without a kernel: a model of what a power loss may leave.

What it promises, as POSIX does and ext4 at least does:

- Bytes are durable after fsync or fdatasync of their file, its size with them.
- Names (made, removed, renamed) are durable after fsync of their folder; fsync of a file does not
  make its name durable. A rename is durable as a whole, in both folders, or not at all.
- What was not synced survives by chance: bytes by 512-byte sectors in any order, a file that grew
  with zeros where a sector is missing, names as a prefix of what was done to them.
- After a failed sync the bytes that it should have written are never written unless they are
  written anew, though readers see them and later syncs succeed.
"""

import errno
import stat
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from chaos.disks.forgetful_inode import Inode

ROOT: Final = 1
BLOCK_BYTES: Final = 4096
_NOTHING_SURVIVES_SHARE: Final = 0.5
"""How often a power loss takes every unsynced byte; else each file has a chance of its own."""


class DiskError(OSError):
    """What the caller of a file operation gets, by its number."""

    def __init__(self, number: int) -> None:
        """Raise the error `number` of `errno`."""
        super().__init__(number, errno.errorcode[number])
        self.number: Final = number


class NameChange(NamedTuple):
    """A folder gets a name for an inode, or loses the name (inode 0)."""

    folder: int
    name: str
    inode: int


@dataclass(slots=True)
class PowerLoss:
    """What one power loss took, and what of the unsynced it left."""

    sectors_lost: int = 0
    files_torn: int = 0
    """Files of which unsynced bytes were lost."""
    names_lost: int = 0
    """Changes of names that did not survive."""
    names_kept: int = 0


class ForgetfulFiles:
    """Inodes and names, as they are and as they were synced. Not safe for several threads."""

    def __init__(self, random: Random, capacity_bytes: int) -> None:
        """Start with an empty root folder; `random` decides what power losses leave."""
        self._random = random
        self.capacity_bytes = capacity_bytes
        self._inodes: dict[int, Inode] = {ROOT: Inode(ROOT, stat.S_IFDIR | 0o755, links=2)}
        self._next_number = ROOT + 1
        self._unsynced: list[tuple[NameChange, ...]] = []
        self._blocks = 0

    # Looking.

    @property
    def used_bytes(self) -> int:
        """Return what files take, in whole blocks, those with no name left included."""
        return self._blocks * BLOCK_BYTES

    def get(self, number: int) -> Inode:
        """Return an inode; ESTALE when there is none."""
        inode = self._inodes.get(number)
        if inode is None:
            raise DiskError(errno.ESTALE)
        return inode

    def look_up(self, folder: int, name: str) -> Inode:
        """Return what `name` means in `folder`; ENOENT when nothing."""
        inode = self._folder(folder).names.get(name)
        if inode is None:
            raise DiskError(errno.ENOENT)
        return self._inodes[inode]

    def path(self, inode: Inode) -> str:
        """Return where the inode is, or was last, from the root."""
        parts = []
        while inode.number != ROOT:
            parts.append(inode.name)
            inode = self._inodes[inode.parent]
        return "/".join(reversed(parts))

    def _folder(self, number: int) -> Inode:
        inode = self.get(number)
        if not inode.is_folder:
            raise DiskError(errno.ENOTDIR)
        return inode

    # Bytes.

    def write(self, number: int, offset: int, content: bytes | memoryview) -> int:
        """Write as many bytes as there is room for and return how many; ENOSPC for none."""
        inode = self.get(number)
        room = self._room_for(inode)
        fitting = min(len(content), max(0, room - offset))
        if content and not fitting:
            raise DiskError(errno.ENOSPC)
        before = _blocks(inode)
        inode.write(offset, content[:fitting])
        self._blocks += _blocks(inode) - before
        return fitting

    def resize(self, number: int, size: int) -> None:
        """Cut or lengthen a file; ENOSPC when there is no room."""
        inode = self.get(number)
        if inode.is_folder:
            raise DiskError(errno.EISDIR)
        if size > max(len(inode.data), self._room_for(inode)):
            raise DiskError(errno.ENOSPC)
        before = _blocks(inode)
        inode.resize(size)
        self._blocks += _blocks(inode) - before

    def _room_for(self, inode: Inode) -> int:
        """Return the size that the file may have: what it holds can always be written again."""
        free = max(0, self.capacity_bytes // BLOCK_BYTES - self._blocks)
        return (_blocks(inode) + free) * BLOCK_BYTES

    # Names.

    def make(self, folder: int, name: str, mode: int, uid: int, gid: int) -> Inode:
        """Make an empty file, folder or link. EEXIST when the name is taken, ENOSPC when full."""
        parent = self._folder(folder)
        if name in parent.names:
            raise DiskError(errno.EEXIST)
        if self._blocks * BLOCK_BYTES >= self.capacity_bytes:
            raise DiskError(errno.ENOSPC)
        inode = Inode(self._next_number, mode, uid, gid, parent=folder, name=name)
        self._next_number += 1
        self._inodes[inode.number] = inode
        if inode.is_folder:
            inode.links = 1
            parent.links += 1
        self._apply((NameChange(folder, name, inode.number),))
        return inode

    def link(self, number: int, folder: int, name: str) -> Inode:
        """Give a file one more name."""
        inode = self.get(number)
        if inode.is_folder:
            raise DiskError(errno.EPERM)
        if name in self._folder(folder).names:
            raise DiskError(errno.EEXIST)
        self._apply((NameChange(folder, name, number),))
        return inode

    def unlink(self, folder: int, name: str) -> None:
        """Remove the name of a file; its bytes stay while it is open or the name may come back."""
        if self.look_up(folder, name).is_folder:
            raise DiskError(errno.EISDIR)
        self._apply((NameChange(folder, name, 0),))

    def remove_folder(self, folder: int, name: str) -> None:
        """Remove an empty folder."""
        inode = self.look_up(folder, name)
        if not inode.is_folder:
            raise DiskError(errno.ENOTDIR)
        if inode.names:
            raise DiskError(errno.ENOTEMPTY)
        inode.links -= 1
        self._folder(folder).links -= 1
        self._apply((NameChange(folder, name, 0),))

    def rename(self, folder: int, name: str, to_folder: int, to_name: str) -> None:
        """Give a file or folder another name, in place of what had it."""
        inode = self.look_up(folder, name)
        taken = self._folder(to_folder).names.get(to_name)
        if taken == inode.number:
            return
        if taken is not None:
            self._check_replaceable(inode, self._inodes[taken])
        if inode.is_folder:
            self._folder(folder).links -= 1
            self._folder(to_folder).links += 1
        changes = (NameChange(to_folder, to_name, inode.number), NameChange(folder, name, 0))
        self._apply(changes)
        inode.parent, inode.name = to_folder, to_name

    def _check_replaceable(self, inode: Inode, taken: Inode) -> None:
        if taken.is_folder and not inode.is_folder:
            raise DiskError(errno.EISDIR)
        if inode.is_folder and not taken.is_folder:
            raise DiskError(errno.ENOTDIR)
        if taken.names:
            raise DiskError(errno.ENOTEMPTY)

    def _apply(self, changes: tuple[NameChange, ...]) -> None:
        for folder, name, number in changes:
            names = self._inodes[folder].names
            gone = names.pop(name, 0)
            if gone:
                self._inodes[gone].links -= 1
            if number:
                names[name] = number
                self._inodes[number].links += 1
        self._unsynced.append(changes)

    # Durability.

    def sync_names(self, folder: int) -> None:
        """Make the names in a folder durable, and what must be durable before them."""
        needed = {folder}
        later: list[tuple[NameChange, ...]] = []
        now: list[tuple[NameChange, ...]] = []
        for changes in reversed(self._unsynced):
            touched = {change.folder for change in changes}
            if touched & needed:
                needed |= touched  # A rename is durable in both folders at once.
                now.append(changes)
            else:
                later.append(changes)
        self._unsynced = later[::-1]
        self._make_durable(now[::-1])

    def _make_durable(self, log: list[tuple[NameChange, ...]]) -> None:
        removed = set()
        for changes in log:
            for folder, name, number in changes:
                names = self._inodes[folder].synced_names
                removed.add(names.pop(name, 0))
                if number:
                    names[name] = number
        self._sweep(removed)

    def forget(self, number: int, lookups: int) -> None:
        """Note that the kernel holds so many references less."""
        inode = self._inodes.get(number)
        if inode is not None and number != ROOT:
            inode.lookups -= lookups
            self._sweep({number})

    def _sweep(self, numbers: set[int]) -> None:
        """Let go of inodes that nobody can reach, now or after a power loss."""
        for number in numbers:
            inode = self._inodes.get(number)
            if inode is None or inode.lookups > 0 or self._is_named(inode):
                continue
            self._blocks -= _blocks(inode)
            del self._inodes[number]

    def _is_named(self, inode: Inode) -> bool:
        if inode.number == ROOT or inode.links > 0:
            return True
        number = inode.number
        if any(change.inode == number for changes in self._unsynced for change in changes):
            return True
        return any(number in folder.synced_names.values() for folder in self._inodes.values())

    def lose_power(self) -> PowerLoss:
        """Forget what was not synced, but for what survives by chance, and all references."""
        loss = PowerLoss()
        random = self._random
        kept = random.choice((0, random.randint(0, len(self._unsynced))))
        nothing_survives = random.random() < _NOTHING_SURVIVES_SHARE
        loss.names_kept, loss.names_lost = kept, len(self._unsynced) - kept
        for inode in self._inodes.values():
            inode.lookups = 0
            if inode.dirty:
                lost = inode.lose(self._never if nothing_survives else self._chance())
                loss.sectors_lost += lost
                loss.files_torn += lost > 0
        survived, self._unsynced = self._unsynced[:kept], []
        self._make_durable(survived)
        self._start_from_synced()
        return loss

    @staticmethod
    def _never() -> bool:
        return False

    def _chance(self) -> Callable[[], bool]:
        """Return what decides for one file: nothing, everything or some of it survives."""
        random = self._random
        share = random.choice((0.0, random.random(), random.random(), 1.0))
        return lambda: random.random() < share

    def _start_from_synced(self) -> None:
        """Let every folder be as it was synced; what has no name then is gone."""
        found: dict[int, Inode] = {}
        for inode in self._inodes.values():
            inode.links = 2 if inode.is_folder else 0
        waiting = [self._inodes[ROOT]]
        while waiting:
            folder = waiting.pop()
            found[folder.number] = folder
            folder.names = dict(folder.synced_names)
            for name, number in folder.names.items():
                inode = self._inodes[number]
                inode.parent, inode.name = folder.number, name
                if inode.is_folder:
                    folder.links += 1
                    waiting.append(inode)
                else:
                    inode.links += 1
                    found[number] = inode
        self._inodes = found
        self._blocks = sum(_blocks(inode) for inode in found.values())


def _blocks(inode: Inode) -> int:
    return -(-len(inode.data) // BLOCK_BYTES)
