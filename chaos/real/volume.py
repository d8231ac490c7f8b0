"""A node's disk: an ext4 file system in an image file, which can be filled and can lose power.

Needs root.
"""

import fcntl
import os
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from chaos.real.belongings import Belongings
from chaos.real.tool import ToolFailedError, run_tool

SIZE_BYTES: Final = 3 << 30
"""Of the file system; the image file is sparse and takes what is written."""
_SHUTDOWN: Final = 0x8004587D
"""The ioctl that stops an ext4 file system at once, as a power loss does."""
_WITHOUT_FLUSH: Final = 2
"""Not even its own log is written out: only what was synced is there afterwards."""
_UNMOUNT_TRIES: Final = 100
_UNMOUNT_PAUSE_SECONDS: Final = 0.05
_BALLAST_NAME: Final = "ballast"


class Volume:
    """One image file and where it is mounted."""

    def __init__(self, image: Path, mount: Path, belongings: Belongings) -> None:
        """Make the file system and mount it at `mount`. Raises ToolFailedError."""
        self._image = image
        self.mount: Final = mount
        mount.mkdir()
        belongings.add(f"mount {mount}", lambda: unmount(mount))
        with image.open("wb") as file:
            file.truncate(SIZE_BYTES)
        run_tool("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", str(image))
        self._attach()

    def _attach(self) -> None:
        run_tool("mount", "-o", "loop,noatime", str(self._image), str(self.mount))

    def lose_power(self) -> None:
        """Stop the file system: nothing that was not synced will be there again.

        Whoever uses it gets errors from now on. Raises OSError.
        """
        descriptor = os.open(self.mount, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSH))
        finally:
            os.close(descriptor)

    def power_up(self) -> None:
        """Mount again what survived a loss of power. Nobody may use the volume meanwhile."""
        unmount(self.mount)
        self._attach()

    def sync(self) -> None:
        """Make everything written so far durable."""
        run_tool("sync", "-f", str(self.mount))

    def fill(self, leave_bytes: int) -> None:
        """Take all room but `leave_bytes`."""
        found = os.statvfs(self.mount)
        free = found.f_bavail * found.f_frsize
        with (self.mount / _BALLAST_NAME).open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free - leave_bytes, 1))

    def free(self) -> None:
        """Give the room back."""
        (self.mount / _BALLAST_NAME).unlink(missing_ok=True)


def unmount(mount: Path) -> None:
    """Unmount what is mounted at `mount`, if anything: whoever used it may need a moment to end."""
    for attempt in range(_UNMOUNT_TRIES):
        if not os.path.ismount(mount):
            return
        try:
            run_tool("umount", str(mount))
        except ToolFailedError:
            if attempt == _UNMOUNT_TRIES - 1:
                with suppress(ToolFailedError):
                    run_tool("umount", "-l", str(mount))
                raise
            time.sleep(_UNMOUNT_PAUSE_SECONDS)


def mounts_below(folder: Path) -> list[Path]:
    """Return what is mounted below `folder`, deepest first."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    found = [Path(line.split()[1]) for line in lines]
    return sorted((path for path in found if folder in path.parents), reverse=True)
