"""A real, mounted disk that forgets: what was not synced is gone when the power goes.

    with ForgetfulDisk(Path("/tmp/somewhere/disk"), seed=7) as disk:
        ...                       # run processes on files below disk.path
        disk.slow_down(20)        # a sync takes 20 ms
        disk.fail_fsyncs(errno.EIO, "node-2/*")
        disk.heal()               # no more faults; what was lost stays lost
        disk.lose_power()         # at once: everything fails with EIO, nothing more is stored
        ...                       # kill the processes that used it, as a power loss does
        loss = disk.restore_power()

The bytes are in the memory of a process of its own, which serves them through the kernel (FUSE): no
library, but root and /dev/fuse. Page cache, mmap, locks, O_DSYNC and msync are the kernel's own.
What survives of the unsynced is chosen by the seed: see `forgetful_files`, which is the model.

The disk goes away with the context, with its process, and with this process, however it dies. Its
files are gone then: copy what you want to keep. Files should be closed before `restore_power`:
descriptors of before fail with ENOTCONN for ever.
"""

import errno
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from chaos.disks.disk_faults import DiskCounters, DiskFaults
from chaos.disks.forgetful_files import PowerLoss
from chaos.disks.forgetful_server import DEVICE, Order, Reply
from chaos.disks.workplace import owner_name

CAPACITY_BYTES: Final = 4 << 30
_SECONDS_MAX: Final = 30.0
_SOURCES: Final = Path(__file__).resolve().parents[2]


class DiskUnavailableError(Exception):
    """This machine cannot give such a disk; the message says what is missing."""


def missing_for_forgetful_disk() -> str:
    """Return what this machine lacks for such a disk, "" when nothing."""
    if os.geteuid() != 0:
        return "mounting needs root"
    try:
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return f"{DEVICE} cannot be opened: {error.strerror}"
    return ""


class ForgetfulDisk:
    """A mounted disk, its faults and its power switch. For one thread at a time."""

    def __init__(self, path: Path, *, seed: int = 0, capacity_bytes: int = CAPACITY_BYTES) -> None:
        """Mount it at `path`, made when it does not exist, when the context is entered."""
        self.path: Final = path
        self._seed = seed
        self._capacity_bytes = capacity_bytes
        self._faults = DiskFaults()
        self._process: subprocess.Popen[bytes] | None = None
        self._server: socket.socket | None = None
        self._said = b""

    def __enter__(self) -> Self:
        """Mount it. Raises DiskUnavailableError."""
        missing = missing_for_forgetful_disk()
        if missing:
            raise DiskUnavailableError(missing)
        self.path.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        ours.settimeout(_SECONDS_MAX)
        arguments = [str(self.path), owner_name(), str(self._seed), str(self._capacity_bytes)]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "chaos.disks.forgetful_server", *arguments],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                cwd=_SOURCES,
            )
        self._server = ours
        try:
            self._read_reply()
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
        """Take the disk down, whoever uses it; its files are gone."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.wait(_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(OSError):
            self.path.rmdir()

    # Power.

    def lose_power(self) -> None:
        """Fail everything with EIO from now on; what is not durable at this instant never will be.

        Kill the processes that use the disk next, then `restore_power`.
        """
        self._order(Order("power_off"))

    def restore_power(self) -> PowerLoss:
        """Mount what survived, and return what did not. Faults stay in force."""
        loss = self._order(Order("power_on")).loss
        self._set(self._faults)
        return loss

    # Faults. Patterns are of paths from `path`, as in `fnmatch`: "node-2/*", "*.journal".

    def fail_fsyncs(self, error: int = errno.EIO, files: str = "*") -> None:
        """Let fsync and fdatasync fail; what they should have written is dropped, as Linux does."""
        self._change(fsync_errno=error, failing=files)

    def fail_writes(self, error: int = errno.EIO, files: str = "*") -> None:
        """Let writes fail."""
        self._change(write_errno=error, failing=files)

    def ignore_fsyncs(self, files: str = "*") -> None:
        """Let syncs return at once without making anything durable: a disk that lies."""
        self._change(ignored=files)

    def slow_down(self, delay_ms: float, files: str = "*") -> None:
        """Let each sync take `delay_ms`; other requests go on meanwhile."""
        self._change(delay_ms=delay_ms, slow=files)

    def fill(self, free_bytes: int = 0) -> None:
        """Leave room for `free_bytes` and no more: ENOSPC. What is there can be overwritten."""
        self._change(free_bytes=free_bytes)

    def heal(self) -> None:
        """End all faults."""
        self._set(DiskFaults())

    def counters(self) -> DiskCounters:
        """Return what the disk has done so far."""
        return self._order(Order("count")).counters

    def _change(self, **changes: float | str) -> None:
        self._set(msgspec.structs.replace(self._faults, **changes))

    def _set(self, faults: DiskFaults) -> None:
        self._faults = faults
        self._order(Order("break", faults))

    def _order(self, order: Order) -> Reply:
        assert self._server is not None, "the disk is not mounted"
        self._server.sendall(msgspec.json.encode(order) + b"\n")
        return self._read_reply()

    def _read_reply(self) -> Reply:
        assert self._server is not None
        while b"\n" not in self._said:
            said = self._server.recv(65_536)
            if not said:
                raise DiskUnavailableError(f"the process that serves {self.path} has ended")
            self._said += said
        line, _, self._said = self._said.partition(b"\n")
        return msgspec.json.decode(line, type=Reply)
