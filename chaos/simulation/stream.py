"""One end of a virtual TCP connection: the asyncio transport that a process holds."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chaos.simulation.network import Network
    from chaos.simulation.virtual_loop import VirtualLoop

_HIGH_WATER_BYTES = 64 << 10
END = b""
"""In place of data: the other end has closed."""


class VirtualStream(asyncio.Transport):
    """Writes become segments, in order; what arrives is handed over on the loop of its process."""

    peer: "VirtualStream"

    def __init__(self, network: "Network", loop: "VirtualLoop", remote_host: str) -> None:
        """Make one end for `loop`; its other end is at `remote_host`."""
        super().__init__()
        self.loop = loop
        self.ended = False
        """No process holds this end any more."""
        self._network = network
        self._remote = remote_host
        self._protocol: asyncio.Protocol | None = None
        self._closing = False
        self._unsent: list[bytes] = []
        self._unread_bytes = 0
        """Written here and not yet taken by the other end."""
        self._last_arrival_ns = 0
        self._arrived: deque[bytes] = deque()
        self._handing = False
        self._reading = True
        self._high_bytes = _HIGH_WATER_BYTES
        self._writing_paused = False

    # Opening.

    def open(self, protocol: asyncio.Protocol) -> None:
        """Give an accepted connection to `protocol`, on its loop."""
        self.loop.call_soon(self.attach, protocol)

    def attach(self, protocol: asyncio.Protocol) -> None:
        """Give the connection to `protocol`, which gets what has arrived meanwhile."""
        self._protocol = protocol
        protocol.connection_made(self)
        if self.ended:
            self.loop.call_soon(protocol.connection_lost, None)  # It was reset meanwhile.
        self._hand_over_soon()

    # What a protocol calls.

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Tell the other end's address; there is no socket."""
        return (self._remote, 0) if name == "peername" else default

    def is_closing(self) -> bool:
        """Tell whether the end has begun."""
        return self._closing

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the other end has not taken."""
        return self._unread_bytes

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Pause the writer above `high`."""
        del low
        self._high_bytes = _HIGH_WATER_BYTES if high is None else high

    def writelines(self, list_of_data: Iterable[bytes]) -> None:  # type: ignore[override]
        """Send all parts together."""
        self.write(b"".join(list_of_data))

    def write(self, data: bytes) -> None:  # type: ignore[override]
        """Send `data`; what one turn of the loop writes travels together."""
        if self._closing or self.ended or not data:
            return
        self._unread_bytes += len(data)
        if not self._unsent:
            self._network.scheduler.after(0, self._depart)
        self._unsent.append(bytes(data))
        if self._unread_bytes > self._high_bytes and not self._writing_paused:
            self._writing_paused = True
            assert self._protocol is not None
            self._protocol.pause_writing()

    def close(self) -> None:
        """Send what was written, then the end."""
        if self._closing:
            return
        self._closing = True
        self._send(END)
        self.loop.call_soon(self._ended, None)

    def abort(self) -> None:
        """End at once; what was not sent is lost."""
        if self._closing:
            return
        self._closing = True
        self._unsent.clear()
        self._send_reset()
        self.loop.call_soon(self._ended, None)

    def pause_reading(self) -> None:
        """Leave what arrives unread."""
        self._reading = False

    def resume_reading(self) -> None:
        """Read again."""
        self._reading = True
        self._hand_over_soon()

    # On the way.

    def _depart(self) -> None:
        if self._unsent:
            segment = b"".join(self._unsent)
            self._unsent.clear()
            self._send(segment)

    def _send(self, segment: bytes) -> None:
        if segment is END and self._unsent:
            self._depart()
        self._network.segments += 1
        link = self._network.link(self.loop.host, self._remote)
        self._last_arrival_ns = link.carry(lambda: self.peer.arrive(segment), self._last_arrival_ns)

    def _send_reset(self) -> None:
        link = self._network.link(self.loop.host, self._remote)
        link.carry(lambda: self.peer.lose(ConnectionResetError(104, "reset by peer")))

    def arrive(self, segment: bytes) -> None:
        """Take a segment from the link."""
        if self.ended:
            if not self._network.is_dark(self.loop.host) and segment is not END:
                self._send_reset()
            return
        self._network.observe(self._remote, self.loop.host, len(segment))
        self._arrived.append(segment)
        self._hand_over_soon()

    def _hand_over_soon(self) -> None:
        if self._arrived and not self._handing and self._reading and self._protocol is not None:
            self._handing = True
            self.loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._handing = False
        if not self._arrived or not self._reading or self.ended or self._closing:
            return
        segment = self._arrived.popleft()
        if segment is END:
            self._closing = True
            self._send_reset()
            self._ended(None)
            return
        random = self._network.random
        if self._network.chunks and len(segment) > 1 and random.random() < 0.3:
            cut = random.randrange(1, len(segment))
            self._arrived.appendleft(segment[cut:])
            segment = segment[:cut]
        self.peer.taken(len(segment))
        assert self._protocol is not None
        self._protocol.data_received(segment)
        self._hand_over_soon()

    def taken(self, size: int) -> None:
        """Take note that the other end has read `size` bytes."""
        self._unread_bytes -= size
        if self._writing_paused and self._unread_bytes <= self._high_bytes // 4:
            self._writing_paused = False
            if not self.ended and self._protocol is not None:
                self.loop.call_soon(self._protocol.resume_writing)

    # The end.

    def lose(self, error: Exception | None) -> None:
        """End because the network says so."""
        if self.ended or self._closing:
            return
        self._closing = True
        self._unsent.clear()
        self._arrived.clear()
        self.loop.call_soon(self._ended, error)

    def _ended(self, error: Exception | None) -> None:
        if self.ended:
            return
        self.ended = True
        if self._protocol is not None:
            self._protocol.connection_lost(error)

    def die(self, *, silent: bool) -> None:
        """End with the process; `silent` when the host has no power to say so."""
        if self.ended:
            return
        self.ended = True
        self._closing = True
        self._unsent.clear()
        if not silent:
            self._send_reset()
