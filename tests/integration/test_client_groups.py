"""Groups of orders through the typed client, against three nodes."""

import struct

import pytest

from client import RejectedError
from client.events import parse_event
from client.private_events import OrderGroupChanged
from node.domain import events as layout
from node.domain.codes import Code
from node.domain.terms import Intent, OrderGroupState
from tests.integration.test_client import client_of, with_nodes
from tests.single_node import TRADERS, SingleNode


@with_nodes
async def test_a_group_ends_when_it_has_filled_its_limit(nodes: list[SingleNode]) -> None:
    """Limited, filled, asked about, reset, triggered and deleted: all by the client."""
    async with client_of(nodes, TRADERS[0]) as maker, client_of(nodes, TRADERS[1]) as taker:
        assert (await maker.groups.limit(3, 50)).result == 3
        for price in (4_000, 3_900):
            await maker.orders.place(1, Intent.BUY_YES, price, 40, group=3)
        await taker.orders.place(1, Intent.BUY_NO, 6_100, 60)
        assert await maker.queries.open_orders() == []
        (group,) = await maker.queries.order_groups()
        assert (group.number, group.limit, group.state) == (3, 50, OrderGroupState.TRIGGERED)
        status = await maker.queries.status(linearizable=True)
        assert group.filled(status.stamp_ns) == 50
        with pytest.raises(RejectedError) as caught:
            await maker.orders.place(1, Intent.BUY_YES, 3_000, 1, group=3)
        assert caught.value.code == Code.ORDER_GROUP_TRIGGERED
        await maker.groups.reset(3)
        await maker.orders.place(1, Intent.BUY_YES, 3_000, 1, group=3)
        await maker.groups.trigger(3)
        await maker.groups.delete(3)
        assert await maker.queries.order_groups() == []


def test_an_event_of_a_group_is_a_value() -> None:
    """What the venue writes is what a client reads."""
    sizes = (layout.ORDER_GROUP_SIZE, layout.ORDER_GROUP_CHANGED, 0)
    body = (3, OrderGroupState.ACTIVE, 50, 7)
    event = parse_event(struct.pack("<ihh32xiiqq", *sizes, *body))
    assert isinstance(event, OrderGroupChanged)
    assert event[1:] == body
