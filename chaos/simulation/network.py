"""Hosts joined by links that delay, stall and cut, and TCP over them.

TCP is modelled as its users see it: bytes arrive in order or not at all; what is on its way when a
link is cut waits for the link; a process that ends resets its connections as far as the link lets
it; a host without power says nothing, and resets what still speaks to it once it is up again.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from chaos.simulation.link import Link
from chaos.simulation.scheduler import Scheduler
from chaos.simulation.stream import VirtualStream

if TYPE_CHECKING:
    from chaos.simulation.virtual_loop import VirtualLoop


class VirtualServer:
    """A listening port, with the part of asyncio.Server that is used."""

    def __init__(
        self,
        network: "Network",
        loop: "VirtualLoop",
        factory: Callable[[], asyncio.Protocol],
        address: tuple[str, int],
    ) -> None:
        """Listen at `address`."""
        self.loop = loop
        self.factory = factory
        self.address = address
        self.sockets = [self]
        self._network = network

    def getsockname(self) -> tuple[str, int]:
        """Return the address."""
        return self.address

    def close(self) -> None:
        """Stop listening."""
        self._network.forget(self)

    async def wait_closed(self) -> None:
        """Return at once: nothing lingers."""


class Network:
    """All hosts, their links, their listening ports and their connections."""

    def __init__(self, scheduler: Scheduler, random: Random, observe: Callable[..., None]) -> None:
        """Draw delays from `random`; tell every arrival to `observe(sender, receiver, size)`."""
        self.scheduler = scheduler
        self.random = random
        self.observe = observe
        self.chunks = random.random() < 0.3
        """Whether reads end at random places, as they may: it costs, so only some seeds have it."""
        self.segments = 0
        self.loops: list[VirtualLoop] = []
        """Every process that there ever was on these hosts."""
        self._links: dict[tuple[str, str], Link] = {}
        self._servers: dict[tuple[str, int], VirtualServer] = {}
        self._streams: list[tuple[VirtualStream, VirtualStream]] = []
        self._dark: set[str] = set()

    def link(self, sender: str, receiver: str) -> Link:
        """Return the link that leads from one host to another."""
        link = self._links.get((sender, receiver))
        if link is None:
            link = self._links[sender, receiver] = Link(self.scheduler, self.random)
        return link

    def links(self) -> list[Link]:
        """Return every link that was ever used."""
        return list(self._links.values())

    # Ports.

    def listen(
        self,
        loop: "VirtualLoop",
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
    ) -> VirtualServer:
        """Listen at an address. Raises OSError when somebody does already."""
        address = (host, port)
        if address in self._servers:
            raise OSError(98, f"address {host}:{port} is in use")
        self._servers[address] = server = VirtualServer(self, loop, factory, address)
        return server

    def forget(self, server: VirtualServer) -> None:
        """Listen there no more."""
        if self._servers.get(server.address) is server:
            del self._servers[server.address]

    async def dial(
        self,
        loop: "VirtualLoop",
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
    ) -> tuple[VirtualStream, asyncio.Protocol]:
        """Connect `loop` to an address: three trips over the links. Raises ConnectionError."""
        connected: asyncio.Future[VirtualStream] = loop.create_future()

        def arrive() -> None:
            if host in self._dark:
                return  # No answer, ever; the caller has a timeout.
            server = self._servers.get((host, port))
            back = self.link(host, loop.host)
            if server is None:
                back.carry(lambda: _tell(loop, _refuse, connected, host, port))
                return
            ours, theirs = self._pair(loop, server)
            theirs.open(server.factory())
            back.carry(lambda: _tell(loop, _connect, connected, ours))

        self.link(loop.host, host).carry(arrive)
        stream = await connected
        protocol = factory()
        stream.attach(protocol)
        return stream, protocol

    def _pair(
        self, dialler: "VirtualLoop", server: VirtualServer
    ) -> tuple[VirtualStream, VirtualStream]:
        ours = VirtualStream(self, dialler, server.loop.host)
        theirs = VirtualStream(self, server.loop, dialler.host)
        ours.peer, theirs.peer = theirs, ours
        self._streams.append((ours, theirs))
        return ours, theirs

    # Ends of processes and hosts.

    def end_process(self, loop: "VirtualLoop", *, silent: bool) -> None:
        """Close what a dead process had open.

        `silent` when its host lost power: the other ends hear of it only when they speak.
        """
        for address, server in list(self._servers.items()):
            if server.loop is loop:
                del self._servers[address]
        kept = []
        for pair in self._streams:
            for stream in pair:
                if stream.loop is loop:
                    stream.die(silent=silent)
            if not (pair[0].ended and pair[1].ended):
                kept.append(pair)
        self._streams = kept
        if silent:
            self._dark.add(loop.host)

    def power_up(self, host: str) -> None:
        """Let the host answer again, be it with resets."""
        self._dark.discard(host)

    def is_dark(self, host: str) -> bool:
        """Tell whether the host has no power."""
        return host in self._dark

    def reset(self, one: str, other: str) -> int:
        """Reset every connection between two hosts; return how many there were."""
        count = 0
        for pair in self._streams:
            if {pair[0].loop.host, pair[1].loop.host} == {one, other} and not pair[0].ended:
                count += 1
                for stream in pair:
                    stream.lose(ConnectionResetError(104, "reset by the network"))
        return count

    def heal(self) -> None:
        """End all delays and cuts; what waited arrives."""
        for link in self.links():
            link.heal()


def _tell(loop: "VirtualLoop", callback: Callable[..., None], *arguments: object) -> None:
    loop.call_soon(callback, *arguments)


def _refuse(connected: "asyncio.Future[Any]", host: str, port: int) -> None:
    if not connected.done():
        connected.set_exception(ConnectionRefusedError(111, f"nobody listens at {host}:{port}"))


def _connect(connected: "asyncio.Future[Any]", stream: VirtualStream) -> None:
    if connected.done():
        stream.abort()
    else:
        connected.set_result(stream)
