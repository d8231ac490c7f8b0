"""Questions to a node over real sockets, and their answers."""

import asyncio
import random
import struct

import pytest

from node.domain.codes import Code
from node.domain.terms import Intent
from node.gateway.gateway_limits import GatewayLimits
from node.gateway.seams import Found
from node.gateway.venue_reads import VenueReads
from node.protocol import messages
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import (
    encode_heartbeat,
    encode_logout,
    encode_preview,
    encode_query,
    encode_subscribe,
    encode_unsubscribe,
)
from node.protocol.refusals import Refusal
from tests.gateway_node import (
    BUY_YES,
    on_a_node,
    place,
    replies,
    seen,
    set_up_market,
)
from tests.raw_client import READ, RawClient
from tests.single_node import OPERATOR, TRADERS, SingleNode


@pytest.mark.parametrize(
    "message",
    [
        encode_subscribe(5, messages.MARKET_DATA, 1, 8, 0, 0),
        encode_subscribe(5, messages.MARKET_DATA, 0, messages.WITH_DEPTH, 0, 0),
        encode_subscribe(5, messages.MARKET_DATA, 1, messages.WITH_DEPTH, 0, 1),
        encode_subscribe(5, messages.MARKET_DATA, 0, 0, 0, 5),
        encode_subscribe(5, messages.MARKET_DATA, -1, 0, 0, 0),
        encode_subscribe(5, messages.MARKET_DATA, 1, 0, -1, 0),
        encode_subscribe(5, messages.MARKET_DATA, 1, 0, 0, -1),
        encode_query(5, messages.MARKET, 1, 0, 6, 0, 0),
        encode_query(5, messages.MARKET, -1, 0, 0, 0, 0),
        encode_query(5, messages.MARKETS, 0, 0, 0, -1, 0),
    ],
)
def test_messages_that_contradict_themselves_end_the_connection(message: bytes) -> None:
    """A message whose fields make no sense together is an error of the client's.

    Like a bad frame.
    """

    @on_a_node()
    async def run(node: SingleNode) -> None:
        client = await RawClient.reader_of(node.port, OPERATOR)
        client.send(message)
        refused = await client.refused()
        assert (refused.reason, refused.closing, refused.request) == (
            Refusal.MESSAGE_INVALID,
            True,
            5,
        )
        assert await client.ended()

    run()


# Queries.


@on_a_node()
async def test_answers_are_the_canonical_records(node: SingleNode) -> None:
    """Every subject answers with records of its layout, as of the index it says."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    place(frames, 1, BUY_YES, 4_000, 100, name=55)
    trader.send(frames.take())
    order = (await replies(trader, 1))[0].result
    operator = await RawClient.reader_of(node.port, OPERATOR)
    for subject, number, identifier, size, count in (
        (messages.ACCOUNT, 1, 0, 80, 1),
        (messages.POSITIONS, 1, 0, 72, 1),
        (messages.OPEN_ORDERS, 1, 0, 96, 1),
        (messages.ORDER, 1, order, 96, 1),
        (messages.ORDER_BY_CLIENT_ID, 1, 55, 96, 1),
        (messages.MARKET, 1, 0, 128, 1),
        (messages.MARKETS, 0, 0, 128, 1),
        (messages.EVENT, 1, 0, 96, 1),
        (messages.EVENTS, 0, 0, 96, 1),
        (messages.DEPTH, 1, 0, 16, 1),
        (messages.TREASURY, 0, 0, 96, 1),
        (messages.SCHEDULES, 0, 0, 32, 1),
        (messages.RULES, 1, 0, 56, 1),
        (messages.ORDER_GROUPS, 1, 0, 168, 0),
        (messages.CLEARING, 1, 0, 24, 0),
        (messages.PAUSES, 0, 0, 24, 0),
        (messages.STOPS, 0, 0, 32, 0),
        (messages.STATUS, 0, 0, 360, 1),
        (messages.ACCOUNTS, 0, 0, 80, 3),
    ):
        for options in (0, messages.LINEARIZABLE):
            operator.send(encode_query(8, subject, number, identifier, options, 0, 0))
            kind, frame = await operator.frame()
            assert kind == messages.ANSWER, subject
            assert struct.unpack_from("<qhhiqqq", frame, 8) == (
                8,
                subject,
                options,
                size,
                node.venue.log_index,
                0,
                count,
            )
            assert len(frame) == 48 + size * count


@on_a_node(limits=GatewayLimits(answer_bytes=1_024))
async def test_long_answers_continue_with_a_cursor(node: SingleNode) -> None:
    """More records than fit come in several answers, each once; bids come before asks."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    for name in range(1, 41):
        place(frames, 1, Intent.BUY_NO if name % 2 else BUY_YES, 4_000 + name, 1, name=name)
    trader.send(frames.take())
    await replies(trader, 40)
    names: list[int] = []
    cursor = 0
    answers = 0
    while True:
        trader.send(encode_query(1, messages.OPEN_ORDERS, 1, 0, 0, cursor, 0))
        _, frame = await trader.frame()
        names += [struct.unpack_from("<q", frame, at + 8)[0] for at in range(48, len(frame), 96)]
        answers += 1
        cursor = struct.unpack_from("<q", frame, 32)[0]
        if not cursor:
            break
    assert names == [*range(2, 41, 2), *range(1, 41, 2)]
    assert answers == 4


@on_a_node(limits=GatewayLimits(queries=2))
async def test_questions_that_cannot_be_answered_have_their_reasons(node: SingleNode) -> None:
    """Foreign accounts, unknown things, future indexes, lost leadership.

    Refused by name, connection kept.
    """
    await set_up_market(node)
    trader = await RawClient.reader_of(node.port, TRADERS[0])
    for subject, number, options, at_least, reason in (
        (messages.ACCOUNT, 2, 0, 0, Refusal.NOT_PERMITTED),
        (messages.ORDER, 0, 0, 0, Refusal.NOT_PERMITTED),
        (messages.ACCOUNTS, 0, 0, 0, Refusal.NOT_PERMITTED),
        (messages.MARKET, 99, 0, 0, Refusal.NOT_FOUND),
        (messages.RULES, 99, 0, 0, Refusal.NOT_FOUND),
        (99, 1, 0, 0, Refusal.SUBJECT_UNKNOWN),
        (messages.MARKET, 1, 0, 1_000_000, Refusal.NOT_YET_APPLIED),
    ):
        trader.send(encode_query(4, subject, number, 1, options, 0, at_least))
        refused = await trader.refused()
        assert (refused.reason, refused.closing, refused.request) == (reason, False, 4)
    node.barriers_fail = True
    trader.send(encode_query(4, messages.MARKET, 1, 0, messages.LINEARIZABLE, 0, 0))
    assert (await trader.refused()).reason == Refusal.NOT_LEADER


@on_a_node()
async def test_whoever_has_left_is_not_answered(node: SingleNode) -> None:
    """Questions of a connection that is closed cost the node nothing more."""
    await set_up_market(node)
    asked: list[int] = []
    find = VenueReads.find

    def counted(view: VenueReads, subject: int, *rest: int) -> Found | None:
        asked.append(subject)
        return find(view, subject, *rest)

    client = await RawClient.reader_of(node.port, TRADERS[0])
    query = encode_query(1, messages.MARKET, 1, 0, 0, 0, 0)
    behind_barrier = encode_query(1, messages.MARKET, 1, 0, messages.LINEARIZABLE, 0, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VenueReads, "find", counted)
        client.send(query * 8 + behind_barrier * 8 + encode_logout())
        assert (await client.frame())[0] == messages.LOGOUT
        assert await client.ended()
        other = await RawClient.reader_of(node.port, TRADERS[1])
        other.send(query)
        assert (await other.frame())[0] == messages.ANSWER
    assert asked == [messages.MARKET]
    assert node.gateway.counters.queries == 17


@on_a_node(limits=GatewayLimits(login_ms=500, linger_ms=100))
async def test_a_hundred_clients_that_send_garbage_change_nothing(node: SingleNode) -> None:
    """Damaged frames end their own connections; the venue and a neighbour go on."""
    neighbour = await set_up_market(node)
    source = random.Random(11)
    good = CommandFrames(1)
    place(good, 1, BUY_YES, 4_000, 1)
    said = [
        encode_heartbeat(),
        encode_subscribe(1, messages.MARKET_DATA, 1, 0, 0, 0),
        encode_query(1, messages.MARKET, 1, 0, 0, 0, 0),
        encode_unsubscribe(1, messages.MARKET_DATA, 1),
        encode_logout(),
        good.take(),
    ]

    async def misbehave(number: int) -> None:
        client = await RawClient.connect(node.port)
        if number % 2:
            await client.login(TRADERS[number % 3], purpose=READ if number % 4 == 1 else 1)
        noise = bytearray(b"".join(source.choices(said, k=source.randint(1, 20))))
        for _ in range(source.randint(1, 8)):
            noise[source.randrange(len(noise))] = source.randrange(256)
        client.send(bytes(noise))
        client.writer.write_eof()
        while (await client.frame())[0]:
            pass

    await asyncio.gather(*(misbehave(number) for number in range(100)))
    frames = CommandFrames(10)
    frames.checkpoint()
    neighbour.send(frames.take())
    assert (await replies(neighbour, 1))[0].code == Code.OK
    await seen(lambda: node.gateway.counters.connections_open == 1)


def order_of(account: int, intent: int, price: int, lots: int) -> bytes:
    """Return the frame of an order in market 1, as a PREVIEW carries it."""
    frames = CommandFrames(1)
    frames.place_with_terms(account, 1, 99, price, intent, 1, lots)
    return frames.take()


def test_a_preview_tells_what_an_order_would_come_to() -> None:
    """The node answers with the fills, the fee and the cash behind them, and changes nothing."""

    @on_a_node()
    async def run(node: SingleNode) -> None:
        operator = await set_up_market(node)
        frames = CommandFrames(10)
        place(frames, 1, BUY_YES, 4_000, 100)
        operator.send(frames.take())
        await replies(operator, 1)
        digest = node.venue.digest
        reader = await RawClient.reader_of(node.port, TRADERS[1])
        for options in (0, messages.LINEARIZABLE):
            reader.send(encode_preview(7, options, 0, order_of(2, 3, 6_500, 150)))
            ((kind, frame),) = await reader.frames(1)
            assert kind == messages.ANSWER
            assert struct.unpack_from("<qhhi", frame, 8) == (7, messages.PREVIEWS, options, 72)
            head = struct.unpack_from("<iiqqqqqq", frame, messages.ANSWER_RECORDS)
            cash_free = 10_000_000_000 - 100 * 6_000 - 50 * 6_500
            assert head == (Code.OK, 1, node.venue.stamp_ns, 100, 50, 600_000, 0, cash_free)
            fills = frame[messages.ANSWER_RECORDS + 56 :]
            assert list(struct.iter_unpack("<iiq", fills)) == [(6_000, 2, 100)]
        assert node.venue.digest == digest

    run()


def test_a_preview_is_its_account_s_own() -> None:
    """A trader previews its own orders only, and only what a PLACE_WITH_TERMS says."""

    @on_a_node()
    async def run(node: SingleNode) -> None:
        await set_up_market(node)
        reader = await RawClient.reader_of(node.port, TRADERS[1])
        reader.send(encode_preview(7, 0, 0, order_of(1, 3, 6_500, 150)))
        assert (await reader.refused()).reason == Refusal.NOT_PERMITTED
        broken = order_of(2, 3, 6_500, 150)
        reader.send(encode_preview(8, 0, 0, broken[:4] + b"\x01" + broken[5:]))
        assert (await reader.refused()).reason == Refusal.SUBJECT_UNKNOWN
        reader.send(encode_preview(9, 0, 1_000, broken))
        assert (await reader.refused()).reason == Refusal.NOT_YET_APPLIED

    run()
