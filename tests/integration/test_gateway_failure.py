"""What the gateway does when its node fails: at leading, or altogether."""

import asyncio
from typing import Any

import pytest

from node.gateway.connection import Connection
from node.gateway.session_opening import SessionOpening
from node.protocol import messages
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import encode_query
from tests.gateway_node import BUY_YES, on_a_node, place, seen, set_up_market
from tests.raw_client import READ, RawClient
from tests.single_node import OPERATOR, TRADERS, SingleNode


@on_a_node()
async def test_what_waits_is_forgotten_before_anybody_is_redirected(node: SingleNode) -> None:
    """At the moment of a failover no connection has to look for its commands among all others."""
    await set_up_market(node)
    traders = [await RawClient.trader(node.port, key) for key in TRADERS[:3]]
    node.hold()
    for number, trader in enumerate(traders):
        frames = CommandFrames(1)
        place(frames, number + 1, BUY_YES, 4_000, 1)
        trader.send(frames.take())
    await seen(lambda: node.gateway.admission.count == 3)
    waiting: list[int] = []
    redirect = Connection.redirect

    def watched(connection: Connection, *leader: Any) -> None:
        waiting.append(node.gateway.admission.count)
        redirect(connection, *leader)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "redirect", watched)
        node.lose_leadership()
    assert waiting == [0, 0, 0, 0]
    assert node.gateway.admission.size == 0


@on_a_node()
async def test_an_exception_in_a_login_is_an_assertion_of_the_loop(node: SingleNode) -> None:
    """Nobody expects it, so it must not be swallowed with the task that it ended."""
    reports = reported()

    def broken(*_: object) -> None:
        raise KeyError("a table without its row")

    client = await RawClient.connect(node.port)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SessionOpening, "_request", broken)
        client.send(client.login_frame(OPERATOR))
        await seen(lambda: len(reports) == 1)
    error = reports[0]["exception"]
    assert isinstance(error, AssertionError)
    assert "_admit_trader" in str(error)
    assert isinstance(error.__cause__, KeyError)


@on_a_node()
async def test_an_exception_in_an_answer_is_an_assertion_of_the_loop(node: SingleNode) -> None:
    """A question that breaks the node is noticed, not just never answered."""
    reports = reported()

    async def broken() -> int:
        raise KeyError("a table without its row")

    client = await RawClient.connect(node.port)
    await client.login(OPERATOR, purpose=READ, window=0)
    node.read_barrier = broken  # type: ignore[method-assign]
    client.send(encode_query(1, messages.STATUS, 0, 0, messages.LINEARIZABLE, 0, 0))
    await seen(lambda: len(reports) == 1)
    assert isinstance(reports[0]["exception"], AssertionError)


@on_a_node()
async def test_logins_that_a_stop_cancels_are_nobody_s_mistake(node: SingleNode) -> None:
    """A node that shuts down while a login waits for its barrier ends in peace."""
    entered = asyncio.Event()

    async def never() -> int:
        entered.set()
        await asyncio.Event().wait()
        return 0

    node.read_barrier = never  # type: ignore[method-assign]
    client = await RawClient.connect(node.port)
    client.send(client.login_frame(OPERATOR))
    await entered.wait()
    await node.gateway.stop()


def reported() -> list[dict[str, Any]]:
    """Collect what the loop reports from now on."""
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
    return reports
