"""Many orders at once: batches with an outcome an item, and the legs of an atomic quote."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass

from client.errors import ClientError
from client.replies import Reply
from node.domain.terms import Intent, SelfTrade, TimeInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """The terms of one order of a batch: those of `OrderEntry.place`."""

    market: int
    intent: Intent
    price: int
    lots: int
    time_in_force: TimeInForce = TimeInForce.GTC
    client_order_id: int | None = None
    expiry_ns: int = 0
    accept_by_ns: int = 0
    self_trade: SelfTrade = SelfTrade.CANCEL_RESTING
    spend: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLeg:
    """One order of a quote: post-only, in the terms of its intent.

    `replaces` is the client order id of an order that leaves in the same step, or 0. Without a
    `client_order_id` a random one is drawn.
    """

    market: int
    intent: Intent
    price: int
    lots: int
    client_order_id: int | None = None
    flags: int = 0
    replaces: int = 0


async def outcomes(commands: Iterable[Awaitable[Reply]]) -> list[Reply | ClientError]:
    """Run commands together; return what each came to: its reply, or why there is none.

    Anything that is not of the client's errors (a wrong argument, say) is raised once all are done.
    """
    done = await asyncio.gather(*commands, return_exceptions=True)
    told: list[Reply | ClientError] = []
    for one in done:
        if isinstance(one, BaseException) and not isinstance(one, ClientError):
            raise one
        told.append(one)
    return told
