"""Batches through the SDK: one result an item, and cancels with a scope."""

import asyncio
from dataclasses import replace

import pytest

from client import NewOrder, QuoteLeg, RejectedError, Reply
from node.domain.codes import Code
from node.domain.terms import Intent, Side
from tests.integration.test_client import client_of, with_nodes
from tests.single_node import OPERATOR, TRADERS, SingleNode


@with_nodes
async def test_a_quote_is_all_or_none(nodes: list[SingleNode]) -> None:
    """The ids follow each other, the leg that is wrong is named, an old order gives its place."""
    async with client_of(nodes, TRADERS[0]) as client:
        bid = QuoteLeg(market=1, intent=Intent.BUY_YES, price=4_000, lots=5, client_order_id=7)
        ask = QuoteLeg(market=1, intent=Intent.BUY_NO, price=5_000, lots=5, client_order_id=8)
        first = (await client.orders.quote([bid, ask])).result
        resting = await client.queries.open_orders()
        assert [(one.order_id, one.client_order_id) for one in resting] == [
            (first, 7),
            (first + 1, 8),
        ]
        crossed = replace(ask, client_order_id=9, price=6_000)
        with pytest.raises(RejectedError) as wrong:
            await client.orders.quote([replace(bid, client_order_id=10, replaces=7), crossed])
        assert (wrong.value.code, wrong.value.result) == (Code.WOULD_CROSS, 2)
        await client.orders.quote([replace(bid, client_order_id=10, price=4_500, replaces=7)])
        assert [one.client_order_id for one in await client.queries.open_orders()] == [10, 8]
        with pytest.raises(ValueError, match="1 to 8 legs"):
            await client.orders.quote([bid] * 9)


@with_nodes
async def test_a_batch_has_a_result_an_item(nodes: list[SingleNode]) -> None:
    """In order, in a window smaller than the batch; what is rejected stops nothing else."""
    async with client_of(nodes, TRADERS[0]) as client:
        window = client.session.room
        offers = [
            NewOrder(market=1, intent=Intent.BUY_YES, price=4_000 + 10 * (n % 2), lots=n % 3)
            for n in range(2 * window)
        ]
        placed = await client.orders.place_many(offers)
        assert len(placed) == len(offers)
        for offer, outcome in zip(offers, placed, strict=True):
            if offer.lots:
                assert isinstance(outcome, Reply)
            else:
                assert isinstance(outcome, RejectedError)
                assert outcome.code == Code.SIZE_OUT_OF_RANGE
        ids = [outcome.result for outcome in placed if isinstance(outcome, Reply)]
        assert ids == sorted(ids)
        cancelled = await client.orders.cancel_many([ids[0], 1, ids[1], ids[0]])
        codes = [getattr(one, "code", Code.OK) for one in cancelled]
        assert codes == [Code.OK, Code.UNKNOWN_ORDER, Code.OK, Code.UNKNOWN_ORDER]
        assert (await client.orders.cancel_all(event=1, side=Side.ASK)).filled == 0
        closed = await client.orders.cancel_all(event=1, side=Side.BID)
        assert 0 < closed.filled <= len(ids) - 2
        while await client.queries.open_orders():
            await asyncio.sleep(0.01)
    async with client_of(nodes, OPERATOR) as operator:
        with pytest.raises(ValueError, match="no account of its own"):
            await operator.orders.place_many(offers)
