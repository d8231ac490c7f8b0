"""What a client remembers of what it did, so that its next commands mean something."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from time import time_ns

from node.domain.replies import REPLY_RESULT, REPLY_SEQUENCE

_REMEMBERED = 24


@dataclass(slots=True)
class Knowledge:
    """One client's view: its account, the markets there are, and orders it may still have."""

    account: int
    accounts: int
    markets: int
    orders: list[int] = field(default_factory=list)
    """Order ids from replies, newest last: some rest, some are long gone."""
    client_order_ids: int = 0
    """How many it has chosen: they are account << 40 | number."""
    deposits: int = 0
    """The deposit cursor as this client believes it to be."""
    accounts_opened: int = 0
    subaccounts: int = 4
    """How many accounts behind the first ones may be somebody's subaccounts."""
    transfers: int = 0
    withdrawals: int = 0
    keys: int = 0
    now_ns: Callable[[], int] = time_ns
    """The client's wall clock: what it takes the log's time to be."""
    cluster_id: bytes = bytes(16)
    """For which attestations are signed."""
    _placed: dict[int, None] = field(default_factory=dict)

    def new_client_order_id(self) -> int:
        """Choose one that was never used."""
        self.client_order_ids += 1
        return self.account << 40 | self.client_order_ids

    def old_client_order_id(self, random: Random) -> int:
        """Name one of the last ones, in use or not."""
        newest = self.client_order_ids
        number = random.randint(max(1, newest - _REMEMBERED), newest) if newest else 1
        return self.account << 40 | number

    def old_order_id(self, random: Random) -> int:
        """Name one of the last orders; 0 when there was none."""
        return random.choice(self.orders) if self.orders else 0

    def note_place(self, sequence: int) -> None:
        """Note that the command at `sequence` places an order."""
        self._placed[sequence] = None

    def note_reply(self, reply: bytes) -> None:
        """Learn the id of an order from the reply to its placement."""
        sequence = int.from_bytes(reply[REPLY_SEQUENCE : REPLY_SEQUENCE + 8], "little")
        if sequence in self._placed:
            del self._placed[sequence]
            result = int.from_bytes(reply[REPLY_RESULT : REPLY_RESULT + 8], "little")
            if result:
                self.orders.append(result)
                del self.orders[:-_REMEMBERED]
