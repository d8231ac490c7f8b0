"""What one node's gateway allows its clients: local settings, never read by `apply`."""

from dataclasses import dataclass

from node.protocol.messages import (
    ANSWER_RECORDS,
    MAX_CLIENT_FRAME,
    MAX_QUERIES,
    MAX_SERVER_FRAME,
)


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """Every bound of the gateway. Times are in milliseconds, sizes in bytes."""

    connections: int = 10_000
    connections_per_address: int = 2_000
    login_ms: int = 5_000
    """From the connection to an accepted login; a half-open login ends here."""
    heartbeat_ms: int = 1_000
    """Between two heartbeats from the node."""
    idle_ms: int = 15_000
    """Without a byte from the client; clients send a heartbeat well before."""
    linger_ms: int = 2_000
    """To flush the last words to a client before the socket is cut."""
    frame_bytes: int = MAX_CLIENT_FRAME
    pending_bytes: int = 1 << 20
    """Commands of one connection that wait for a group.

    Above it reading pauses, at half it resumes.
    """
    pending_bytes_total: int = 64 << 20
    """The same over all connections."""
    turn_bytes: int = 64 << 10
    """What one connection may put into a group before the others have had their turn."""
    output_bytes: int = 8 << 20
    """Written but not yet accepted by the client's socket.

    Above it the reader is too slow and is cut.
    """
    window: int = 8_192
    """Commands of one session in flight: the largest window that a login may ask for."""
    openings: int = 1_000
    """Sessions being opened at one time."""
    subscriptions: int = 1_024
    """Streams of one connection."""
    queries: int = MAX_QUERIES
    """Queries of one connection that wait for their turn or their barrier."""
    query_ms: int = 2_000
    """For a read barrier."""
    answer_bytes: int = MAX_SERVER_FRAME - ANSWER_RECORDS
    """Records in one answer; the rest is asked for with the cursor."""
    replay_bytes: int = 256 << 10
    """Past events scanned for one resumed stream before the loop goes on."""

    def __post_init__(self) -> None:
        """Raise ValueError when a limit makes no sense."""
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise ValueError(f"gateway limit {name} is {getattr(self, name)}, not at least 1")
        if not 1_024 <= self.answer_bytes <= MAX_SERVER_FRAME - ANSWER_RECORDS:
            raise ValueError(
                f"gateway limit answer_bytes is {self.answer_bytes}, not in 1024..65488"
            )
        if not 152 <= self.frame_bytes <= MAX_CLIENT_FRAME:
            raise ValueError(f"gateway limit frame_bytes is {self.frame_bytes}, not in 152..4096")
