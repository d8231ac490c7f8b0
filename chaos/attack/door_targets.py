"""Decoders at the client's port, on both ends of it: frames, the node's stream, replies, events."""

from collections.abc import Sequence
from itertools import product
from struct import Struct
from typing import Any, Final

from chaos.attack.target import BrokenPromiseError, Forms, Target
from node.domain.commands import COMMAND_SIZES, MAX_CLIENT_COMMAND
from node.domain.events import EventType
from node.domain.replies import REPLY, REPLY_SIZE
from node.protocol import encoding, messages
from node.protocol.command_frames import CommandFrames, bytes_of_frames, renumber
from node.protocol.event_routes import (
    EventRouter,
    behind_position,
    is_gapless,
    last_frame_offset,
    route_key,
    select_events,
)
from node.protocol.framing import FrameScanner, records_that_fit
from node.protocol.reply_runs import FreshReplies, ReplyRuns
from node.protocol.stream import NodeStream

SESSION: Final = 7
WINDOW: Final = 16
_RECORD_LEAST: Final = 24
_EVENT = Struct("<ihhqiiqq")
_REPLY = Struct("<ihhiiqqqq")
_HEAD = Struct("<ihh")


def client_frames() -> list[bytes]:
    """Return one valid frame of every kind that a client may send, and runs of them."""
    frames = CommandFrames(1)
    frames.place(1, 1, 77, 5_000, 1, 1, 100)
    frames.cancel(1, 1, 5, 0)
    frames.reduce(1, 1, 0, 77, 50)
    run = frames.take()
    corpus = [run]
    for kind in range(1, MAX_CLIENT_COMMAND + 1):
        size = COMMAND_SIZES.get(kind, 0)
        if size:
            body = bytes(place % 256 for place in range(size - 16))
            corpus.append(_HEAD.pack(size, kind, 0) + (1).to_bytes(8, "little") + body)
    corpus += [
        encoding.encode_login(1, messages.TRADE, 0, 1_024, b"k" * 32, b"s" * 64),
        encoding.encode_heartbeat(),
        encoding.encode_logout(),
        encoding.encode_subscribe(1, messages.MARKET_DATA, 1, 1, 0, 0),
        encoding.encode_unsubscribe(2, messages.VENUE, 0),
        encoding.encode_query(3, messages.STATUS, 0, 0, 0, 0, 0),
        encoding.encode_preview(4, 0, 0, _HEAD.pack(88, 8, 0) + bytes(80)),
    ]
    return corpus


def node_frames() -> list[bytes]:
    """Return valid frames of every kind that a node may send, and runs of them."""
    corpus = [
        encoding.encode_challenge(1, 1, 1, bytes(16), b"n" * 32, 5_000, 1_000),
        encoding.encode_login_accepted(7, 16, 1, 9, 2, 3, 1, messages.TRADE, 1),
        encoding.encode_refused(60, closing=False, resend_from=3, detail=9),
        encoding.encode_redirect(2, "127.0.0.1", 7_410),
        encoding.encode_heartbeat(5, 6),
        encoding.encode_logout(),
        encoding.encode_subscribed(1, 2, 1, 1, 5, 6),
        encoding.encode_unsubscribed(1, 2, 1),
        encoding.encode_depth_levels(
            1, 1, more=False, log_index=5, stream_sequence=6, levels=b"l" * 48
        ),
        encoding.encode_answer(1, messages.STATUS, 0, 32, 5, 0, 2, bytes(64)),
    ]
    return corpus + reply_frames() + event_frames()


def reply_frames() -> list[bytes]:
    """Return runs of replies of one session and of several."""
    replies = [
        _REPLY.pack(REPLY_SIZE, REPLY, 0, session, code, sequence, 5, 6, 7)
        for session, code, sequence in product((1, 2), (0, 101, 208), (1, 2))
    ]
    return [b"".join(replies), b"".join(replies[::5]), replies[0], replies[2], replies[7]]


def event_frames() -> list[bytes]:
    """Return an event of every kind, and a gapless run."""
    corpus = [
        _EVENT.pack(size, kind, 0, 9, 1, 1, 1, 99) + bytes(size - _EVENT.size)
        for kind in EventType
        for size in (48, 104)
    ]
    run = [_EVENT.pack(40, 192, 0, 9 + n, n, 1, 1 + n, 99) for n in range(4)]
    return [*corpus, b"".join(run)]


def cut_of(data: bytes) -> int:
    """Return where to cut `data` into the two pieces that arrive: the same place each time."""
    size = len(data)
    return (data[-1] << 8 | data[0]) % (size + 1) if size else 0


# Frames of clients.


def judge_frames(inputs: Sequence[bytes]) -> None:
    """Demand that a scanner never raises, makes nothing up, and minds no chunk's end."""
    for data in inputs:
        scanner = FrameScanner(messages.MAX_CLIENT_FRAME)
        scanner.open(SESSION, 1, WINDOW)
        cut = cut_of(data)
        scanner.feed(data[:cut])
        records, count, said = scanner.records, scanner.count, scanner.messages
        scanner.feed(data[cut:])
        count += scanner.count
        size = len(records) + len(scanner.records)
        if not _RECORD_LEAST * count <= size <= len(data) + 8 * count:
            raise BrokenPromiseError(f"{count} records of {size} bytes out of {len(data)} bytes")
        if cut & 7 == 0:
            _compare_scans(
                data, scanner.expected, records + scanner.records, said + scanner.messages
            )


def _compare_scans(data: bytes, expected: int, records: bytes, said: list[bytes]) -> None:
    whole = FrameScanner(messages.MAX_CLIENT_FRAME)
    whole.open(SESSION, 1, WINDOW)
    whole.feed(data)
    if (whole.records, whole.messages, whole.expected) != (records, said, expected):
        raise BrokenPromiseError("in two pieces the same bytes are scanned otherwise")


def frame_verdict(forms: Forms, data: bytes) -> Any:  # noqa: ANN401 - compared, never looked into
    """Return all that a scanner says about `data` in two pieces."""
    scanner = forms.framing.FrameScanner(messages.MAX_CLIENT_FRAME)
    scanner.open(SESSION, 1, WINDOW)
    said = []
    cut = cut_of(data)
    for chunk in (data[:cut], data[cut:]):
        scanner.feed(chunk)
        said.append((scanner.records, scanner.count, scanner.messages, scanner.refusal))
        said.append((scanner.detail, scanner.resend_from, scanner.expected, scanner.skipped))
    return said


# What a node sends.


def judge_stream(inputs: Sequence[bytes]) -> None:
    """Demand that a stream never raises, makes nothing up, and minds no chunk's end."""
    for data in inputs:
        stream = NodeStream()
        cut = cut_of(data)
        stream.feed(data[:cut])
        replies, events, said = stream.replies, stream.events, stream.messages
        stream.feed(data[cut:])
        replies += stream.replies
        events += stream.events
        said += stream.messages
        if len(replies) + len(events) + sum(map(len, said)) > len(data):
            raise BrokenPromiseError("more came out than went in")
        whole = NodeStream()
        whole.feed(data)
        found = (whole.replies, whole.events, whole.messages, whole.failed)
        if found != (replies, events, said, stream.failed):
            raise BrokenPromiseError("in two pieces the same bytes are sorted otherwise")


def stream_verdict(forms: Forms, data: bytes) -> Any:  # noqa: ANN401 - compared, never looked into
    """Return all that a stream says about `data`."""
    stream = forms.stream.NodeStream()
    stream.feed(data)
    return stream.replies, stream.events, stream.messages, stream.failed


def judge_replies(inputs: Sequence[bytes]) -> None:
    """Demand that replies are split without loss, and ValueError for what is not whole."""
    for data in inputs:
        FreshReplies(data, 1)
        try:
            runs = ReplyRuns(data)
        except ValueError:
            continue
        if sum(map(len, runs.frames)) != len(data):
            raise BrokenPromiseError("replies were lost or made up")


def reply_verdict(forms: Forms, data: bytes) -> Any:  # noqa: ANN401 - compared, never looked into
    """Return how replies are split and sifted."""
    fresh = forms.reply_runs.FreshReplies(data, 1)
    sifted = fresh.frames, fresh.base, fresh.trouble, fresh.trouble_sequence
    try:
        runs = forms.reply_runs.ReplyRuns(data)
    except ValueError:
        return sifted
    return sifted, runs.sessions, runs.frames, runs.newest


# Events: whole frames only, as a stream lets them through.


def judge_events(inputs: Sequence[bytes]) -> None:
    """Demand that whatever events pass the stream can be routed, selected and searched."""
    router = EventRouter()
    for feed, stream in ((1, 0), (2, 0), (2, 1), (3, 0)):
        router.add(route_key(feed, stream))
    for data in inputs:
        stream_ = NodeStream()
        stream_.feed(data)
        events = stream_.events
        if not events:
            continue
        is_gapless(events, 0)
        if len(behind_position(events, 9, 1)) > len(events):
            raise BrokenPromiseError("more events came out than went in")
        if not 0 <= last_frame_offset(events) < len(events):
            raise BrokenPromiseError("the last event lies outside")
        routed = router.route(events)
        if sum(len(one.frames) for one in routed) > 2 * len(events):
            raise BrokenPromiseError("more events were routed than there were")
        select_events(events, 2, 1, 2)


def event_verdict(forms: Forms, data: bytes) -> Any:  # noqa: ANN401 - compared, never looked into
    """Return how the events in `data` are routed, selected and searched."""
    stream = forms.stream.NodeStream()
    stream.feed(data)
    events = stream.events
    if not events:
        return events
    routes = forms.event_routes
    router = routes.EventRouter()
    router.add(route_key(2, 0))
    router.add(route_key(2, 1))
    routed = [(one.key, one.frames) for one in router.route(events)]
    found = routes.is_gapless(events, 0), routes.behind_position(events, 9, 1)
    return routed, router.control, found, routes.select_events(events, 2, 1, 2)


# Commands: whole frames only, as a scanner lets them through.


def judge_commands(inputs: Sequence[bytes]) -> None:
    """Demand that whatever passes the scanner can be cut to size and renumbered."""
    for data in inputs:
        scanner = FrameScanner(messages.MAX_CLIENT_FRAME)
        scanner.open(SESSION, 1, WINDOW)
        scanner.feed(data)
        records = scanner.records
        if not records:
            continue
        half, number = records_that_fit(records, len(records) // 2)
        whole, count = records_that_fit(records, len(records))
        if (whole, count) != (len(records), scanner.count) or half > whole or number > count:
            raise BrokenPromiseError("records do not add up to what was admitted")
        first = records[8 : records_that_fit(records, 160)[0]] if count == 1 else b""
        if first:
            again = renumber(first, 1)
            if bytes_of_frames(again, 1) != len(first) or again[16:] != first[16:]:
                raise BrokenPromiseError("renumbering changed more than the sequence")


def command_verdict(forms: Forms, data: bytes) -> Any:  # noqa: ANN401 - compared, never looked into
    """Return how the admitted records are cut."""
    scanner = forms.framing.FrameScanner(messages.MAX_CLIENT_FRAME)
    scanner.open(SESSION, 1, WINDOW)
    scanner.feed(data)
    records = scanner.records
    return records, tuple(forms.framing.records_that_fit(records, len(records) // 2))


def door_targets() -> list[Target]:
    """Return the decoders of the client protocol."""
    framing = ("node.protocol.framing",)
    stream = ("node.protocol.stream",)
    return [
        Target(
            "frame",
            "a client's frames at the node",
            framing,
            client_frames(),
            judge_frames,
            verdict=frame_verdict,
        ),
        Target(
            "stream",
            "a node's frames at the client",
            stream,
            node_frames(),
            judge_stream,
            verdict=stream_verdict,
        ),
        Target(
            "replies",
            "replies, split and sifted",
            ("node.protocol.reply_runs",),
            reply_frames(),
            judge_replies,
            verdict=reply_verdict,
        ),
        Target(
            "events",
            "events, routed and resumed",
            (*stream, "node.protocol.event_routes"),
            event_frames(),
            judge_events,
            verdict=event_verdict,
        ),
        Target(
            "commands",
            "admitted commands, cut and renumbered",
            (*framing, "node.protocol.command_frames"),
            client_frames(),
            judge_commands,
            verdict=command_verdict,
        ),
    ]
