"""A node behind real sockets, and what its clients say to it, for tests of the gateway."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from node.domain.codes import Code
from node.domain.commands import MARKET_OPEN
from node.domain.replies import REPLY
from node.protocol.command_frames import CommandFrames
from node.protocol.refusals import Refusal
from tests.raw_client import RawClient, Reply, parse_reply
from tests.single_node import OPERATOR, TRADERS, SingleNode, single_node

BUY_YES, SELL_YES, BUY_NO, SELL_NO = 1, 2, 3, 4


GTC = 1


def on_a_node(**options: Any) -> Callable[..., Callable[[], None]]:
    """Run an asynchronous test against a fresh node, within a deadline that only a hang reaches."""

    def decorate(test: Callable[[SingleNode], Awaitable[None]]) -> Callable[[], None]:
        def run() -> None:
            async def body() -> None:
                async with asyncio.timeout(60), single_node(**options) as node:
                    try:
                        await test(node)
                    finally:
                        await RawClient.close_all()

            uvloop.run(body())  # The loop that a node runs on.

        run.__name__ = test.__name__
        run.__doc__ = test.__doc__
        return run

    return decorate


async def set_up_market(node: SingleNode, traders: int = 3) -> RawClient:
    """Open accounts 1..n with 10,000 USDC each and market 1; return the operator's connection."""
    operator = await RawClient.trader(node.port, OPERATOR)
    frames = CommandFrames(1)
    for number in range(traders):
        key = bytes(TRADERS[number].verify_key)
        frames.account_open(1, bytes([number + 1]) * 20, key)
    for number in range(traders):
        frames.deposit(number + 1, 10_000_000_000, number + 1)
    frames.event_create(True, "an event")
    frames.market_create(1, 1, 0, 0, "a market")
    frames.lifecycle(MARKET_OPEN, 1, 0)
    count = frames.count
    operator.send(frames.take())
    for reply in await replies(operator, count):
        assert reply.code == Code.OK
    return operator


async def replies(client: RawClient, count: int) -> list[Reply]:
    """Return the next `count` frames, which are replies."""
    got = []
    for kind, frame in await client.frames(count):
        assert kind == REPLY, (kind, frame)
        got.append(parse_reply(frame))
    return got


def place(
    frames: CommandFrames, account: int, intent: int, price: int, lots: int, name: int = 0
) -> None:
    """Write a PLACE in market 1 with a client order id of its own."""
    frames.place(account, 1, name or frames.next_sequence, price, intent, GTC, lots)


async def seen(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    while not condition():
        await asyncio.sleep(0.001)


# Logins.


async def refusal_of(client: RawClient, frame: bytes) -> Refusal:
    """Send `frame`; return why the node ended the connection."""
    client.send(frame)
    refused = await client.refused()
    assert refused.closing
    assert await client.ended()
    return Refusal(refused.reason)


# Feeds.


def event_fields(frame: bytes) -> tuple[int, int, int]:
    """Return (type, stream, stream sequence) of an event frame."""
    kind, stream, sequence = struct.unpack_from("<4xh14xiq", frame)
    return kind, stream, sequence
