"""A real ext4 in an image file, whose power can be cut.

    with Ext4Disk(folder / "disk", folder / "image", seed=7) as disk:
        ...
        disk.lose_power()      # ext4 shuts down: what is not on the device never will be
        ...                    # kill the processes that used it
        disk.restore_power()   # mounted again, its journal replayed

It is the kernel's own file system on a loop device: root, losetup, mkfs.ext4 and a kernel with ext4
are needed. Before the power goes the seed may have the kernel write back some of what was not
synced, and may have ext4 write its journal: so files end in the middle of a write, or have names
without bytes.
"""

import ctypes
import errno
import fcntl
import os
import shutil
import struct
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

from chaos.disks.forgetful_disk import DiskUnavailableError

IMAGE_BYTES: Final = 2 << 30
_TOOLS: Final = ("losetup", "mkfs.ext4", "mount", "umount")
_SHUTDOWN: Final = 0x8004587D
_FLUSH_JOURNAL: Final = 1
_FLUSH_NOTHING: Final = 2
_PAGE_BYTES: Final = 4_096
_WRITE_BACK: Final = 7
"""Wait for what is being written, write, wait again."""
_FREE_SECONDS: Final = 10.0
_libc: Final = ctypes.CDLL(None, use_errno=True)


def missing_for_ext4_disk() -> str:
    """Return what this machine lacks for such a disk, "" when nothing."""
    if os.geteuid() != 0:
        return "mounting needs root"
    tools = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if tools:
        return f"these programs are not installed: {', '.join(tools)}"
    if not Path("/dev/loop-control").exists():
        return "there is no /dev/loop-control"
    if "\text4\n" not in Path("/proc/filesystems").read_text():
        return "this kernel has no ext4"
    return ""


class Ext4Disk:
    """A mounted ext4 with a power switch. For one thread at a time."""

    def __init__(
        self, path: Path, image: Path, *, seed: int = 0, image_bytes: int = IMAGE_BYTES
    ) -> None:
        """Make the file system in `image` (sparse) and mount it at `path` on entering."""
        self.path: Final = path
        self._image = image
        self._random = Random(seed)
        self._image_bytes = image_bytes
        self._device = ""

    def __enter__(self) -> Self:
        """Mount it. Raises DiskUnavailableError."""
        missing = missing_for_ext4_disk()
        if missing:
            raise DiskUnavailableError(missing)
        self.path.mkdir(parents=True, exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(self._image_bytes)
        try:
            _run("mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=8", str(self._image))
            self._device = _run("losetup", "--find", "--show", str(self._image)).strip()
            self._mount()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take it down."""
        self.close()

    def close(self) -> None:
        """Take the disk down, whoever uses it, and delete the image."""
        if self._device:
            with suppress(OSError):
                self._shut_down(_FLUSH_NOTHING)  # Nothing of it is wanted: unmounting is quick.
            subprocess.run(["umount", "--lazy", str(self.path)], check=False, capture_output=True)
            _run("losetup", "--detach", self._device)
            self._device = ""
        self._image.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

    def lose_power(self) -> None:
        """Stop all writing to the device at once; files fail with EIO from now on.

        Kill the processes that use the disk next, then `restore_power`.
        """
        if self._random.random() < 0.5:
            self._write_some_back()
        self._shut_down(self._random.choice((_FLUSH_JOURNAL, _FLUSH_NOTHING)))

    def restore_power(self) -> None:
        """Mount what the device holds. OSError when somebody still uses the old mount."""
        deadline = time.monotonic() + _FREE_SECONDS
        while _libc.umount2(bytes(self.path), 0):
            number = ctypes.get_errno()
            if number != errno.EBUSY or time.monotonic() > deadline:
                raise OSError(number, os.strerror(number), str(self.path))
            time.sleep(0.01)
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-t", "ext4", "-o", "noatime", self._device, str(self.path))

    def _shut_down(self, how: int) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", how))
        finally:
            os.close(descriptor)

    def _write_some_back(self) -> None:
        """Write some pages of some files to the device, as the kernel does when it likes."""
        for path in sorted(self.path.rglob("*")):
            with suppress(FileNotFoundError):  # Its owner is still at work.
                if path.is_file() and self._random.random() < 0.5:
                    self._write_back(path)

    def _write_back(self, path: Path) -> None:
        """Write some of the last pages of a file."""
        pages = -(-path.stat().st_size // _PAGE_BYTES)
        first = self._random.randrange(max(0, pages - 8), pages + 1)
        count = self._random.randint(1, 8)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            _libc.sync_file_range(
                descriptor,
                ctypes.c_int64(first * _PAGE_BYTES),
                ctypes.c_int64(count * _PAGE_BYTES),
                _WRITE_BACK,
            )
        finally:
            os.close(descriptor)


def _run(*command: str) -> str:
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise DiskUnavailableError(f"{' '.join(command)}: {ran.stderr.strip()}")
    return ran.stdout
