"""What this node knows of one peer, and where it stands in sending to it."""

from collections import deque

from node.consensus.snapshot_transfer import OutgoingTransfer

NEVER = -1e9


class Progress:
    """One peer, over all its connections.

    `connect` and `start_term` say what each of them resets.
    """

    def __init__(self, peer: int) -> None:
        """Know nothing yet."""
        self.peer = peer
        self.connected = False
        self.recovering = False
        """The peer lost its disk: nothing it says counts toward a quorum."""
        self.heard_at = NEVER
        """When it last answered in the current term."""
        self.next_index = 1
        self.match_index = 0
        """It holds, durably, what we hold up to here."""
        self.counted_index = 0
        """What the core was told of that."""
        self.probe = 0
        self.probing = True
        """Its log is not known to agree: one message at a time."""
        self.in_flight: deque[tuple[int, int, int]] = deque()
        """(first index, last index, bytes) of each message of entries not yet acknowledged."""
        self.in_flight_bytes = 0
        self.progress_at = NEVER
        self.sent_at = NEVER
        self.commit_sent = 0
        self.voted_term = 0
        self.read_number = 0
        self.transfer: OutgoingTransfer | None = None
        self.transfer_at = NEVER
        self.hold_index: int | None = None
        """Entries from here on must stay in the journal for this peer to catch up."""

    def connect(self) -> None:
        """Start over on a new connection: whatever was in flight is lost."""
        self.connected = True
        self.rewind(self.match_index + 1 if self.match_index else self.next_index)

    def disconnect(self) -> None:
        """Forget what only the connection knew."""
        self.connected = False
        self.hold_index = None

    def start_term(self, next_index: int, now: float) -> None:
        """Start over as the leader of a new term."""
        self.match_index = 0
        self.counted_index = 0
        self.read_number = 0
        self.heard_at = now
        self.hold_index = None
        self.rewind(next_index)

    def rewind(self, next_index: int) -> None:
        """Send from `next_index` on, carefully at first.

        Answers to what was sent before count for less.
        """
        self.next_index = max(1, next_index)
        self.probe = (self.probe + 1) & 0xFFFFFFFF
        self.probing = True
        self.in_flight.clear()
        self.in_flight_bytes = 0
        self.sent_at = NEVER
        self.commit_sent = 0

    def acknowledge(self, next_index: int) -> None:
        """Take note that what was sent before `next_index` arrived."""
        self.probing = False
        self.next_index = max(self.next_index, next_index)
        while self.in_flight and self.in_flight[0][1] < next_index:
            self.in_flight_bytes -= self.in_flight.popleft()[2]
