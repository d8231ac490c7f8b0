"""What the gateway needs from the rest of the node; the composition root provides it."""

from collections.abc import Awaitable, Iterator
from typing import NamedTuple, Protocol


class KeyView(Protocol):
    """A registered public key."""

    @property
    def number(self) -> int:
        """Its number."""

    @property
    def role(self) -> int:
        """What it may do."""

    @property
    def account(self) -> int:
        """A trader's account, else 0."""

    @property
    def revoked(self) -> int:
        """Not 0 once it is revoked."""


class SessionView(Protocol):
    """An open session."""

    @property
    def key_number(self) -> int:
        """The key that owns it."""

    @property
    def window(self) -> int:
        """How many replies it remembers."""

    @property
    def next_sequence(self) -> int:
        """The next sequence that will be executed."""


class Found(NamedTuple):
    """Records that answer a query.

    `cursor` is 0 when there are no more, else where the next answer begins.
    """

    record_size: int
    record_count: int
    records: bytes
    cursor: int


class Depth(NamedTuple):
    """All levels of a market, bids then asks, best first, as of a sequence of its stream."""

    stream_sequence: int
    levels: bytes


class VenueView(Protocol):
    """Reads of the replicated state, as this node has applied it.

    Nothing here waits or changes anything.
    """

    @property
    def log_index(self) -> int:
        """The last index applied."""

    @property
    def stamp_ns(self) -> int:
        """The venue's time."""

    def key_by_public(self, public_key: bytes) -> KeyView | None:
        """Return the key with these 32 bytes."""

    @property
    def disconnect_ms(self) -> int:
        """How long a client may be gone before its session gives up its orders."""

    def watched_sessions(self) -> dict[int, int]:
        """Return the next sequence of each session that gives up orders when its client goes."""

    def acts_for(self, key: KeyView, account: int) -> bool:
        """Return whether a trader's key may know of the account: its own, or its subaccount."""

    def session(self, number: int) -> SessionView | None:
        """Return the session with this number."""

    def stream_sequence(self, feed: int, stream: int) -> int | None:
        """Return the newest sequence of a stream (0 for "all streams").

        None when there is no such stream.
        """

    def depth(self, market: int) -> Depth | None:
        """Return all levels of a market."""

    def find(
        self, subject: int, number: int, identifier: int, cursor: int, most_bytes: int
    ) -> Found | None:
        """Return what a query asks for, from `cursor` on and within `most_bytes`.

        None when it does not exist.
        """

    def preview(self, order: bytes, key: int) -> bytes:
        """Return the record of what the order in a PLACE_WITH_TERMS frame would come to now.

        As if the key with this number sent it.
        """


class EventHistory(Protocol):
    """Past events, within a bound."""

    @property
    def oldest_index(self) -> int:
        """The first index whose events are held."""

    def since(self, index: int) -> Iterator[tuple[int, bytes]]:
        """Yield (log index, events) of the groups behind `index`, oldest first.

        It is held from `oldest_index` on.
        """


class BarrierLostError(Exception):
    """A read barrier could not be had: this node does not lead any more."""


class LeaderAddress(NamedTuple):
    """Where clients reach the leader."""

    node: int
    host: str
    port: int


class Leadership(Protocol):
    """Who leads, and whether this node may serve what only a leader may."""

    @property
    def is_leader(self) -> bool:
        """Whether this node leads."""

    @property
    def ready(self) -> bool:
        """Whether this node leads and has applied all that was committed before its term."""

    def leader_address(self) -> LeaderAddress | None:
        """Return where the leader is, None when nobody knows."""

    def read_barrier(self) -> Awaitable[int]:
        """Return, once applied here, an index that covers every reply given before the call.

        Or BarrierLostError.
        """

    def kick(self) -> None:
        """Note that commands wait to be proposed."""


class GatewayIdentity(NamedTuple):
    """Which node of which cluster clients talk to."""

    cluster_id: bytes
    node: int
