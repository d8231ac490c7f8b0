"""The client against real gateways and venues: trading, failover, resumed streams, both facades."""

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable

import pytest
from nacl.signing import SigningKey

from client import (
    Client,
    ClientTiming,
    LoginRefusedError,
    NotConnectedError,
    OutcomeUnknownError,
    QueryRefusedError,
    RejectedError,
    SessionLostError,
    SubscriptionRefusedError,
    SyncClient,
)
from client.connection import Address
from client.private_events import OrderFilled, OrderRested
from client.replies import parse_replies
from client.session import TradeSession
from node.domain.codes import Code
from node.domain.terms import Intent, TimeInForce
from node.protocol.command_frames import CommandFrames
from node.protocol.refusals import Refusal
from tests.raw_client import RawClient
from tests.single_node import (
    OPERATOR,
    TRADERS,
    SingleNode,
    follow,
    single_node,
    three_nodes,
)

QUICK = ClientTiming(
    connect=2.0, login=2.0, reply=20.0, open=20.0, backoff_least=0.001, backoff_most=0.01
)


def client_of(nodes: list[SingleNode], key: SigningKey, timing: ClientTiming = QUICK) -> Client:
    """Return a client of `nodes` with seeded randomness."""
    return Client(
        [("127.0.0.1", node.port) for node in nodes], key, timing=timing, random=random.Random(3)
    )


def with_nodes(test: Callable[[list[SingleNode]], Awaitable[None]]) -> Callable[[], None]:
    """Run an asynchronous test against three nodes with market 1 open and two accounts funded."""

    def run() -> None:
        async def body() -> None:
            async with asyncio.timeout(60), three_nodes() as nodes:
                async with client_of(nodes, OPERATOR) as operator:
                    await set_up(operator)
                await test(nodes)

        asyncio.run(body())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


async def set_up(operator: Client) -> None:
    """Open two accounts with 10,000 USDC each, and market 1."""
    for number in (1, 2):
        opened = await operator.admin.open_account(
            bytes([number]) * 20, bytes(TRADERS[number - 1].verify_key)
        )
        assert opened.result == number
        await operator.admin.deposit(number, 10_000_000_000, number)
    event = await operator.admin.create_event("weather", exclusive=False)
    market = await operator.admin.create_market(event.result, "rain")
    await operator.admin.open_market(market.result)


async def seen(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    while not condition():
        await asyncio.sleep(0.001)


@with_nodes
async def test_two_traders_trade(nodes: list[SingleNode]) -> None:
    """Orders, fills, queries and rejections through the typed interface."""
    async with client_of(nodes, TRADERS[0]) as maker, client_of(nodes, TRADERS[1]) as taker:
        placed = await maker.orders.place(1, Intent.BUY_YES, 4_000, 100, client_order_id=7)
        crossed = await taker.orders.place(
            1, Intent.BUY_NO, 6_000, 30, time_in_force=TimeInForce.IOC
        )
        assert (placed.filled, crossed.filled) == (0, 30)
        order = await maker.queries.order_by_client_id(7)
        assert order is not None
        assert (order.order_id, order.leaves) == (placed.result, 70)
        assert await maker.queries.order(placed.result) == order
        assert await maker.queries.open_orders() == [order]
        assert await maker.queries.order(999) is None
        depth = await taker.queries.depth(1)
        assert [(level.price, level.lots) for level in depth.bids] == [(4_000, 70)]
        (position,) = await taker.queries.positions()
        assert (position.market, position.no_free) == (1, 30)
        account = await taker.queries.account()
        assert account is not None
        assert account.cash_free == 10_000_000_000 - 6_000 * 30
        with pytest.raises(RejectedError) as rejected:
            await taker.orders.place(1, Intent.SELL_YES, 4_000, 1)
        assert rejected.value.code == Code.INSUFFICIENT_SHARES
        await maker.orders.reduce(1, 20, order_id=placed.result)
        await maker.orders.cancel(1, client_order_id=7)
        assert await maker.queries.open_orders() == []
        with pytest.raises(QueryRefusedError, match="NOT_PERMITTED"):
            await maker.queries.account(2)


@with_nodes
async def test_the_leader_is_found_from_any_address(nodes: list[SingleNode]) -> None:
    """A client that knows only a follower is redirected and trades."""
    async with client_of([nodes[2]], TRADERS[0]) as client:
        assert (await client.orders.place(1, Intent.BUY_YES, 4_000, 1)).code == Code.OK
        assert nodes[2].gateway.counters.redirects >= 1


@with_nodes
async def test_a_failover_executes_each_command_once(nodes: list[SingleNode]) -> None:
    """Leaders change in the middle of a stream of commands.

    Each gets one outcome, in order, none is lost.
    """
    async with client_of(nodes, TRADERS[0]) as client:
        placed = []
        for turn in range(12):
            waiting = [
                asyncio.ensure_future(
                    client.orders.place(
                        1, Intent.BUY_YES, 4_000, 1, client_order_id=turn * 20 + n + 1
                    )
                )
                for n in range(20)
            ]
            await asyncio.sleep(0)
            if turn % 3 == 1:
                follow(nodes, nodes[(turn // 3 + 1) % 3])
            placed += [await one for one in waiting]
        assert [reply.sequence for reply in placed] == list(range(1, 241))
        assert len({reply.result for reply in placed}) == 240
        assert len(await client.queries.open_orders()) == 240
        assert client.session.reconnections >= 3
    assert len({node.venue.digest for node in nodes}) == 1


@with_nodes
async def test_a_reply_lost_with_its_connection_comes_after_all(nodes: list[SingleNode]) -> None:
    """The connection is cut after the log has the command and before the reply is out.

    One order, one reply.
    """
    leader = nodes[0]
    async with client_of(nodes, TRADERS[0]) as client:
        leader.hold()
        waiting = asyncio.ensure_future(client.orders.place(1, Intent.BUY_YES, 4_000, 5))
        await seen(lambda: leader.gateway.admission.count == 1)
        taken = leader.gateway.take(1 << 20)
        assert taken is not None
        follow(nodes, nodes[1])
        await seen(lambda: client.session.reconnections == 1)
        nodes[1].commit(*taken)  # The old leader's entry had reached a quorum.
        reply = await waiting
        assert reply.filled == 0
        assert len(await client.queries.open_orders()) == 1


@with_nodes
async def test_a_deposed_leader_that_does_not_know_it_is_passed_over(
    nodes: list[SingleNode],
) -> None:
    """A node that expects a sequence already acknowledged elsewhere is left for another one."""
    old, new, third = nodes
    async with client_of(nodes, TRADERS[0]) as client:
        await client.orders.place(1, Intent.BUY_YES, 4_000, 1)
        follow(nodes, new)
        assert (await client.orders.place(1, Intent.BUY_YES, 4_000, 1)).sequence == 2
        new.peers = [third]  # The old leader is cut off, and leads nobody.
        old.hold()
        old.is_leader = True
        for _ in range(3):
            assert (await client.orders.place(1, Intent.BUY_YES, 4_000, 1)).code == Code.OK
        assert client.session._connection is not None
        client.session._finder.prefer(Address("127.0.0.1", old.port))
        client.session._connection.abort()
        last = await client.orders.place(1, Intent.BUY_YES, 4_000, 1)
        assert last.sequence == 6
        account = new.venue.account(1)
        assert account is not None
        assert account.order_count == 6


@with_nodes
async def test_no_reply_in_time_is_an_unknown_outcome_and_not_a_refusal(
    nodes: list[SingleNode],
) -> None:
    """The deadline raises OutcomeUnknownError.

    The command may still be executed, and the query tells.
    """
    timing = ClientTiming(reply=0.05, backoff_least=0.001, backoff_most=0.01)
    async with client_of(nodes, TRADERS[0], timing) as client:
        nodes[0].hold()
        with pytest.raises(OutcomeUnknownError) as unknown:
            await client.orders.place(1, Intent.BUY_YES, 4_000, 5, client_order_id=42)
        assert unknown.value.sequence == 1
        nodes[0].release()
        await client.session.drained()
        order = await client.queries.order_by_client_id(42)
        assert order is not None
        assert order.lots == 5


@with_nodes
async def test_a_session_taken_over_says_so(nodes: list[SingleNode]) -> None:
    """The client does not fight for its session: what waits ends in SessionLostError."""
    async with client_of(nodes, TRADERS[0]) as client:
        nodes[0].hold()
        waiting = asyncio.ensure_future(client.orders.place(1, Intent.BUY_YES, 4_000, 5))
        await seen(lambda: nodes[0].gateway.admission.count == 1)
        await RawClient.trader(nodes[0].port, TRADERS[0], session=client.session.number)
        with pytest.raises(SessionLostError, match="took the session over"):
            await waiting
        with pytest.raises(SessionLostError):
            await client.orders.cancel_all()
        await RawClient.close_all()


@with_nodes
async def test_streams_survive_failover_without_gap_or_repetition(nodes: list[SingleNode]) -> None:
    """Executions, a market, all accounts and a book go on at another node where they stopped."""
    async with client_of(nodes, TRADERS[0]) as client, client_of(nodes, OPERATOR) as operator:
        own = await client.market_data.executions()
        everyone = await operator.market_data.executions(0)
        market = await operator.market_data.market(1)
        feed = await client.market_data.book(1)
        for turn in range(6):
            for number in range(10):
                await client.orders.place(1, Intent.BUY_YES, 4_000 + number, 1)
            for subscription in (own, everyone, market):
                subscription._reader.restart()
            if turn % 2:
                follow(nodes, nodes[turn % 3])
        expected = nodes[0].venue.account(1)
        assert expected is not None
        for subscription in (own, everyone):
            sequences = []
            async for event in subscription:
                assert isinstance(event, OrderRested)
                sequences.append(event.header.stream_sequence)
                if len(sequences) == 60:
                    break
            assert sequences == list(range(2, 62)), "the deposit was event 1"
        newest = nodes[0].venue.market(1)
        assert newest is not None
        book = await feed.until(newest.stream_sequence)
        assert book.bids == {4_000 + number: 6 for number in range(10)}
        seen_in_market = 0
        async for event in market:
            seen_in_market = event.header.stream_sequence
            if seen_in_market == newest.stream_sequence:
                break
        own.close()
        assert [event async for event in own] == []


@with_nodes
async def test_fills_reach_both_sides(nodes: list[SingleNode]) -> None:
    """Each side's private stream tells its own fill, in its own terms."""
    async with client_of(nodes, TRADERS[0]) as maker, client_of(nodes, TRADERS[1]) as taker:
        of_maker = await maker.market_data.executions()
        of_taker = await taker.market_data.executions()
        await maker.orders.place(1, Intent.BUY_YES, 4_000, 10)
        await taker.orders.place(1, Intent.BUY_NO, 6_000, 10)
        prices = []
        for subscription in (of_maker, of_taker):
            async for event in subscription:
                if isinstance(event, OrderFilled):
                    prices.append((event.intent, event.price, event.lots, event.leaves))
                    break
        assert prices == [(Intent.BUY_YES, 4_000, 10, 0), (Intent.BUY_NO, 6_000, 10, 0)]


@with_nodes
async def test_a_subscription_that_is_not_allowed_is_refused(nodes: list[SingleNode]) -> None:
    """A foreign account's executions raise, and the reader goes on."""
    async with client_of(nodes, TRADERS[0]) as client:
        with pytest.raises(SubscriptionRefusedError) as refused:
            await client.market_data.executions(2)
        assert refused.value.reason == Refusal.NOT_PERMITTED
        assert (await client.queries.market(1, linearizable=False)) is not None


@with_nodes
async def test_reads_move_to_the_leader_when_they_must(nodes: list[SingleNode]) -> None:
    """A linearizable query finds the leader wherever it is; a stale one is answered by any node."""
    async with client_of(nodes[1:], TRADERS[0]) as client:
        assert (await client.queries.market(1, linearizable=False)) is not None
    follow(nodes, nodes[2])
    async with client_of(nodes[1:], TRADERS[0]) as client:
        assert (await client.queries.market(1)) is not None


@with_nodes
async def test_bulk_frames_go_through_without_an_object_a_command(nodes: list[SingleNode]) -> None:
    """Encoded frames, renumbered into the session, get their replies as raw frames.

    Across a failover.
    """
    got: list[bytes] = []
    session = TradeSession(
        [("127.0.0.1", node.port) for node in nodes],  # type: ignore[misc]
        TRADERS[0],
        window=256,
        timing=QUICK,
        random=random.Random(1),
        on_replies=got.append,
        on_lost=lambda first, last, reason: pytest.fail(f"{first}..{last} lost: {reason}"),
    )
    await session.open()
    frames = CommandFrames(1)
    for number in range(2_000):
        frames.place(1, 1, number + 1, 4_000, 1, 1, 1)
    block = frames.take()
    assert session.send_frames(block, 2_000) == 1
    await asyncio.sleep(0)
    follow(nodes, nodes[1])
    session.frames.cancel_all(1, 0, 0, 0)
    await session.drained()
    replies = parse_replies(b"".join(got))
    assert [reply.sequence for reply in replies] == list(range(1, 2_002))
    assert {reply.code for reply in replies} == {Code.OK}
    await session.close()


def test_wrong_keys_and_absent_nodes_are_told_apart() -> None:
    """A key that the venue does not know is refused.

    Where nobody listens the client gives up in time.
    """

    async def body() -> None:
        timing = ClientTiming(open=0.1, backoff_least=0.001, backoff_most=0.01, connect=0.05)
        async with single_node() as node:
            stranger = client_of([node], SigningKey(bytes(32)), timing)
            with pytest.raises(LoginRefusedError, match="KEY_UNKNOWN"):
                await stranger.open()
            with pytest.raises(NotConnectedError, match="KEY_UNKNOWN"):
                await stranger.queries.events()  # A node that lags may not know it yet.
            port = node.port
        with pytest.raises(NotConnectedError):
            await Client([("127.0.0.1", port)], OPERATOR, timing=timing).open()

    asyncio.run(body())


def test_a_revoked_key_is_refused_for_good() -> None:
    """No retry: LoginRefusedError at once."""

    async def body() -> None:
        async with single_node() as node, client_of([node], OPERATOR) as operator:
            await set_up(operator)
            await operator.admin.revoke_key(bytes(TRADERS[0].verify_key))
            with pytest.raises(LoginRefusedError, match="KEY_REVOKED"):
                await client_of([node], TRADERS[0]).open()

    asyncio.run(body())


def test_the_synchronous_facade_trades() -> None:
    """The same calls, blocking, from a thread without a loop."""
    ready = threading.Event()
    ports: list[int] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with single_node() as node:
            ports.append(node.port)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(20)
    try:
        with SyncClient(
            lambda: Client([("127.0.0.1", ports[0])], OPERATOR, timing=QUICK)
        ) as operator:
            operator.run(set_up(operator.client))
            treasury = operator.queries.treasury()
            assert treasury.accounts == 2
        with SyncClient(
            lambda: Client([("127.0.0.1", ports[0])], TRADERS[0], timing=QUICK)
        ) as trader:
            stream = trader.run(trader.client.market_data.executions())
            placed = trader.orders.place(1, Intent.BUY_YES, 4_000, 10)
            rested = next(trader.iterate(aiter(stream)))
            assert isinstance(rested, OrderRested)
            assert rested.order_id == placed.result
            with pytest.raises(RejectedError):
                trader.orders.cancel(1, order_id=77)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
