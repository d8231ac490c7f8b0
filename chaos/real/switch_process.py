"""The network as a process: `python -m chaos.real.switch_process SEED HOST=NAMESPACE...`.

Each host's namespace gets a TAP device `e0`, whose other end is held here; every frame passes
through this loop, which delivers it, or does to it what the link's faults say. Commands come on
standard input, a JSON object a line; the end of standard input ends the process, and the devices
with it.
"""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import sys
from random import Random
from time import monotonic
from typing import Final

import msgspec

from chaos.real.link import HEALTHY, Link, LinkFaults, Tally

DEVICE: Final = "e0"
MTU: Final = 9_000
_READ_BYTES: Final = MTU + 64
_FRAMES_AT_ONCE: Final = 64
_WAIT_SECONDS: Final = 0.5
_TUNSETIFF: Final = 0x400454CA
_IFF_TAP: Final = 0x0002
_IFF_NO_PI: Final = 0x1000
_GROUP_BIT: Final = 1
"""In the first byte of an address: for everybody."""


class LinkOrder(msgspec.Struct, array_like=True):
    """What one direction is to be like from now on."""

    source: int
    target: int
    faults: LinkFaults


class Order(msgspec.Struct):
    """One line of standard input: links to change, and whether to answer with the tally."""

    links: list[LinkOrder] = msgspec.field(default_factory=list)
    report: bool = False


def mac_address(host: int) -> str:
    """Return the Ethernet address of a host: its last byte is the host's number."""
    return f"02:00:00:00:00:{host:02x}"


def enter_namespace(name: str) -> None:
    """Move this thread into a network namespace. Raises OSError."""
    descriptor = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _set_namespace(descriptor)
    finally:
        os.close(descriptor)


def _set_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # `os.setns` comes with Python 3.12.
    if libc.setns(descriptor, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "setns")


def _open_tap(namespace: str) -> int:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter_namespace(namespace)
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        request = struct.pack("16sH22x", DEVICE.encode(), _IFF_TAP | _IFF_NO_PI)
        fcntl.ioctl(tap, _TUNSETIFF, request)
    finally:
        _set_namespace(home)
        os.close(home)
    return tap


class Switch:
    """Delivers frames between hosts until standard input ends."""

    def __init__(self, seed: str, namespaces: dict[int, str]) -> None:
        """Open the devices of all hosts. Raises OSError."""
        self._seed = seed
        self._taps = {host: _open_tap(name) for host, name in namespaces.items()}
        self._hosts = {tap: host for host, tap in self._taps.items()}
        self._links: dict[tuple[int, int], Link] = {}
        """Faulty ones only."""
        self._generators: dict[tuple[int, int], Random] = {}
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._count = 0
        self._tally = Tally()
        self._orders = msgspec.json.Decoder(Order)
        self._line = b""

    def run(self) -> None:
        """Deliver until standard input ends."""
        poll = select.epoll()
        os.set_blocking(0, False)
        poll.register(0, select.EPOLLIN)
        for tap in self._hosts:
            poll.register(tap, select.EPOLLIN)
        while True:
            wait = _WAIT_SECONDS
            if self._waiting:
                wait = min(max(self._waiting[0][0] - monotonic(), 0.0), wait)
            for descriptor, _ in poll.poll(wait):
                if descriptor:
                    self._receive(descriptor)
                elif not self._obey():
                    return
            if self._waiting:
                self._deliver_due()

    def _receive(self, tap: int) -> None:
        """Take the frames that wait at one host's device."""
        source, links, taps, tally = self._hosts[tap], self._links, self._taps, self._tally
        read, write = os.read, os.write
        for _ in range(_FRAMES_AT_ONCE):
            try:
                frame = read(tap, _READ_BYTES)
            except BlockingIOError:
                return
            tally.frames += 1
            tally.size_bytes += len(frame)
            target = frame[5]
            if target not in taps or frame[0] & _GROUP_BIT:
                tally.undelivered += 1  # Addresses are fixed: nobody needs to ask everybody.
                continue
            link = links.get((source, target))
            if link is None:
                try:
                    write(taps[target], frame)
                except OSError:
                    tally.undelivered += 1
                continue
            now = monotonic()
            for due, planned in link.plan(frame, now):
                if due <= now:
                    self._deliver(target, planned)
                else:
                    self._count += 1
                    heapq.heappush(self._waiting, (due, self._count, target, planned))

    def _deliver_due(self) -> None:
        now = monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, target, frame = heapq.heappop(self._waiting)
            self._deliver(target, frame)

    def _deliver(self, target: int, frame: bytes) -> None:
        try:
            os.write(self._taps[target], frame)
        except OSError:
            self._tally.undelivered += 1

    # Orders.

    def _obey(self) -> bool:
        """Read what has come on standard input; return whether it goes on."""
        received = os.read(0, 1 << 16)
        if not received:
            return False
        *lines, self._line = (self._line + received).split(b"\n")
        for line in lines:
            order = self._orders.decode(line)
            for link in order.links:
                self._change(link)
            if order.report:
                os.write(1, msgspec.json.encode(self._tally) + b"\n")
        return True

    def _change(self, order: LinkOrder) -> None:
        ends = (order.source, order.target)
        if order.faults == HEALTHY:
            self._links.pop(ends, None)
            return
        if ends not in self._generators:  # One a link: its draws do not depend on other traffic.
            self._generators[ends] = Random(f"{self._seed} link {ends}")
        self._links[ends] = Link(order.faults, self._generators[ends], self._tally)


def main() -> None:
    """Run the switch that the arguments describe."""
    seed, *hosts = sys.argv[1:]
    namespaces = {}
    for host in hosts:
        number, _, name = host.partition("=")
        namespaces[int(number)] = name
    switch = Switch(seed, namespaces)
    os.write(1, b"ready\n")
    switch.run()


if __name__ == "__main__":
    main()
