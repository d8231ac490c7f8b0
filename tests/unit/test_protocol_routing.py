"""Replies and events on their way to whom they concern."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain import events
from node.domain.codes import Code
from node.domain.replies import REPLY
from node.protocol import messages
from node.protocol.event_routes import (
    EventRouter,
    behind_position,
    is_gapless,
    last_frame_offset,
    route_key,
    select_events,
)
from node.protocol.reply_runs import FreshReplies, ReplyRuns


def reply(session: int, sequence: int, code: int = 0) -> bytes:
    """Return a reply frame."""
    return struct.pack("<ihhiiqqqq", 48, REPLY, 0, session, code, sequence, 5, 6, 7)


def event(kind: int, stream: int, sequence: int, index: int = 1, ordinal: int = 0) -> bytes:
    """Return an event frame of the right size with a body of zeros."""
    size = SIZES[kind]
    head = struct.pack("<ihhqiiqq", size, kind, 0, index, ordinal, stream, sequence, 77)
    return head + bytes(size - len(head))


SIZES = {
    events.ORDER_RESTED: events.RESTED_SIZE,
    events.ORDER_FILLED: events.FILLED_SIZE,
    events.FILL: events.FILL_SIZE,
    events.DEPTH: events.DEPTH_SIZE,
    events.SESSION_OPENED: events.SESSION_EVENT_SIZE,
    events.KEY_REVOKED: events.KEY_EVENT_SIZE,
    events.CONFIGURED: events.CONFIGURED_SIZE,
}


@given(st.lists(st.integers(1, 4), max_size=40))
def test_each_session_gets_its_replies_in_order(sessions: list[int]) -> None:
    """Whatever the interleaving, a session's replies come out together, in order.

    None is lost.
    """
    frames = [reply(session, 100 + place) for place, session in enumerate(sessions)]
    runs = ReplyRuns(b"".join(frames))
    assert sorted(runs.sessions) == sorted(set(sessions))
    for session, got, newest in zip(runs.sessions, runs.frames, runs.newest, strict=True):
        own = [one for one, of in zip(frames, sessions, strict=True) if of == session]
        assert got == b"".join(own)
        assert newest == 100 + max(p for p, of in enumerate(sessions) if of == session)


def test_a_group_of_one_session_is_not_copied() -> None:
    """The replies of a single session are handed on as they are."""
    frames = reply(3, 1) + reply(3, 2)
    assert ReplyRuns(frames).frames[0] is frames


def test_replies_that_are_not_whole_are_an_error() -> None:
    """A router that is given part of a reply says so."""
    with pytest.raises(ValueError, match="49 bytes"):
        ReplyRuns(reply(1, 1) + b"x")


@given(
    base=st.integers(1, 12),
    sequences=st.lists(st.integers(1, 20), max_size=30),
)
def test_a_client_sees_each_reply_once_and_in_order(base: int, sequences: list[int]) -> None:
    """Repetitions and replies ahead of their turn are left out.

    What remains is gapless from `base`.
    """
    fresh = FreshReplies(b"".join(reply(1, number) for number in sequences), base)
    got = [
        struct.unpack_from("<q", fresh.frames, at + 16)[0] for at in range(0, len(fresh.frames), 48)
    ]
    assert got == list(range(base, fresh.base))
    assert fresh.trouble == 0
    expected = base
    for number in sequences:
        expected += number == expected
    assert fresh.base == expected


@pytest.mark.parametrize("code", [Code.UNKNOWN_SESSION, Code.SEQUENCE_GAP, Code.REPLY_FORGOTTEN])
def test_a_reply_about_the_session_is_no_outcome(code: Code) -> None:
    """It is reported as trouble and does not count as an answer."""
    fresh = FreshReplies(reply(1, 5) + reply(1, 6, code) + reply(1, 7), 5)
    assert (fresh.frames, fresh.base) == (reply(1, 5), 6)
    assert (fresh.trouble, fresh.trouble_sequence) == (code, 6)


def test_events_go_to_those_who_listen_and_to_nobody_else() -> None:
    """A stream's events come out in order under its key.

    Streams without a listener do not come out.
    """
    router = EventRouter()
    own, market = route_key(messages.EXECUTIONS, 4), route_key(messages.MARKET_DATA, 9)
    router.add(own)
    router.add(market)
    group = [
        event(events.ORDER_RESTED, 4, 1),
        event(events.ORDER_RESTED, 5, 1),
        event(events.DEPTH, 9, 1),
        event(events.DEPTH, 4, 1),
        event(events.ORDER_FILLED, 4, 2),
        event(events.CONFIGURED, 0, 1),
    ]
    routed = {part.key: part.frames for part in router.route(b"".join(group))}
    assert routed == {own: group[0] + group[4], market: group[2]}
    router.remove(own)
    router.remove(market)
    assert router.route(b"".join(group)) == []


def test_all_streams_of_a_feed_come_in_log_order() -> None:
    """Stream 0 is every stream of its feed, beside those that are followed by number."""
    router = EventRouter()
    router.add(route_key(messages.EXECUTIONS, 0))
    router.add(route_key(messages.EXECUTIONS, 2))
    group = [event(events.ORDER_RESTED, number, 1) for number in (1, 2, 3)]
    routed = {part.key: part.frames for part in router.route(b"".join(group))}
    assert routed == {
        route_key(messages.EXECUTIONS, 0): b"".join(group),
        route_key(messages.EXECUTIONS, 2): group[1],
    }


def test_events_about_sessions_and_keys_are_always_found() -> None:
    """The gateway must see them even when nobody subscribes."""
    router = EventRouter()
    opened, revoked = event(events.SESSION_OPENED, 0, 1), event(events.KEY_REVOKED, 0, 3)
    group = opened + event(events.CONFIGURED, 0, 2) + event(events.FILL, 1, 1) + revoked
    assert router.route(group) == []
    assert router.control == [opened, revoked]
    router.add(route_key(messages.VENUE, 0))
    assert [part.frames for part in router.route(opened)] == [opened]


def test_routing_agrees_with_a_plain_loop() -> None:
    """On random groups and subscriptions the router gives what one `if` an event would."""
    source = random.Random(5)
    kinds = [events.ORDER_RESTED, events.ORDER_FILLED, events.FILL, events.DEPTH]
    feed_of = {160: 1, 161: 1, 192: 2, 193: 2}
    for _ in range(100):
        router = EventRouter()
        keys = {(source.randint(1, 2), source.randint(0, 4)) for _ in range(source.randint(0, 6))}
        for key in keys:
            router.add(route_key(*key))
        group = [(source.choice(kinds), source.randint(1, 5)) for _ in range(source.randint(0, 40))]
        frames = [event(kind, stream, place) for place, (kind, stream) in enumerate(group)]
        expected: dict[int, bytes] = {}
        for one, (kind, stream) in zip(frames, group, strict=True):
            for key in ((feed_of[kind], stream), (feed_of[kind], 0)):
                if key in keys:
                    name = route_key(*key)
                    expected[name] = expected.get(name, b"") + one
        got = {part.key: part.frames for part in router.route(b"".join(frames))}
        assert got == expected


def test_the_past_of_a_stream_is_selected_from_a_sequence() -> None:
    """Selection keeps one stream's events from a sequence on."""
    group = [event(events.DEPTH, number % 3 + 1, number // 3 + 1) for number in range(12)]
    chosen = select_events(b"".join(group), messages.MARKET_DATA, 2, 3)
    assert chosen == group[7] + group[10]
    assert select_events(b"".join(group), messages.MARKET_DATA, 0, 1) == b"".join(group)
    assert select_events(b"".join(group), messages.EXECUTIONS, 0, 1) == b""


def test_positions_and_gaps_are_seen() -> None:
    """What has been seen already is cut off by position; a missing sequence is noticed."""
    group = [event(events.DEPTH, 1, n + 1, index=n // 2, ordinal=n % 2) for n in range(6)]
    frames = b"".join(group)
    assert behind_position(frames, 1, 0) == b"".join(group[3:])
    assert behind_position(frames, 9, 9) == b""
    assert is_gapless(frames, 0)
    assert not is_gapless(frames, 1)
    assert not is_gapless(group[0] + group[2], 0)
    assert last_frame_offset(frames) == 5 * events.DEPTH_SIZE
