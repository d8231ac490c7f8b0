"""The folder of one run: whatever is mounted, attached or started below it goes with it.

A run that was killed leaves its folder behind; the next one takes it down. The name of a folder has
the process that owns it and when that started, so that a number that was given anew is no owner.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "quorumbook-chaos"
_OWNED: Final = re.compile(rf"{_PREFIX}-(\d+)-(\d+)-")
_DETACH: Final = 2
_START_TIME_FIELD: Final = 19
"""Of /proc/PID/stat, counted behind the name in brackets: in clock ticks since the boot."""
_POLL_SECONDS: Final = 0.02
_SECONDS_MAX: Final = 5.0
_libc: Final = ctypes.CDLL(None, use_errno=True)


def owner_name() -> str:
    """Return a name for what this process owns, by which later runs know whether it lives."""
    return f"{_PREFIX}-{os.getpid()}-{_start_time(os.getpid())}-"


@contextmanager
def workplace() -> Iterator[Path]:
    """Make a folder for this run, and take it down with everything on it, whatever happens.

    First takes down what killed runs left.
    """
    remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=owner_name()))
    try:
        yield folder
    finally:
        take_down(folder)


def owned_folders(process: int) -> list[Path]:
    """Return the folders of the runs of a process."""
    return sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}-{process}-*"))


def remove_leftovers() -> list[Path]:
    """Take down the folders of runs that are no more; return them."""
    leftovers = []
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}-*"):
        owned = _OWNED.match(folder.name)
        if owned and _start_time(int(owned[1])) != int(owned[2]):
            take_down(folder)
            leftovers.append(folder)
    return leftovers


def take_down(folder: Path) -> None:
    """End the processes that use `folder`, unmount and detach all below it, and delete it."""
    deadline = time.monotonic() + _SECONDS_MAX
    while (users := _users(folder)) and time.monotonic() < deadline:
        for process in users:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    for mount in reversed(mounts_below(folder)):
        _libc.umount2(bytes(mount), _DETACH)
    for device in _loops_below(folder):
        subprocess.run(["losetup", "--detach", str(device)], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def mounts_below(folder: Path) -> list[Path]:
    """Return the mount points below `folder`, in the order in which they were mounted."""
    points = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = Path(line.split()[4].replace("\\040", " "))
        if point.is_relative_to(folder):
            points.append(point)
    return points


def _loops_below(folder: Path) -> list[Path]:
    devices = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):
            if Path(backing.read_text().strip()).is_relative_to(folder):
                devices.append(Path("/dev") / backing.parts[3])
    return devices


def _users(folder: Path) -> list[int]:
    """Return the processes, this one aside, that were started for `folder` or hold files in it."""
    return [
        int(process.name)
        for process in Path("/proc").iterdir()
        if process.name.isdigit() and int(process.name) != os.getpid() and _uses(process, folder)
    ]


def _uses(process: Path, folder: Path) -> bool:
    with suppress(OSError):
        if f"{folder}/".encode() in (process / "cmdline").read_bytes():
            return True
        links = [process / "cwd", *(process / "fd").iterdir()]
        return any(str(link.readlink()).startswith(f"{folder}/") for link in links)
    return False


def _start_time(process: int) -> int:
    """Return when a process started, 0 when there is none."""
    try:
        content = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0
    return int(content.rpartition(")")[2].split()[_START_TIME_FIELD])
