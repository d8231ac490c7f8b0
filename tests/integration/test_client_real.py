"""The client against real nodes whose leader is killed: nothing lost, nothing twice, no gap."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from client import Client
from client.private_events import OrderRested
from cluster.demonstration import free_base_port
from cluster.deployment import Deployment, Plan, create_deployment
from cluster.processes import await_leader, await_stopped, start_node, stop_all
from node.domain.terms import Intent

KILLS = 5
WORKERS = 20
ADDRESS = bytes(range(20))


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Three running nodes, all of which are gone afterwards."""
    made = create_deployment(tmp_path / "cluster", Plan(3, free_base_port(), "default"))
    try:
        for member in made.members:
            start_node(made, member.number)
        await_leader(made)
        yield made
    finally:
        stop_all(made)


def kill_and_restart_leader(deployment: Deployment) -> None:
    """SIGKILL whoever leads, and start it again."""
    leader = await_leader(deployment).node
    process = deployment.running(leader)
    assert process is not None
    os.kill(process, signal.SIGKILL)
    await_stopped(deployment, [leader])
    start_node(deployment, leader)
    await_leader(deployment)


def test_orders_and_streams_survive_killed_leaders(deployment: Deployment) -> None:
    """While leaders die, every order is placed once, and its owner's stream tells each once."""

    async def trade() -> None:
        async with Client.local(deployment.root) as venue:
            event = (await venue.admin.create_event("weather", exclusive=False)).result
            market = (await venue.admin.create_market(event, "rain")).result
            await venue.admin.open_market(market)
            account = (await venue.admin.open_account(ADDRESS, bytes(32))).result
            await venue.admin.deposit(account, 1_000_000_000_000, 1)
            executions = await venue.market_data.executions(account)
            feed = await venue.market_data.book(market)
            placed: list[int] = []
            stopping = False

            async def place(worker: int) -> None:
                while not stopping:
                    reply = await venue.orders.place(
                        market, Intent.BUY_YES, 4_000 + worker, 1, account=account
                    )
                    placed.append(reply.result)

            workers = [asyncio.ensure_future(place(number)) for number in range(WORKERS)]
            for _ in range(KILLS):
                await asyncio.to_thread(kill_and_restart_leader, deployment)
                reached = len(placed) + 100
                while len(placed) < reached:
                    await asyncio.sleep(0.01)
            stopping = True
            await asyncio.gather(*workers)

            assert len(placed) == len(set(placed))
            told = []
            async for one in executions:
                assert isinstance(one, OrderRested)
                told.append((one.header.stream_sequence, one.order_id))
                if len(told) == len(placed):
                    break
            assert [sequence for sequence, _ in told] == list(range(2, len(placed) + 2))
            assert sorted(order for _, order in told) == sorted(placed)
            record = await venue.queries.market(market)
            assert record is not None
            assert record.orders == len(placed)
            book = await feed.until(record.stream_sequence)
            assert sum(book.bids.values()) == len(placed)
            assert venue.session.reconnections >= KILLS

    uvloop.run(trade())
