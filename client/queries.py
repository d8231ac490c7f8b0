"""Queries: the state of the venue, as of a log index."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from client import life_records, records
from client.errors import QueryRefusedError
from client.previews import Preview, parse_preview
from node.domain.terms import Intent, TimeInForce
from node.protocol import messages, refusals
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import encode_preview

if TYPE_CHECKING:
    from client.reader import Answer, Reader


class Depth(NamedTuple):
    """A market's depth: bids from the best down, asks from the best up."""

    log_index: int
    bids: list[records.LevelRecord]
    asks: list[records.LevelRecord]


class Queries:
    """Questions and their answers.

    By default an answer is linearizable: it reflects every command acknowledged before the
    question, whoever sent it. With `linearizable=False` any node answers at once from what it has
    applied.
    """

    def __init__(self, reader: Reader) -> None:
        """Ask through `reader`."""
        self._reader = reader

    async def account(
        self, number: int = 0, *, linearizable: bool = True
    ) -> records.AccountRecord | None:
        """Return an account, by default one's own; None when there is none."""
        found = await self._one(messages.ACCOUNT, await self._own(number), 0, linearizable)
        return records.parse_accounts(found)[0] if found else None

    async def accounts(self, *, linearizable: bool = True) -> list[records.AccountRecord]:
        """Return all accounts."""
        answer = await self._reader.ask_all(messages.ACCOUNTS, linearizable=linearizable)
        return records.parse_accounts(answer.records)

    async def positions(
        self, account: int = 0, *, linearizable: bool = True
    ) -> list[records.PositionRecord]:
        """Return an account's positions."""
        answer = await self._listed(messages.POSITIONS, account, 0, linearizable)
        return records.parse_positions(answer.records)

    async def open_orders(
        self, account: int = 0, *, market: int = 0, linearizable: bool = True
    ) -> list[records.OrderRecord]:
        """Return an account's resting orders, in one market or all."""
        answer = await self._listed(messages.OPEN_ORDERS, account, market, linearizable)
        return records.parse_orders(answer.records)

    async def clearing(
        self, market: int, *, linearizable: bool = True
    ) -> records.ClearingRecord | None:
        """Return where a market would clear if it opened now; None when no bid meets an ask."""
        found = await self._one(messages.CLEARING, market, 0, linearizable)
        return records.parse_clearings(found)[0] if found else None

    async def order_groups(
        self, account: int = 0, *, linearizable: bool = True
    ) -> list[records.OrderGroupRecord]:
        """Return an account's groups of orders, by number."""
        answer = await self._listed(messages.ORDER_GROUPS, account, 0, linearizable)
        return records.parse_order_groups(answer.records)

    async def order(
        self, order_id: int, account: int = 0, *, linearizable: bool = True
    ) -> records.OrderRecord | None:
        """Return a resting order; None when it is not in the book (any more)."""
        owner = await self._own(account)
        found = await self._one(messages.ORDER, owner, order_id, linearizable)
        return records.parse_orders(found)[0] if found else None

    async def order_by_client_id(
        self, client_order_id: int, account: int = 0, *, linearizable: bool = True
    ) -> records.OrderRecord | None:
        """Return a resting order by the id that its owner chose.

        None when it is not in the book (any more).
        """
        subject = messages.ORDER_BY_CLIENT_ID
        owner = await self._own(account)
        found = await self._one(subject, owner, client_order_id, linearizable)
        return records.parse_orders(found)[0] if found else None

    async def preview(
        self,
        market: int,
        intent: Intent,
        price: int,
        lots: int,
        *,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expiry_ns: int = 0,
        group: int = 0,
        account: int = 0,
        linearizable: bool = True,
    ) -> Preview:
        """Return what an order would come to if it were the next command; nothing changes."""
        owner = await self._own(account)
        frames = CommandFrames(1)
        # A client order id that nobody uses: whose own is in use would be told so.
        terms = (owner, market, (1 << 63) - 1, price, intent, time_in_force, lots, expiry_ns)
        frames.place_with_terms(*terms, group=group)
        order = frames.take()
        options = messages.LINEARIZABLE if linearizable else 0
        answer = await self._reader.ask_with(
            lambda request: encode_preview(request, options, 0, order)
        )
        return parse_preview(answer.log_index, answer.records)

    async def market(
        self, number: int, *, linearizable: bool = True
    ) -> records.MarketRecord | None:
        """Return a market; None when there is none of that number."""
        found = await self._one(messages.MARKET, number, 0, linearizable)
        return records.parse_markets(found)[0] if found else None

    async def markets(
        self, event: int = 0, *, linearizable: bool = True
    ) -> list[records.MarketRecord]:
        """Return the markets of an event, or all."""
        answer = await self._reader.ask_all(messages.MARKETS, event, linearizable=linearizable)
        return records.parse_markets(answer.records)

    async def event(self, number: int, *, linearizable: bool = True) -> records.EventRecord | None:
        """Return an event; None when there is none of that number."""
        found = await self._one(messages.EVENT, number, 0, linearizable)
        return records.parse_events(found)[0] if found else None

    async def events(self, *, linearizable: bool = True) -> list[records.EventRecord]:
        """Return all events."""
        answer = await self._reader.ask_all(messages.EVENTS, linearizable=linearizable)
        return records.parse_events(answer.records)

    async def fee_schedules(self, *, linearizable: bool = True) -> list[records.ScheduleRecord]:
        """Return all fee schedules."""
        answer = await self._reader.ask_all(messages.SCHEDULES, linearizable=linearizable)
        return records.parse_schedules(answer.records)

    async def rules(self, market: int, *, linearizable: bool = True) -> records.RulesRecord | None:
        """Return what trading in a market is bound to; None when there is no such market."""
        found = await self._one(messages.RULES, market, 0, linearizable)
        return records.parse_rules(found) if found else None

    async def market_times(
        self, market: int, *, linearizable: bool = True
    ) -> life_records.TimesRecord | None:
        """Return when a market opens and closes by itself; None when it does not."""
        found = await self._one(messages.MARKET_TIMES, market, 0, linearizable)
        return life_records.parse_times(found) if found else None

    async def resolution(
        self, market: int, *, linearizable: bool = True
    ) -> life_records.ResolutionRecord | None:
        """Return what a market is about to come to; None before the first word, and once final."""
        found = await self._one(messages.RESOLUTION, market, 0, linearizable)
        return life_records.parse_resolution(found) if found else None

    async def pauses(self, *, linearizable: bool = True) -> list[life_records.PauseRecord]:
        """Return the pauses that are on; for brokers and operators."""
        answer = await self._reader.ask_all(messages.PAUSES, linearizable=linearizable)
        return life_records.parse_pauses(answer.records)

    async def stops(self, *, linearizable: bool = True) -> list[life_records.StopRecord]:
        """Return the stops that are on; for brokers and operators."""
        answer = await self._reader.ask_all(messages.STOPS, linearizable=linearizable)
        return life_records.parse_stops(answer.records)

    async def depth(self, market: int, *, linearizable: bool = True) -> Depth:
        """Return the best levels of a market, up to 2,000 a side."""
        answer = await self._reader.ask(messages.DEPTH, market, linearizable=linearizable)
        levels = records.parse_levels(answer.records)
        return Depth(
            answer.log_index,
            [level for level in levels if level.side == 1],
            [level for level in levels if level.side == 2],
        )

    async def treasury(self, *, linearizable: bool = True) -> records.TreasuryRecord:
        """Return the venue's totals."""
        answer = await self._reader.ask(messages.TREASURY, linearizable=linearizable)
        return records.parse_treasury(answer.records)

    async def status(self, *, linearizable: bool = False) -> records.StatusRecord:
        """Return the venue's own record as a node has applied it."""
        answer = await self._reader.ask(messages.STATUS, linearizable=linearizable)
        return records.parse_status(answer.records)

    async def _own(self, account: int) -> int:
        """Return `account`, or the key's own when it is 0."""
        if not account:
            await self._reader.connected()
            account = self._reader.account
        return account

    async def _listed(
        self,
        subject: int,
        account: int,
        identifier: int,
        linearizable: bool,  # noqa: FBT001
    ) -> Answer:
        owner = await self._own(account)
        return await self._reader.ask_all(subject, owner, identifier, linearizable=linearizable)

    async def _one(
        self,
        subject: int,
        number: int,
        identifier: int,
        linearizable: bool,  # noqa: FBT001
    ) -> bytes:
        try:
            answer = await self._reader.ask(subject, number, identifier, linearizable=linearizable)
        except QueryRefusedError as error:
            if error.reason == refusals.NOT_FOUND:
                return b""
            raise
        return answer.records
