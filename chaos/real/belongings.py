"""What a run makes and must remove again: processes, folders, namespaces, mounts, cgroups.

Everything is registered before it is made and removed in reverse order. What a run left behind that
was itself killed is found by its name: each carries a mark and the process id of its owner.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

MARK: Final = "qbchaos"
OWNER_VARIABLE: Final = "QUORUMBOOK_CHAOS_OWNER"
"""In the environment of every process that a run starts: the process id of the run."""
_LOCK_NAME: Final = "owner.lock"

Undo = Callable[[], None]


class Belongings:
    """What is to be removed, newest first. Each `undo` must bear that its thing was never made."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._undo: dict[int, tuple[str, Undo]] = {}
        self._next = 0

    def add(self, what: str, undo: Undo) -> int:
        """Register a thing that is about to be made; return its ticket."""
        self._next += 1
        self._undo[self._next] = (what, undo)
        return self._next

    def remove(self, ticket: int) -> None:
        """Remove one thing now, if it is still there."""
        found = self._undo.pop(ticket, None)
        if found is not None:
            found[1]()

    def remove_all(self, down_to: int = 0) -> list[str]:
        """Remove everything registered behind ticket `down_to`.

        Return what could not be removed, and why.
        """
        failed = []
        for ticket in sorted(self._undo, reverse=True):
            if ticket <= down_to:
                break
            what, undo = self._undo.pop(ticket)
            try:
                undo()
            except Exception as error:  # noqa: BLE001 - the rest must be removed all the same
                failed.append(f"{what}: {error!r}")
        return failed

    @property
    def newest(self) -> int:
        """The ticket of the newest thing; 0 without any."""
        return self._next

    @property
    def names(self) -> list[str]:
        """What is there, oldest first."""
        return [what for what, _ in self._undo.values()]


class Home:
    """The temporary folder of one run, whose lock says that the run lives."""

    def __init__(self, belongings: Belongings) -> None:
        """Make the folder."""
        self.owner: Final = os.getpid()
        self.path: Final = Path(tempfile.mkdtemp(prefix=f"{MARK}-{self.owner}-"))
        belongings.add(f"folder {self.path}", self._remove)
        self._lock = os.open(self.path / _LOCK_NAME, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _remove(self) -> None:
        shutil.rmtree(self.path)
        os.close(self._lock)


def dead_homes() -> list[tuple[int, Path]]:
    """Return (owner, folder) of every run whose process has ended without removing its folder."""
    found = []
    for path in sorted(Path(tempfile.gettempdir()).glob(f"{MARK}-*-*")):
        owner = path.name.split("-")[1]
        if owner.isdigit() and path.is_dir() and not _is_held(path / _LOCK_NAME, int(owner)):
            found.append((int(owner), path))
    return found


def _is_held(lock: Path, owner: int) -> bool:
    """Return whether a living run holds `lock`; a folder without one may be being made just now."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return Path(f"/proc/{owner}").exists()
    except PermissionError:
        return True  # Somebody else's.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def processes_of(owner: int) -> list[int]:
    """Return the process ids that carry the mark of the run with process id `owner`."""
    wanted = f"{OWNER_VARIABLE}={owner}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # It has ended, or is somebody else's.
        if wanted in environment.split(b"\0"):
            found.append(int(entry.name))
    return found
