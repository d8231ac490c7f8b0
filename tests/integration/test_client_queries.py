"""Many questions of one client at a time."""

import asyncio
import random
from decimal import Decimal

import pytest

from client import Client, ClientTiming, NotConnectedError
from client.connection import Address
from client.reader import Reader
from node.domain.codes import Code
from node.domain.terms import Intent
from node.gateway.gateway_limits import GatewayLimits
from node.protocol import messages
from tests.gateway_node import set_up_market
from tests.raw_client import RawClient
from tests.single_node import OPERATOR, TRADERS, single_node


@pytest.mark.parametrize("linearizable", [False, True])
def test_more_questions_than_a_node_takes_just_wait(*, linearizable: bool) -> None:
    """`gather` of many queries answers them all: the client keeps to the node's bound."""

    async def body() -> None:
        async with asyncio.timeout(60), single_node() as node:
            await set_up_market(node)
            async with Client([("127.0.0.1", node.port)], OPERATOR) as client:
                markets = await asyncio.gather(
                    *(client.queries.market(1, linearizable=linearizable) for _ in range(300))
                )
                assert {market.number for market in markets if market} == {1}
                assert len(markets) == 300
            await RawClient.close_all()
            assert not any(node.gateway.counters.refusals)

    asyncio.run(body())


def test_a_question_s_time_begins_with_its_turn() -> None:
    """Waiting behind one's own questions is not a node that does not answer."""

    async def body() -> None:
        limits = GatewayLimits(query_ms=60_000)
        async with asyncio.timeout(60), single_node(limits=limits) as node:
            turns = asyncio.Semaphore(0)

            async def barrier() -> int:
                await turns.acquire()
                return node.venue.log_index

            node.read_barrier = barrier  # type: ignore[method-assign]
            reader = Reader(
                [Address("127.0.0.1", node.port)],
                OPERATOR,
                timing=ClientTiming(reply=0.4),
                random=random.Random(1),
            )
            first = [
                asyncio.ensure_future(reader.ask(messages.STATUS))
                for _ in range(messages.MAX_QUERIES)
            ]
            late = asyncio.ensure_future(reader.ask(messages.STATUS))
            results = await asyncio.gather(*first, return_exceptions=True)
            assert {type(result) for result in results} == {NotConnectedError}
            for _ in range(messages.MAX_QUERIES + 1):
                turns.release()
            assert (await late).log_index == node.venue.log_index
            await reader.close()

    asyncio.run(body())


def test_a_preview_is_what_the_order_comes_to() -> None:
    """The SDK asks what an order would do, places it, and both agree."""

    async def body() -> None:
        async with asyncio.timeout(60), single_node() as node:
            await set_up_market(node)
            async with (
                Client([("127.0.0.1", node.port)], TRADERS[0]) as maker,
                Client([("127.0.0.1", node.port)], TRADERS[1]) as taker,
            ):
                await maker.orders.place(1, Intent.BUY_YES, 4_000, 100)
                await maker.orders.place(1, Intent.BUY_YES, 3_900, 100)
                order = (1, Intent.BUY_NO, 6_200, 150)
                seen = await taker.queries.preview(*order)
                assert (seen.code, seen.filled, seen.rested) == (Code.OK, 150, 0)
                assert seen.average_price == Decimal("0.6033333333333333333333333333")
                reply = await taker.orders.place(*order)
                assert reply.filled == seen.filled
                account = await taker.queries.account()
                assert account is not None
                assert account.cash_free == seen.cash_free
                dear = await taker.queries.preview(1, Intent.BUY_NO, 6_200, 10**9)
                assert (dear.code, dear.average_price) == (Code.INSUFFICIENT_FUNDS, None)
            await RawClient.close_all()

    asyncio.run(body())
