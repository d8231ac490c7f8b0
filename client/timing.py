"""How long a client waits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientTiming:
    """Every wait of the client, in seconds."""

    connect: float = 2.0
    """For a TCP connection and its challenge."""
    login: float = 5.0
    """For the answer to a login, which may have to wait for an election."""
    reply: float = 10.0
    """For the reply to one command, reconnections included; then its outcome is unknown."""
    open: float = 30.0
    """For the first login anywhere."""
    backoff_least: float = 0.01
    backoff_most: float = 0.5
    """Between two rounds over all nodes, longer each time, with jitter."""
    backoff_growth: float = 1.25
    """From one pause to the next. An election then ends at most a quarter of its time unseen."""
    heartbeat: float = 1.0
    """Between two heartbeats to the node."""
    silence: float = 4.0
    """Without a byte from the node; then the connection is given up."""
