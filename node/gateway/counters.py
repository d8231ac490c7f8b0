"""What the gateway counts: plain integers on the hot path, read by telemetry."""

from node.protocol.refusals import Refusal


class GatewayCounters:
    """Totals since the start of the process."""

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "commands_admitted",
        "commands_skipped",
        "connections_accepted",
        "connections_closed",
        "event_bytes",
        "logins_accepted",
        "queries",
        "readings_paused",
        "redirects",
        "refusals",
        "replies_unrouted",
        "reply_bytes",
        "sessions_opened",
        "sessions_resumed",
        "subscriptions",
    )

    def __init__(self) -> None:
        """Start at zero."""
        self.bytes_in = 0
        self.bytes_out = 0
        self.commands_admitted = 0
        self.commands_skipped = 0
        self.connections_accepted = 0
        self.connections_closed = 0
        self.event_bytes = 0
        self.logins_accepted = 0
        self.queries = 0
        self.readings_paused = 0
        self.redirects = 0
        self.refusals = [0] * (max(Refusal) + 1)
        """By number of the refusal."""
        self.replies_unrouted = 0
        """Runs of replies whose session is not connected here."""
        self.reply_bytes = 0
        self.sessions_opened = 0
        self.sessions_resumed = 0
        self.subscriptions = 0

    @property
    def connections_open(self) -> int:
        """Connections that are there now."""
        return self.connections_accepted - self.connections_closed
