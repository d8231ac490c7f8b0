"""A node without sockets, log or disk: the real gateway over a real venue, for bytes to be fed to.

The seams that a node's composition root fills are filled here: leadership, history, transports.
"""

import asyncio
from collections.abc import Callable, Iterator
from os import urandom
from struct import Struct
from typing import Any, Final

from nacl.signing import SigningKey

from node.domain.commands import MARKET_OPEN
from node.domain.genesis import Genesis, default_limits
from node.domain.groups import GROUP_HEADER_SIZE, RULES_VERSION
from node.engine.venue import Venue
from node.gateway.connection import Connection
from node.gateway.gateway import Gateway
from node.gateway.gateway_limits import GatewayLimits
from node.gateway.seams import GatewayIdentity, LeaderAddress
from node.gateway.venue_reads import VenueReads
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import encode_session_open
from node.protocol.framing import FrameScanner

CLUSTER_ID: Final = bytes(range(16))
OPERATOR: Final = SigningKey(b"operator".ljust(32, b"."))
TRADER: Final = SigningKey(b"trader".ljust(32, b"."))
_GROUP = Struct("<ihhqii")


class SilentTransport(asyncio.Transport):
    """A socket whose other end never says anything by itself; what is written is counted."""

    def __init__(self) -> None:
        """Be open."""
        super().__init__()
        self.written = 0
        self.closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's own
        """Return where the stranger is."""
        return ("127.0.0.1", 1) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Count."""
        self.written += len(data)

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self.closing

    def close(self) -> None:
        """Close."""
        self.closing = True

    def abort(self) -> None:
        """Close."""
        self.closing = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Buffer nothing."""

    def get_write_buffer_size(self) -> int:
        """Return that nothing waits."""
        return 0

    def pause_reading(self) -> None:
        """Say nothing anyway."""

    def resume_reading(self) -> None:
        """Say nothing anyway."""


class NoHistory:
    """Past events: none is held any more."""

    oldest_index = 1

    def since(self, index: int) -> Iterator[tuple[int, bytes]]:
        """Yield nothing."""
        del index
        return iter(())


class SmallNode:
    """One node that leads itself and commits nothing that its clients ask for."""

    def __init__(self) -> None:
        """Open an account, a market and two sessions. Call inside a running loop."""
        genesis = Genesis(CLUSTER_ID, 0, bytes(OPERATOR.verify_key), default_limits())
        self.venue = Venue(genesis)
        self.uncaught: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, report: self.uncaught.append(repr(report)))
        self.gateway = Gateway(
            identity=GatewayIdentity(CLUSTER_ID, 1),
            limits=GatewayLimits(),
            view=VenueReads(self.venue),
            leadership=self,
            history=NoHistory(),
            random_bytes=urandom,
        )
        self._populate()

    # What the gateway asks.

    is_leader = True
    ready = True

    def leader_address(self) -> LeaderAddress | None:
        """Return itself."""
        return LeaderAddress(1, "127.0.0.1", 1)

    async def read_barrier(self) -> int:
        """Return at once."""
        return self.venue.log_index

    def kick(self) -> None:
        """Commit nothing."""

    # What the attack asks.

    def connect(self) -> Connection:
        """Return a new client's connection, which has sent its challenge."""
        connection = Connection(self.gateway._services)  # noqa: SLF001 - the seam of sockets
        connection.connection_made(SilentTransport())
        return connection

    def drop_commands(self) -> int:
        """Forget what waits for a group; return how many commands that were."""
        count = self.gateway.admission.count
        self.gateway.admission.clear()
        return count

    def _populate(self) -> None:
        nonce, signature = bytes(32), bytes(64)
        for number, key in enumerate((OPERATOR, TRADER), 1):
            opening = encode_session_open(bytes(key.verify_key), 64, nonce, signature)
            self._apply(opening, 1)
            if number == 1:
                self._apply(*_records(1, 1, _founding))
        self._apply(*_records(2, 1, _orders))

    def _apply(self, records: bytes, count: int) -> None:
        size = GROUP_HEADER_SIZE + len(records)
        header = _GROUP.pack(size, RULES_VERSION, 0, self.venue.stamp_ns + 1_000, count, 0)
        self.venue.apply(self.venue.log_index + 1, header + records)


def _records(session: int, first: int, write: Callable[[CommandFrames], None]) -> tuple[bytes, int]:
    frames = CommandFrames(first)
    write(frames)
    scanner = FrameScanner(4_096)
    scanner.open(session, first, 64)
    scanner.feed(frames.take())
    assert scanner.refusal == 0
    return scanner.records, scanner.count


def _founding(frames: CommandFrames) -> None:
    frames.account_open(1, b"a" * 20, bytes(TRADER.verify_key))
    frames.deposit(1, 10_000_000_000, 1)
    frames.event_create(exclusive=True, name="an event")
    frames.market_create(1, 1, 0, 0, "a market")
    frames.lifecycle(MARKET_OPEN, 1, 0)


def _orders(frames: CommandFrames) -> None:
    for place in range(5):
        frames.place(1, 1, place + 1, 5_000 - place, 1, 1, 100)
