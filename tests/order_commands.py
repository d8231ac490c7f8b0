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
