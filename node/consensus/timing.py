"""How long a replica waits, in seconds, and how much it lets wait, in bytes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Times and sizes of one replica; all nodes of a cluster should use the same times."""

    heartbeat: float = 0.03
    """Between two messages of a leader to each peer."""
    election_least: float = 0.15
    election_most: float = 0.30
    """Silence of the leader before a follower asks for votes: drawn between the two."""
    gossip: float = 0.1
    """Between two exchanges of clock and digest."""
    retry: float = 1.0
    """Without progress of a peer before everything unacknowledged is sent to it again."""
    handshake: float = 2.0
    """For a connection to authenticate."""
    dial: float = 0.1
    """Between two attempts to connect to a peer."""
    apply_slice: float = 0.005
    """Of applying entries before the loop gets to breathe."""
    frame_bytes: int = 1 << 20
    """Of entries in one message, unless a single entry is larger."""
    window_bytes: int = 16 << 20
    """Of entries sent to a peer and not acknowledged."""
    chunk_bytes: int = 256 << 10
    """Of a snapshot in one message."""
    chunk_window: int = 8
    """Chunks sent and not acknowledged."""
    margin_bytes: int = 64 << 20
    """Of entries kept behind a snapshot for slow followers."""
    hold_bytes: int = 1 << 30
    """Of entries kept, at most, for a peer that is being brought up; then it starts over."""
    group_bytes: int = 256 << 10
    """Most bytes asked for when taking a group to propose."""
    groups_in_flight: int = 4
    """Groups proposed and not applied."""
