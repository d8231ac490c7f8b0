"""The client: one key's way into a cluster."""

from __future__ import annotations

import random as randomness
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from client.accounts import Accounts
from client.administration import Administration
from client.connection import Address
from client.errors import NotConnectedError
from client.keys import load_key
from client.market_data import MarketData
from client.order_entry import CommandSender, OrderEntry, ReplyWaiters
from client.order_groups import OrderGroups
from client.queries import Queries
from client.reader import Reader
from client.resolving import Resolving
from client.session import TradeSession
from client.timing import ClientTiming

if TYPE_CHECKING:
    from nacl.signing import SigningKey

DEFAULT_WINDOW = 1_024


class Client:
    """Order entry, administration, queries and market data over a cluster, whoever leads it.

    Use it as an async context manager, or call `open` and `close`. `orders` and `admin` work once
    it is open; `queries` and `market_data` connect by themselves, to any node.
    """

    def __init__(
        self,
        addresses: Sequence[tuple[str, int]],
        key: SigningKey,
        *,
        window: int = DEFAULT_WINDOW,
        timing: ClientTiming | None = None,
        random: randomness.Random | None = None,
        on_replies: Callable[[bytes], None] | None = None,
    ) -> None:
        """Talk to the cluster at `addresses` (any of its nodes) with `key`.

        `window` is how many commands may be unacknowledged. `on_replies` gets the raw frames of all
        replies, for bulk senders. `random` draws client order ids and the jitter of reconnections;
        tests give a seeded one.
        """
        places = [Address(*address) for address in addresses]
        chosen = timing or ClientTiming()
        source = random or randomness.SystemRandom()
        self._waiters = ReplyWaiters()
        self._on_replies = on_replies
        self.session = TradeSession(
            places,
            key,
            window=window,
            timing=chosen,
            random=source,
            on_replies=self._take_replies,
            on_lost=self._waiters.take_loss,
        )
        self._reader = Reader(places, key, timing=chosen, random=source)
        sender = CommandSender(self.session, self._waiters, chosen.reply)
        self.orders = OrderEntry(sender, source)
        self.groups = OrderGroups(sender)
        self.accounts = Accounts(sender)
        self.admin = Administration(sender)
        self.resolving = Resolving(sender)
        self.queries = Queries(self._reader)
        self.market_data = MarketData(self._reader)

    @classmethod
    def local(cls, data: Path | str = ".quorumbook", key: str = "operator") -> Client:
        """Return a client of the cluster whose data lies in `data`, with one of its keys.

        `key` is "operator" or the name of a key that `quorumbook keys init` has made.
        """
        root = Path(data)
        files = sorted(root.glob("node-*/node.toml"))
        if not files:
            raise NotConnectedError(f"there is no cluster in {root}; `quorumbook up` makes one")
        members = tomllib.loads(files[0].read_text())["members"]
        file = root / "operator.key" if key == "operator" else root / "keys" / f"{key}.key"
        addresses = [(member["host"], member["client_port"]) for member in members]
        return cls(addresses, load_key(file))

    async def open(self) -> Self:
        """Log in for trade and open a session. Raises NotConnectedError or LoginRefusedError."""
        await self.session.open()
        return self

    async def close(self) -> None:
        """Log out everywhere."""
        await self.session.close()
        await self._reader.close()

    async def __aenter__(self) -> Self:
        """Open."""
        return await self.open()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    def _take_replies(self, frames: bytes) -> None:
        self._waiters.take_replies(frames)
        if self._on_replies is not None:
            self._on_replies(frames)
