"""The process behind one disk that forgets: `ForgetfulDisk` starts it, nobody else.

It mounts the disk, serves the kernel's requests and obeys its owner, who holds the other end of the
socket on standard input: a JSON line an order, a JSON line an answer. When that end closes, however
the owner died, the disk is taken down.
"""

import ctypes
import errno
import heapq
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final

import msgspec

from chaos.disks import kernel_wire as wire
from chaos.disks.disk_faults import DiskCounters, DiskFaults
from chaos.disks.forgetful_files import ForgetfulFiles, PowerLoss
from chaos.disks.kernel_requests import KernelRequests

DEVICE: Final = Path("/dev/fuse")
FILE_SYSTEM: Final = "fuse.forgetful"
_NO_SETUID: Final = 2
_NO_DEVICES: Final = 4
_DETACH: Final = 2
_REQUESTS_IN_A_ROW: Final = 64
_GONE: Final = (errno.ENODEV, errno.ENOTCONN)
_libc: Final = ctypes.CDLL(None, use_errno=True)


class Order(msgspec.Struct):
    """What the owner wants: one of `power_off`, `power_on`, `break`, `count`, `stop`."""

    what: str
    faults: DiskFaults = DiskFaults()


class Reply(msgspec.Struct):
    """What became of an order."""

    loss: PowerLoss = msgspec.field(default_factory=PowerLoss)
    counters: DiskCounters = msgspec.field(default_factory=DiskCounters)


class ForgetfulServer:
    """Serves one mount point until its owner is gone."""

    def __init__(
        self, target: Path, name: str, files: ForgetfulFiles, owner: socket.socket
    ) -> None:
        """Mount `files` at `target` under the `name` that mount tables show."""
        self._target = target
        self._name = name
        self._files = files
        self._capacity_bytes = files.capacity_bytes
        self._owner = owner
        self._said = b""
        self._counters = DiskCounters()
        self._requests = KernelRequests(files, self._counters)
        self._buffer = memoryview(bytearray(wire.REQUEST_BYTES_MAX))
        self._waiting: list[tuple[float, int, wire.Request]] = []
        self._device = -1

    def run(self) -> None:
        """Serve until told to stop, or until the owner's end is closed."""
        self._mount()
        self._answer(Reply())
        try:
            while self._serve_once():
                pass
        finally:
            self._unmount()

    def _serve_once(self) -> bool:
        poll = select.poll()
        poll.register(self._owner, select.POLLIN)
        if self._device >= 0:
            poll.register(self._device, select.POLLIN)
        pause_ms = None
        if self._waiting:
            pause_ms = max(0.0, (self._waiting[0][0] - time.monotonic()) * 1_000)
        for descriptor, _ in poll.poll(pause_ms):
            if descriptor == self._owner.fileno():
                if not self._obey():
                    return False
            else:
                self._take_requests()
        self._serve_waiting()
        return True

    # The kernel.

    def _mount(self) -> None:
        self._device = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        options = (
            f"fd={self._device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},"
            "default_permissions,allow_other"
        )
        flags = _NO_SETUID | _NO_DEVICES
        if _libc.mount(
            self._name.encode(),
            bytes(self._target),
            FILE_SYSTEM.encode(),
            flags,
            options.encode(),
        ):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(self._target))

    def _unmount(self) -> None:
        """Take the disk away at once, whoever uses it."""
        for _, _, request in self._waiting:
            self._reply(wire.answer(request.unique, errno.EIO))
        self._waiting = []
        if self._device >= 0:
            os.close(self._device)  # First: an unmount would wait for us to write back pages.
            self._device = -1
        _libc.umount2(bytes(self._target), _DETACH)

    def _take_requests(self) -> None:
        for _ in range(_REQUESTS_IN_A_ROW):
            try:
                size = os.readv(self._device, [self._buffer])
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENOENT:
                    continue  # Its caller was interrupted before we came to it.
                if error.errno in _GONE:
                    os.close(self._device)
                    self._device = -1
                    return
                raise
            request = wire.parse(self._buffer[:size])
            delay_ms = self._requests.delay_ms(request) if self._requests.powered else 0.0
            if delay_ms:
                kept = request._replace(body=memoryview(bytes(request.body)))
                due = time.monotonic() + delay_ms / 1_000
                heapq.heappush(self._waiting, (due, request.unique, kept))
            else:
                self._reply(self._requests.serve(request))

    def _serve_waiting(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, request = heapq.heappop(self._waiting)
            self._reply(self._requests.serve(request))

    def _reply(self, reply: bytes) -> None:
        if not reply or self._device < 0:
            return
        try:
            os.write(self._device, reply)
        except OSError as error:
            if error.errno != errno.ENOENT and error.errno not in _GONE:
                raise

    # The owner.

    def _obey(self) -> bool:
        said = self._owner.recv(65_536)
        self._said += said
        *lines, self._said = self._said.split(b"\n")
        for line in lines:
            order = msgspec.json.decode(line, type=Order)
            reply = self._carry_out(order)
            if order.what == "stop":
                return False
            self._answer(reply)
        return bool(said)

    def _carry_out(self, order: Order) -> Reply:
        if order.what == "power_off":
            self._requests.powered = False
            for _, _, request in self._waiting:
                self._reply(self._requests.serve(request))
            self._waiting = []
        elif order.what == "power_on":
            return Reply(self._restore(), self._counters)
        elif order.what == "break":
            self._requests.faults = order.faults
            free = order.faults.free_bytes
            self._files.capacity_bytes = (
                self._capacity_bytes if free < 0 else self._files.used_bytes + free
            )
        return Reply(counters=self._counters)

    def _restore(self) -> PowerLoss:
        """Mount what survived: the kernel must not remember anything of before."""
        self._unmount()
        loss = self._files.lose_power()
        self._counters.power_losses += 1
        self._requests.powered = True
        self._mount()
        return loss

    def _answer(self, reply: Reply) -> None:
        self._owner.sendall(msgspec.json.encode(reply) + b"\n")


def main(arguments: list[str]) -> None:
    """Serve the mount point, name, seed and capacity in bytes that `arguments` give."""
    target, name, seed, capacity_bytes = arguments
    for kind in (signal.SIGINT, signal.SIGHUP):
        signal.signal(kind, signal.SIG_IGN)  # The owner decides; it closes our socket when it ends.
    signal.signal(signal.SIGTERM, _end)
    owner = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    files = ForgetfulFiles(Random(int(seed)), int(capacity_bytes))
    ForgetfulServer(Path(target), name, files, owner).run()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
