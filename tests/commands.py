"""Commands as values, each with its frame: the layouts stated again, apart from the node's.

Every number is written out here again, on purpose: an offset changed by mistake in `node.domain`
breaks these tests.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from node.domain.terms import AccountMode, Intent, Role, TimeInForce

RULES_VERSION = 1


@dataclass(frozen=True)
class Command:
    """What one frame says; `kind` is its type on the wire."""

    kind: ClassVar[int]

    def body(self) -> bytes:
        """Return what follows the sequence."""
        raise NotImplementedError

    def frame(self, sequence: int) -> bytes:
        """Return the whole frame."""
        body = self.body()
        return struct.pack("<ihhq", 16 + len(body), self.kind, 0, sequence) + body


@dataclass(frozen=True)
class Place(Command):
    """A limit order; `price` is in the intent's own terms."""

    kind = 1
    account: int
    market: int
    intent: int
    price: int
    lots: int
    client_order_id: int
    time_in_force: int = TimeInForce.GTC

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack(
            "<iiqihhq",
            self.account,
            self.market,
            self.client_order_id,
            self.price,
            self.intent,
            self.time_in_force,
            self.lots,
        )


@dataclass(frozen=True)
class PlaceWithTerms(Place):
    """An order with more to say than a plain one."""

    kind = 8
    expiry_ns: int = 0
    accept_by_ns: int = 0
    spend: int = 0
    flags: int = 0
    group: int = 0
    self_trade: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        times = (self.expiry_ns, self.accept_by_ns, self.spend)
        rest = struct.pack("<qqqiih6x", *times, self.flags, self.group, self.self_trade)
        return super().body() + rest

    def plain(self) -> Place:
        """Return the order without what only terms can say."""
        who = (self.account, self.market, self.intent, self.price, self.lots)
        return Place(*who, self.client_order_id, self.time_in_force)


@dataclass(frozen=True)
class Cancel(Command):
    """Take an order out, named by its id or, with id 0, by its client order id."""

    kind = 2
    account: int
    market: int
    order_id: int = 0
    client_order_id: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiqq", self.account, self.market, self.order_id, self.client_order_id)


@dataclass(frozen=True)
class Reduce(Command):
    """Make an order smaller by `lots`; it keeps its place."""

    kind = 3
    account: int
    market: int
    lots: int
    order_id: int = 0
    client_order_id: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        ids = (self.order_id, self.client_order_id)
        return struct.pack("<iiqqq", self.account, self.market, *ids, self.lots)


@dataclass(frozen=True)
class CancelAll(Command):
    """Take orders of an account out: in a market, an event or everywhere; on a side or both."""

    kind = 4
    account: int
    market: int = 0
    event: int = 0
    side: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiii", self.account, self.market, self.event, self.side)


@dataclass(frozen=True)
class Split(Command):
    """Turn cash into complete sets."""

    kind = 5
    account: int
    market: int
    lots: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiq", self.account, self.market, self.lots)


@dataclass(frozen=True)
class Merge(Split):
    """Turn complete sets into cash."""

    kind = 6


@dataclass(frozen=True)
class Redeem(Command):
    """Take the payout of a resolved market now, before its sweep comes by."""

    kind = 7
    account: int
    market: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii", self.account, self.market)


@dataclass(frozen=True)
class AccountOpen(Command):
    """Open an account with its trader's key."""

    kind = 32
    address: bytes
    public_key: bytes
    mode: int = AccountMode.NET

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii20s4x32s", self.mode, 0, self.address, self.public_key)


@dataclass(frozen=True)
class Deposit(Command):
    """Credit what arrived from outside."""

    kind = 33
    account: int
    amount: int
    cursor: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiqq", self.account, 0, self.amount, self.cursor)


@dataclass(frozen=True)
class EventCreate(Command):
    """Create a group of markets."""

    kind = 34
    name: bytes = b"an event"
    exclusive: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii64s", self.exclusive, 0, self.name)


@dataclass(frozen=True)
class MarketCreate(Command):
    """Create a binary market in an event."""

    kind = 35
    event: int
    tick: int = 1
    taker_fee_bps: int = 0
    maker_fee_bps: int = 0
    name: bytes = b"a market"

    def body(self) -> bytes:
        """Return what follows the sequence."""
        numbers = (self.event, self.tick, self.taker_fee_bps, self.maker_fee_bps)
        return struct.pack("<iiii64s", *numbers, self.name)


@dataclass(frozen=True)
class Lifecycle(Command):
    """Move a market along its life."""

    market: int
    price: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii", self.market, self.price)


@dataclass(frozen=True)
class MarketOpen(Lifecycle):
    """Let orders in, for the first time or again."""

    kind = 36


@dataclass(frozen=True)
class MarketHalt(Lifecycle):
    """Let no orders in for now."""

    kind = 37


@dataclass(frozen=True)
class MarketClose(Lifecycle):
    """Let no orders in for good and cancel those that rest."""

    kind = 38


@dataclass(frozen=True)
class MarketResolve(Lifecycle):
    """Pay `price` a lot of YES and the rest of a set's worth a lot of NO."""

    kind = 39


@dataclass(frozen=True)
class MarketVoid(Lifecycle):
    """Pay YES and NO alike."""

    kind = 40


@dataclass(frozen=True)
class KeyGrant(Command):
    """Register a key."""

    kind = 41
    public_key: bytes
    role: int = Role.TRADER
    account: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii32s", self.role, self.account, self.public_key)


@dataclass(frozen=True)
class KeyRevoke(KeyGrant):
    """Take a key's rights away."""

    kind = 42


@dataclass(frozen=True)
class Configure(Command):
    """Set one limit."""

    kind = 43
    limit: int
    value: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiq", self.limit, 0, self.value)


@dataclass(frozen=True)
class Checkpoint(Command):
    """Ask for a checkpoint at this index."""

    kind = 44

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return b""


@dataclass(frozen=True)
class SessionOpen(Command):
    """Open a session for a key; said by the leader, in session 0 with sequence 0."""

    kind = 64
    public_key: bytes
    window: int = 1024
    nonce: bytes = bytes(32)
    signature: bytes = bytes(64)

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack(
            "<32sii32s64s", self.public_key, self.window, 0, self.nonce, self.signature
        )


@dataclass(frozen=True)
class Raw(Command):
    """Bytes that are no command."""

    raw: bytes

    def frame(self, sequence: int) -> bytes:  # noqa: ARG002 - raw bytes carry no sequence
        """Return the bytes as they are."""
        return self.raw


@dataclass(frozen=True)
class Shaped(Command):
    """A frame of any type and length, with an account where most have one and zeros behind it."""

    type_number: int
    size: int
    account: int

    def frame(self, sequence: int) -> bytes:
        """Return the frame."""
        head = struct.pack("<ihhqi", self.size, self.type_number, 0, sequence, self.account)
        return head.ljust(self.size, b"\0")[: self.size]


def record(session: int, frame: bytes) -> bytes:
    """Return a frame as the log holds it."""
    return struct.pack("<ii", session, 0) + frame


def group(
    records: Iterable[bytes],
    stamp_ns: int,
    *,
    shard: int = 0,
    trailer: bytes = b"",
    rules_version: int = RULES_VERSION,
) -> bytes:
    """Return a log entry with these records under one stamp."""
    parts = list(records)
    body = b"".join(parts)
    header = struct.pack(
        "<ihhqii", 24 + len(body), rules_version, shard, stamp_ns, len(parts), len(trailer)
    )
    return header + body + trailer


def buy_yes(account: int, market: int, price: int, lots: int, cid: int, tif: int = 1) -> Place:
    """Return an order that buys YES."""
    return Place(account, market, Intent.BUY_YES, price, lots, cid, tif)


def sell_yes(account: int, market: int, price: int, lots: int, cid: int, tif: int = 1) -> Place:
    """Return an order that sells YES."""
    return Place(account, market, Intent.SELL_YES, price, lots, cid, tif)


def buy_no(account: int, market: int, price: int, lots: int, cid: int, tif: int = 1) -> Place:
    """Return an order that buys NO."""
    return Place(account, market, Intent.BUY_NO, price, lots, cid, tif)


def sell_no(account: int, market: int, price: int, lots: int, cid: int, tif: int = 1) -> Place:
    """Return an order that sells NO."""
    return Place(account, market, Intent.SELL_NO, price, lots, cid, tif)
