"""A call auction through the typed client, against three nodes."""

import struct

import pytest

from client import RejectedError
from client.events import parse_event
from client.public_events import AuctionPriced, AuctionScheduled
from client.records import ClearingRecord
from node.domain import events as layout
from node.domain.codes import Code
from node.domain.terms import Intent, MarketState, TimeInForce
from tests.integration.test_client import client_of, with_nodes
from tests.single_node import OPERATOR, TRADERS, SingleNode


@with_nodes
async def test_a_market_opens_by_a_call(nodes: list[SingleNode]) -> None:
    """Halted and called; orders cross, somebody asks where they would clear, and they do."""
    async with (
        client_of(nodes, OPERATOR) as operator,
        client_of(nodes, TRADERS[0]) as buyer,
        client_of(nodes, TRADERS[1]) as seller,
    ):
        await operator.admin.halt_market(1)
        later = (await operator.queries.status(linearizable=True)).stamp_ns + 10**15
        await operator.admin.call_auction(1, begins_at_ns=later)
        await operator.admin.call_auction(1, begins_at_ns=-1)
        await operator.admin.call_auction(1)
        assert await buyer.queries.clearing(1) is None
        assert (await buyer.orders.place(1, Intent.BUY_YES, 6_000, 10)).filled == 0
        assert (await seller.orders.place(1, Intent.BUY_NO, 6_000, 4)).filled == 0
        with pytest.raises(RejectedError) as caught:
            await buyer.orders.place(1, Intent.BUY_YES, 6_000, 1, time_in_force=TimeInForce.IOC)
        assert caught.value.code == Code.MARKET_IN_AUCTION
        preview = await buyer.queries.preview(1, Intent.BUY_YES, 6_000, 3)
        assert (preview.filled, preview.rested) == (0, 3)
        assert await buyer.queries.clearing(1) == ClearingRecord(6_000, 4, 6)
        await operator.admin.open_market(1)
        market = await operator.queries.market(1)
        assert market is not None
        assert (market.state, market.volume) == (MarketState.OPEN, 4)
        (order,) = await buyer.queries.open_orders()
        assert order.leaves == 6
        assert await buyer.queries.clearing(1) is None
        assert await buyer.queries.clearing(99) is None


def test_events_of_a_call_are_values() -> None:
    """What the venue writes is what a client reads."""
    sizes = (layout.AUCTION_PRICED_SIZE, layout.AUCTION_PRICED, 0)
    priced = parse_event(struct.pack("<ihh32xqqq", *sizes, 6_000, 4, -6))
    assert isinstance(priced, AuctionPriced)
    assert priced[1:] == (6_000, 4, -6)
    sizes = (layout.AUCTION_SCHEDULED_SIZE, layout.AUCTION_SCHEDULED, 0)
    scheduled = parse_event(struct.pack("<ihh32xq", *sizes, 77))
    assert isinstance(scheduled, AuctionScheduled)
    assert scheduled.begins_at_ns == 77
