"""Commands about orders that are there, each with its frame; see `tests.commands`."""

import struct
from dataclasses import dataclass

from tests.commands import Command


@dataclass(frozen=True)
class Amend(Command):
    """Give a resting order another price and total size, 0 to leave either."""

    kind = 9
    account: int
    market: int
    price: int
    lots: int
    order_id: int = 0
    client_order_id: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        ids = (self.order_id, self.client_order_id)
        return struct.pack("<iiqqiiq", self.account, self.market, *ids, self.price, 0, self.lots)


@dataclass(frozen=True)
class Replace(Amend):
    """Put another order in the stead of a resting one."""

    kind = 10
    new_client_order_id: int = 0

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return super().body() + struct.pack("<q", self.new_client_order_id)


@dataclass(frozen=True)
class Leg:
    """One order of a quote."""

    market: int
    intent: int
    price: int
    lots: int
    client_order_id: int
    flags: int = 0
    old_client_order_id: int = 0

    def encoded(self) -> bytes:
        """Return its 40 bytes."""
        return struct.pack(
            "<iihh4xqqq",
            self.market,
            self.price,
            self.intent,
            self.flags,
            self.lots,
            self.client_order_id,
            self.old_client_order_id,
        )


@dataclass(frozen=True)
class Quote(Command):
    """Enter several orders that only rest, or none; `count` is how many it says there are."""

    kind = 11
    account: int
    legs: tuple[Leg, ...]
    claimed: int | None = None

    @property
    def count(self) -> int:
        """How many legs the command says that it has."""
        return len(self.legs) if self.claimed is None else self.claimed

    def body(self) -> bytes:
        """Return what follows the sequence."""
        legs = b"".join(leg.encoded() for leg in self.legs)
        return struct.pack("<ii", self.account, self.count) + legs.ljust(8 * 40, b"\0")


@dataclass(frozen=True)
class OrderGroupSet(Command):
    """Give a group of the account's orders a limit in lots; 0 deletes it."""

    kind = 13
    account: int
    group: int
    lots: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<iiq", self.account, self.group, self.lots)


@dataclass(frozen=True)
class OrderGroupReset(Command):
    """Let a group fill up to its limit anew."""

    kind = 14
    account: int
    group: int

    def body(self) -> bytes:
        """Return what follows the sequence."""
        return struct.pack("<ii", self.account, self.group)


@dataclass(frozen=True)
class OrderGroupTrigger(OrderGroupReset):
    """Do what reaching the limit does."""

    kind = 15
