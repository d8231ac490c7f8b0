"""Order entry: one awaitable a command, with its reply or a typed error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from random import Random

from client.batch import NewOrder, QuoteLeg, outcomes
from client.errors import ClientError, OutcomeUnknownError, SessionLostError
from client.replies import Reply, parse_replies
from client.session import TradeSession
from node.domain.commands import QUOTE_LEGS
from node.domain.identifiers import OUTCOMES_SIZE
from node.domain.terms import Intent, SelfTrade, Side, TimeInForce
from node.protocol.command_frames import CommandFrames


class ReplyWaiters:
    """Who waits for which sequence's reply."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._futures: dict[int, asyncio.Future[Reply]] = {}

    def take_replies(self, frames: bytes) -> None:
        """Wake up whoever waits for these replies."""
        if not self._futures:
            return
        for reply in parse_replies(frames):
            future = self._futures.pop(reply.sequence, None)
            if future is not None and not future.done():
                future.set_result(reply)

    def take_loss(self, first: int, last: int, reason: str) -> None:
        """Tell whoever waits for these sequences that no reply will come."""
        for sequence in [number for number in self._futures if first <= number <= last]:
            future = self._futures.pop(sequence)
            if not future.done():
                future.set_exception(SessionLostError(sequence, reason))

    async def reply_to(self, sequence: int, seconds: float) -> Reply:
        """Return the reply to `sequence`, or raise OutcomeUnknownError after `seconds`."""
        future = asyncio.get_running_loop().create_future()
        self._futures[sequence] = future
        try:
            async with asyncio.timeout(seconds):
                reply: Reply = await future
                return reply
        except TimeoutError as error:
            raise OutcomeUnknownError(sequence, f"no reply within {seconds} s") from error
        finally:
            self._futures.pop(sequence, None)


class CommandSender:
    """Writes a command into a session and waits for its reply."""

    def __init__(self, session: TradeSession, waiters: ReplyWaiters, reply_seconds: float) -> None:
        """Send through `session`, whose replies `waiters` gets."""
        self._session = session
        self._waiters = waiters
        self._reply_seconds = reply_seconds

    @property
    def account(self) -> int:
        """The account of the session's key; 0 for brokers and operators."""
        return self._session.account

    def owner(self, account: int | None) -> int:
        """Return the account that a command is about: the key's own if none is given."""
        owner = self.account if account is None else account
        if not owner:
            raise ValueError("this key has no account of its own: name one with `account`")
        return owner

    async def execute(self, write: Callable[[CommandFrames], None]) -> Reply:
        """Send the command that `write` writes; return its reply.

        Raises RejectedError when the venue rejected it, OutcomeUnknownError when no reply came in
        time: the command may have been executed all the same.
        """
        await self._session.wait_for_room()
        sequence = self._session.frames.next_sequence
        write(self._session.frames)
        self._session.flush_soon()
        reply = await self._waiters.reply_to(sequence, self._reply_seconds)
        return reply.accepted()


class OrderEntry:
    """Orders, splits, merges and redemptions of one account, or of any when the key is a broker's.

    Each method returns the Reply of a command that was executed, raises RejectedError if it was
    rejected (final: nothing changed), or OutcomeUnknownError if no reply came in time (not final:
    it may have been executed).
    """

    def __init__(self, sender: CommandSender, random: Random) -> None:
        """Send with `sender`; draw client order ids from `random`."""
        self._sender = sender
        self._random = random

    async def place(  # noqa: PLR0913 - an order has as many terms as it has
        self,
        market: int,
        intent: Intent,
        price: int,
        lots: int,
        *,
        time_in_force: TimeInForce = TimeInForce.GTC,
        client_order_id: int | None = None,
        account: int | None = None,
        expiry_ns: int = 0,
        accept_by_ns: int = 0,
        self_trade: SelfTrade = SelfTrade.CANCEL_RESTING,
        spend: int = 0,
        flags: int = 0,
        group: int = 0,
    ) -> Reply:
        """Place a limit order; `result` is its order id and `filled` what filled at once.

        `price` is in units of 0.0001 USDC and in the terms of `intent` (a NO price for a NO
        intent), `lots` in hundredths of a share. Without a `client_order_id` a random one is drawn.
        `expiry_ns` (for GTD and POST_ONLY) is when it goes, `accept_by_ns` until when it may be
        executed at all: times of the log, ns since 1970. `self_trade` is what happens when it meets
        an order of its own account; `flags` are of `OrderFlag`. `spend` is the most micro-USDC that
        an IOC or FOK buy may cost, fees included; then `lots` may be 0, for as many as it buys.
        `group` is the number of an order group of the account's, 0 for none.
        """
        name = self._name(client_order_id)
        owner = self._sender.owner(account)
        terms = (owner, market, name, price, intent, time_in_force, lots)
        more = (expiry_ns, accept_by_ns, self_trade, flags, spend, group)
        if any(more):
            return await self._sender.execute(lambda frames: frames.place_with_terms(*terms, *more))
        return await self._sender.execute(lambda frames: frames.place(*terms))

    async def place_many(
        self, orders: Iterable[NewOrder], *, account: int | None = None
    ) -> list[Reply | ClientError]:
        """Place several orders; return each one's reply or error, in order.

        They are sent together and executed in order, each for itself: one that is rejected stops
        none. As many as the session's window are on their way at a time, the others wait.
        """
        return await outcomes(
            self.place(
                one.market,
                one.intent,
                one.price,
                one.lots,
                time_in_force=one.time_in_force,
                client_order_id=one.client_order_id,
                account=account,
                expiry_ns=one.expiry_ns,
                accept_by_ns=one.accept_by_ns,
                self_trade=one.self_trade,
                spend=one.spend,
                flags=one.flags,
            )
            for one in orders
        )

    async def quote(self, legs: Iterable[QuoteLeg], *, account: int | None = None) -> Reply:
        """Enter up to 8 orders that only rest, all of them or none, in one step.

        `result` is the first one's order id; those of the others follow it without gaps. When one
        cannot be entered, nothing happens: the RejectedError's `result` is its number, from 1.
        """
        owner = self._sender.owner(account)
        rows = [
            (
                one.market,
                one.price,
                int(one.intent),
                int(one.flags),
                one.lots,
                self._name(one.client_order_id),
                one.replaces,
            )
            for one in legs
        ]
        if not 1 <= len(rows) <= QUOTE_LEGS:
            raise ValueError(f"a quote has 1 to {QUOTE_LEGS} legs, not {len(rows)}")
        return await self._sender.execute(lambda frames: frames.quote(owner, rows))

    async def cancel_many(
        self, order_ids: Iterable[int], *, account: int | None = None
    ) -> list[Reply | ClientError]:
        """Cancel several orders, in whichever markets; return each one's reply or error, in order.

        The rest is as for `place_many`.
        """
        return await outcomes(
            self.cancel(0, order_id=order_id, account=account) for order_id in order_ids
        )

    async def cancel(
        self,
        market: int,
        *,
        order_id: int = 0,
        client_order_id: int = 0,
        account: int | None = None,
    ) -> Reply:
        """Cancel an order, named by either id; `order_id` wins when both are given."""
        owner = self._sender.owner(account)
        return await self._sender.execute(
            lambda frames: frames.cancel(owner, market, order_id, client_order_id)
        )

    async def reduce(
        self,
        market: int,
        lots: int,
        *,
        order_id: int = 0,
        client_order_id: int = 0,
        account: int | None = None,
    ) -> Reply:
        """Take `lots` off an order, which keeps its place in the queue; all of them cancel it."""
        owner = self._sender.owner(account)
        return await self._sender.execute(
            lambda frames: frames.reduce(owner, market, order_id, client_order_id, lots)
        )

    async def amend(
        self,
        market: int,
        *,
        price: int = 0,
        lots: int = 0,
        order_id: int = 0,
        client_order_id: int = 0,
        account: int | None = None,
    ) -> Reply:
        """Give a resting order another price, another total size, or both; 0 leaves it as it is.

        `lots` is what the order may fill in all: one that has filled as much already closes. The
        order keeps its place when its price stays and it does not grow; else it is the newest, and
        `filled` is what filled as it entered again.
        """
        owner = self._sender.owner(account)
        return await self._sender.execute(
            lambda frames: frames.amend(owner, market, order_id, client_order_id, price, lots)
        )

    async def replace(
        self,
        market: int,
        *,
        price: int = 0,
        lots: int = 0,
        order_id: int = 0,
        client_order_id: int = 0,
        new_client_order_id: int | None = None,
        account: int | None = None,
    ) -> Reply:
        """Take an order out and enter another in its stead; only rejected if it is gone.

        `lots` is what both may fill in all. `result` is the new order's id, 0 when the old one had
        filled as much already.
        """
        owner = self._sender.owner(account)
        name = self._name(new_client_order_id)
        return await self._sender.execute(
            lambda frames: frames.replace(
                owner, market, order_id, client_order_id, price, lots, name
            )
        )

    async def cancel_all(
        self,
        market: int = 0,
        *,
        event: int = 0,
        side: Side | None = None,
        account: int | None = None,
    ) -> Reply:
        """Cancel all orders in `market`, in all markets of `event`, or everywhere.

        `side` is of the YES book: a bid buys YES or sells NO; None means both. `filled` counts
        those closed at once, the rest is swept and trades no more.
        """
        owner = self._sender.owner(account)
        return await self._sender.execute(
            lambda frames: frames.cancel_all(owner, market, event, side or 0)
        )

    async def split(self, market: int, lots: int, *, account: int | None = None) -> Reply:
        """Turn cash into `lots` complete sets."""
        owner = self._sender.owner(account)
        return await self._sender.execute(lambda frames: frames.split(owner, market, lots))

    async def merge(self, market: int, lots: int, *, account: int | None = None) -> Reply:
        """Turn `lots` complete sets into cash."""
        owner = self._sender.owner(account)
        return await self._sender.execute(lambda frames: frames.merge(owner, market, lots))

    async def convert(
        self, event: int, lots: int, ordinals: Iterable[int], *, account: int | None = None
    ) -> Reply:
        """Turn NO of some outcomes of an exclusive event into cash and YES of all the others.

        `ordinals` are the outcomes' places in their event, from 0. `result` is the cash that came,
        in micro-USDC: 1 USDC a share for every outcome but one.
        """
        owner = self._sender.owner(account)
        bits = sum(1 << ordinal for ordinal in set(ordinals))
        outcomes = bits.to_bytes(OUTCOMES_SIZE, "little")
        return await self._sender.execute(
            lambda frames: frames.convert(owner, event, lots, outcomes)
        )

    async def merge_outcomes(self, event: int, lots: int, *, account: int | None = None) -> Reply:
        """Turn YES of all outcomes of an exclusive event into 1 USDC a share."""
        owner = self._sender.owner(account)
        return await self._sender.execute(lambda frames: frames.merge_outcomes(owner, event, lots))

    async def redeem(self, market: int, *, account: int | None = None) -> Reply:
        """Turn all shares in a settled market into cash."""
        owner = self._sender.owner(account)
        return await self._sender.execute(lambda frames: frames.redeem(owner, market))

    def _name(self, client_order_id: int | None) -> int:
        return self._random.getrandbits(62) + 1 if client_order_id is None else client_order_id
