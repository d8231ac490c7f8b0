"""Feeds and leadership over real sockets: who follows what, from where, and through changes."""

import struct

from node.gateway.gateway_limits import GatewayLimits
from node.gateway.seams import LeaderAddress
from node.protocol import messages
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import (
    encode_query,
    encode_subscribe,
    encode_unsubscribe,
)
from node.protocol.refusals import Refusal
from tests.gateway_node import (
    BUY_NO,
    BUY_YES,
    event_fields,
    on_a_node,
    place,
    replies,
    seen,
    set_up_market,
)
from tests.raw_client import RawClient
from tests.single_node import OPERATOR, TRADERS, History, SingleNode

# Leadership.


@on_a_node()
async def test_a_node_that_stops_says_goodbye(node: SingleNode) -> None:
    """Every client hears SHUTTING_DOWN before the end."""
    trader = await set_up_market(node)
    reader = await RawClient.reader_of(node.port, OPERATOR)
    await node.gateway.stop()
    for client in (trader, reader):
        assert (await client.refused()).reason == Refusal.SHUTTING_DOWN
        assert await client.ended()


@on_a_node()
async def test_a_leader_that_cannot_confirm_its_lead_admits_no_trader(node: SingleNode) -> None:
    """Behind a barrier that fails a login is refused as NOT_READY, and tried again elsewhere."""
    operator = await set_up_market(node)
    node.barriers_fail = True
    for session in (0, operator.session, 999):
        client = await RawClient.connect(node.port)
        client.send(client.login_frame(OPERATOR, session=session))
        assert (await client.refused()).reason == Refusal.NOT_READY
        assert await client.ended()


@on_a_node()
async def test_a_follower_redirects_traders_and_serves_readers(node: SingleNode) -> None:
    """Trade logins are sent to the leader; reads that may be stale, and feeds, work on any node."""
    await set_up_market(node)
    node.lose_leadership(LeaderAddress(2, "node-2.example", 7_420))
    client = await RawClient.connect(node.port)
    client.send(client.login_frame(OPERATOR))
    kind, frame = await client.frame()
    assert kind == messages.REDIRECT
    assert struct.unpack_from("<ii", frame, 8) == (2, 7_420)
    assert frame[16:].rstrip(b"\x00") == b"node-2.example"
    assert await client.ended()
    reader = await RawClient.reader_of(node.port, TRADERS[0])
    reader.send(encode_query(1, messages.ACCOUNT, 1, 0, 0, 0, 0))
    assert (await reader.frame())[0] == messages.ANSWER
    reader.send(encode_query(2, messages.ACCOUNT, 1, 0, messages.LINEARIZABLE, 0, 0))
    refused = await reader.refused()
    assert (refused.reason, refused.detail, refused.request) == (Refusal.NOT_LEADER, 2, 2)


@on_a_node()
async def test_when_leadership_is_lost_traders_are_redirected_and_feeds_stay(
    node: SingleNode,
) -> None:
    """Traders and those waiting for a session get REDIRECT and the end.

    Subscribers get the next events.
    """
    operator = await set_up_market(node)
    reader = await RawClient.reader_of(node.port, OPERATOR)
    reader.send(encode_subscribe(1, messages.VENUE, 0, 0, 0, 0))
    assert (await reader.frame())[0] == messages.SUBSCRIBED
    node.hold()
    waiting = await RawClient.connect(node.port)
    waiting.send(waiting.login_frame(OPERATOR))
    await seen(lambda: node.gateway.admission.count == 1)
    node.lose_leadership(None)
    assert node.gateway.admission.count == 0
    for client in (operator, waiting):
        kind, frame = await client.frame()
        assert kind == messages.REDIRECT
        assert struct.unpack_from("<ii", frame, 8) == (0, 0)
        assert await client.ended()
    frames = CommandFrames(10)
    frames.checkpoint()
    record = struct.pack("<ii", operator.session, 0) + frames.take()
    node.commit([record], 1)  # What the new leader has proposed arrives here.
    assert (await reader.frame())[0] == 232


@on_a_node()
async def test_a_replaced_state_ends_the_feeds(node: SingleNode) -> None:
    """After a snapshot took the state's place subscribers must start over; others stay."""
    operator = await set_up_market(node)
    reader = await RawClient.reader_of(node.port, TRADERS[0])
    reader.send(encode_subscribe(1, messages.MARKET_DATA, 1, 0, 0, 0))
    assert (await reader.frame())[0] == messages.SUBSCRIBED
    node.gateway.state_replaced()
    assert (await reader.refused()).reason == Refusal.STATE_REPLACED
    operator.send(encode_query(1, messages.STATUS, 0, 0, 0, 0, 0))
    assert (await operator.frame())[0] == messages.ANSWER


@on_a_node()
async def test_depth_comes_as_of_a_sequence_and_then_what_changes(node: SingleNode) -> None:
    """A subscriber with depth gets SUBSCRIBED, the levels as of S, and the events from S + 1."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    place(frames, 1, BUY_YES, 4_000, 100)
    place(frames, 1, BUY_YES, 3_900, 50)
    place(frames, 1, BUY_NO, 5_500, 20)
    trader.send(frames.take())
    await replies(trader, 3)
    reader = await RawClient.reader_of(node.port, TRADERS[1])
    reader.send(encode_subscribe(9, messages.MARKET_DATA, 1, messages.WITH_DEPTH, 0, 0))
    (_, subscribed), (kind, levels) = await reader.frames(2)
    request, _, _, _, index, sequence = struct.unpack_from("<qhhiqq", subscribed, 8)
    assert (request, index) == (9, node.venue.log_index)
    assert kind == messages.DEPTH_LEVELS
    assert struct.unpack_from("<qiiqqq", levels, 8) == (9, 1, 0, index, sequence, 3)
    assert list(struct.iter_unpack("<iiq", levels[48:])) == [
        (4_000, 1, 100),
        (3_900, 1, 50),
        (4_500, 2, 20),
    ]
    place(frames, 1, BUY_YES, 4_100, 7)
    trader.send(frames.take())
    _, change = await reader.frame()
    assert event_fields(change) == (193, 1, sequence + 1)


@on_a_node()
async def test_streams_resume_from_a_sequence_without_gap_or_repetition(node: SingleNode) -> None:
    """From any sequence that is held, the past follows and then the present, each event once."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    for _ in range(10):
        place(frames, 1, BUY_YES, 4_000, 1)
        trader.send(frames.take())
        await replies(trader, 1)
    account = node.venue.account(1)
    assert account is not None
    newest = account.stream_sequence
    for start in (1, 4, newest, newest + 1):
        reader = await RawClient.reader_of(node.port, TRADERS[0])
        reader.send(encode_subscribe(3, messages.EXECUTIONS, 1, 0, 0, start))
        _, subscribed = await reader.frame()
        assert struct.unpack_from("<q", subscribed, 32)[0] == start - 1
        past = [event_fields(frame)[2] for _, frame in await reader.frames(newest - start + 1)]
        assert past == list(range(start, newest + 1))
        place(frames, 1, BUY_YES, 4_000, 1)
        trader.send(frames.take())
        await replies(trader, 1)
        assert event_fields((await reader.frame())[1])[2] == newest + 1
        newest += 1
    ahead = await RawClient.reader_of(node.port, TRADERS[0])
    ahead.send(encode_subscribe(4, messages.EXECUTIONS, 1, 0, 0, newest + 2))
    assert (await ahead.refused()).reason == Refusal.NOT_YET_APPLIED


@on_a_node()
async def test_the_beginning_can_be_asked_for_before_there_is_any(node: SingleNode) -> None:
    """Behind entry 1 is everything: a node that has applied nothing yet says so and no more."""
    reader = await RawClient.reader_of(node.port, OPERATOR)
    reader.send(encode_subscribe(1, messages.EXECUTIONS, 0, 0, 1, 0))
    assert (await reader.frame())[0] == messages.SUBSCRIBED
    reader.send(encode_subscribe(2, messages.MARKET_DATA, 0, 0, 2, 0))
    assert (await reader.refused()).reason == Refusal.NOT_YET_APPLIED


@on_a_node(history=History(most=5), limits=GatewayLimits(replay_bytes=64))
async def test_a_past_that_is_gone_is_refused_with_the_oldest_index(node: SingleNode) -> None:
    """TOO_OLD names the oldest index that is held; what is held is served, slice by slice."""
    await set_up_market(node)
    trader = await RawClient.trader(node.port, TRADERS[0])
    frames = CommandFrames(1)
    for _ in range(10):
        place(frames, 1, BUY_YES, 4_000, 1)
        trader.send(frames.take())
        await replies(trader, 1)
    oldest = node.history.oldest_index
    reader = await RawClient.reader_of(node.port, OPERATOR)
    for request in (
        encode_subscribe(1, messages.EXECUTIONS, 1, 0, 0, 1),
        encode_subscribe(1, messages.EXECUTIONS, 0, 0, oldest - 2, 0),
        encode_subscribe(1, messages.MARKET_DATA, 1, 0, 1, 2),
    ):
        reader.send(request)
        refused = await reader.refused()
        assert (refused.reason, refused.detail) == (Refusal.TOO_OLD, oldest)
    reader.send(encode_subscribe(2, messages.EXECUTIONS, 0, 0, oldest - 1, 0))
    assert (await reader.frame())[0] == messages.SUBSCRIBED
    got = [struct.unpack_from("<q", frame, 8)[0] for _, frame in await reader.frames(5)]
    assert got == list(range(oldest, oldest + 5))


@on_a_node(limits=GatewayLimits(subscriptions=2))
async def test_who_may_follow_what(node: SingleNode) -> None:
    """Executions are for their owner, brokers and operators.

    Other ways to ask wrongly have their reasons.
    """
    await set_up_market(node)
    trader = await RawClient.reader_of(node.port, TRADERS[0])
    for feed, stream, reason in (
        (messages.EXECUTIONS, 2, Refusal.NOT_PERMITTED),
        (messages.EXECUTIONS, 0, Refusal.NOT_PERMITTED),
        (messages.VENUE, 0, Refusal.NOT_PERMITTED),
        (9, 1, Refusal.NOT_PERMITTED),
        (messages.MARKET_DATA, 77, Refusal.STREAM_UNKNOWN),
    ):
        trader.send(encode_subscribe(5, feed, stream, 0, 0, 0))
        refused = await trader.refused()
        assert (refused.reason, refused.closing, refused.request) == (reason, False, 5)
    for feed, stream in ((messages.EXECUTIONS, 1), (messages.MARKET_DATA, 0)):
        trader.send(encode_subscribe(6, feed, stream, 0, 0, 0))
        assert (await trader.frame())[0] == messages.SUBSCRIBED
    trader.send(encode_subscribe(7, messages.MARKET_DATA, 0, 0, 0, 0))
    assert (await trader.refused()).reason == Refusal.ALREADY_SUBSCRIBED
    trader.send(encode_subscribe(7, messages.MARKET_DATA, 1, 0, 0, 0))
    assert (await trader.refused()).reason == Refusal.TOO_MANY_SUBSCRIPTIONS
    trader.send(encode_unsubscribe(8, messages.EXECUTIONS, 1))
    assert (await trader.frame())[0] == messages.UNSUBSCRIBED
    trader.send(encode_unsubscribe(8, messages.EXECUTIONS, 1))
    assert (await trader.refused()).reason == Refusal.NOT_SUBSCRIBED
