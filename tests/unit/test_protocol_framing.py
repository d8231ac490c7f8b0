"""The scanner that cuts a client's bytes into log records, and its counterpart in the client."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain import commands, events
from node.domain.replies import REPLY, REPLY_SIZE
from node.protocol import messages, refusals
from node.protocol.command_frames import CommandFrames, bytes_of_frames, renumber
from node.protocol.encoding import (
    encode_answer,
    encode_depth_levels,
    encode_heartbeat,
    encode_login,
    encode_logout,
    encode_preview,
    encode_query,
    encode_redirect,
    encode_refused,
    encode_subscribe,
    encode_unsubscribe,
)
from node.protocol.framing import FrameScanner, records_that_fit
from node.protocol.stream import NodeStream

SESSION = 7
WINDOW = 100


def scanner(*, next_sequence: int = 1, window: int = WINDOW) -> FrameScanner:
    """Return a scanner in which a session is open."""
    made = FrameScanner(messages.MAX_CLIENT_FRAME)
    made.open(SESSION, next_sequence, window)
    return made


def place_frames(count: int, first: int = 1) -> list[bytes]:
    """Return PLACE frames with consecutive sequences."""
    out = CommandFrames(first)
    frames = []
    for number in range(count):
        out.place(1, 2, 1_000 + number, 5_000, 1, 1, 100 + number)
        frames.append(out.take())
    return frames


def frame(kind: int, length: int, sequence: int = 1, flags: int = 0) -> bytes:
    """Return a frame with any header; the body is zeros."""
    return struct.pack("<ihhq", length, kind, flags, sequence) + bytes(max(0, length - 16))


def as_records(frames: list[bytes]) -> bytes:
    """Return the log records of `frames`."""
    return b"".join(struct.pack("<ii", SESSION, 0) + one for one in frames)


def mixed_stream() -> tuple[bytes, bytes, list[bytes]]:
    """Return a stream of commands and messages, its records and its messages."""
    placed = place_frames(3)
    said = [encode_heartbeat(), encode_query(5, 1, 1, 0, 0, 0, 0), encode_logout()]
    stream = placed[0] + said[0] + placed[1] + said[1] + placed[2] + said[2]
    return stream, as_records(placed), said


def test_a_stream_gives_the_same_frames_wherever_it_is_cut() -> None:
    """Every split of a stream into two chunks gives the same records and messages as the whole."""
    stream, records, said = mixed_stream()
    for cut in range(len(stream) + 1):
        one = scanner()
        got, heard = b"", []
        for chunk in (stream[:cut], stream[cut:]):
            one.feed(chunk)
            assert one.refusal == refusals.NONE
            got += one.records
            heard += one.messages
        assert (got, heard) == (records, said), cut


def test_a_stream_gives_the_same_frames_byte_by_byte() -> None:
    """A client may send one byte at a time."""
    stream, records, said = mixed_stream()
    one = scanner()
    got, heard, count = b"", [], 0
    for position in range(len(stream)):
        one.feed(stream[position : position + 1])
        got += one.records
        heard += one.messages
        count += one.count
    assert (got, heard, count) == (records, said, 3)


def test_every_command_is_whole_words_long() -> None:
    """The scanner copies commands eight bytes at a time, so every size is a multiple of eight."""
    assert all(size % 8 == 0 for size in commands.COMMAND_SIZES.values())


def test_every_event_is_whole_words_long() -> None:
    """The router copies events eight bytes at a time, so every size is a multiple of eight."""
    sizes = {name: value for name, value in vars(events).items() if name.endswith("_SIZE")}
    assert len(sizes) > 10
    assert all(size % 8 == 0 for size in sizes.values()), sizes


@pytest.mark.parametrize(
    "kind", [k for k in commands.COMMAND_SIZES if k <= commands.MAX_CLIENT_COMMAND]
)
def test_each_command_is_taken_at_its_exact_size_only(kind: int) -> None:
    """A command one word shorter or longer than its layout is refused.

    At its exact size it is taken.
    """
    size = commands.COMMAND_SIZES[kind]
    for length, refusal in (
        (size, refusals.NONE),
        (size + 8, refusals.FRAME_SIZE_MISMATCH),
        (size - 8, refusals.FRAME_SIZE_MISMATCH),
    ):
        one = scanner()
        one.feed(frame(kind, length))
        assert one.refusal == refusal
        assert one.count == (1 if refusal == refusals.NONE else 0)


@pytest.mark.parametrize(
    ("bytes_in", "refusal"),
    [
        (frame(1, 7)[:8], refusals.FRAME_LENGTH_INVALID),
        (frame(1, -1)[:8], refusals.FRAME_LENGTH_INVALID),
        (frame(1, messages.MAX_CLIENT_FRAME + 1)[:8], refusals.FRAME_LENGTH_INVALID),
        (frame(1, 0x7FFFFFFF)[:8], refusals.FRAME_LENGTH_INVALID),
        (frame(0, 48), refusals.FRAME_TYPE_UNKNOWN),
        (frame(31, 48), refusals.FRAME_TYPE_UNKNOWN),
        (frame(-5, 48), refusals.FRAME_TYPE_UNKNOWN),
        (frame(commands.SESSION_OPEN, commands.SESSION_OPEN_SIZE), refusals.FRAME_TYPE_UNKNOWN),
        (frame(REPLY, REPLY_SIZE), refusals.FRAME_TYPE_UNKNOWN),
        (frame(messages.CHALLENGE, messages.CHALLENGE_SIZE), refusals.FRAME_TYPE_UNKNOWN),
        (frame(messages.ANSWER, 48), refusals.FRAME_TYPE_UNKNOWN),
        (frame(400, 48), refusals.FRAME_TYPE_UNKNOWN),
        (frame(1, 48, flags=1), refusals.FRAME_FLAGS_INVALID),
        (frame(1, 48, sequence=0), refusals.SEQUENCE_INVALID),
        (frame(1, 48, sequence=-3), refusals.SEQUENCE_INVALID),
        (frame(messages.LOGIN, 48), refusals.FRAME_SIZE_MISMATCH),
    ],
)
def test_what_is_no_frame_ends_the_stream_with_its_reason(bytes_in: bytes, refusal: int) -> None:
    """Bad bytes are named, closing, and nothing behind them is looked at.

    What came before them counts.
    """
    good = place_frames(2)
    one = scanner()
    one.feed(good[0] + bytes_in + good[1])
    assert one.refusal == refusal
    assert refusals.closes(one.refusal)
    assert one.records == as_records(good[:1])
    assert one.count == 1
    one.feed(good[1])
    assert (one.records, one.messages, one.refusal) == (b"", [], refusals.NONE)


def test_commands_before_a_login_are_refused() -> None:
    """Without an open session a command ends the connection."""
    one = FrameScanner(messages.MAX_CLIENT_FRAME)
    one.feed(place_frames(1)[0])
    assert one.refusal == refusals.STEP_INVALID
    assert one.records == b""


def test_a_gap_is_refused_once_and_names_where_to_resend_from() -> None:
    """After a gap everything is skipped, quietly, until the sequence that is missing comes."""
    frames = place_frames(6)
    one = scanner()
    one.feed(frames[0] + frames[2] + frames[3])
    assert (one.refusal, one.resend_from, one.count) == (refusals.SEQUENCE_GAP, 2, 1)
    assert not refusals.closes(one.refusal)
    one.feed(frames[4])
    assert (one.refusal, one.count) == (refusals.NONE, 0)
    one.feed(b"".join(frames[1:]))
    assert (one.refusal, one.records) == (refusals.NONE, as_records(frames[1:]))
    assert one.skipped == 3


def test_a_resend_is_taken_again() -> None:
    """Sequences at or below the last one go to the log once more.

    It answers with the original replies.
    """
    frames = place_frames(4)
    one = scanner(next_sequence=3)
    one.feed(b"".join(frames))
    assert (one.refusal, one.records) == (refusals.NONE, as_records(frames))
    assert one.expected == 5


def test_the_window_bounds_what_is_in_flight() -> None:
    """The command after `window` unacknowledged ones is refused without closing.

    Replies make room.
    """
    frames = place_frames(20)
    one = scanner(window=16)
    one.feed(b"".join(frames[:18]))
    assert (one.refusal, one.resend_from, one.count) == (refusals.WINDOW_EXCEEDED, 17, 16)
    one.feed(frames[16])
    assert (one.refusal, one.count) == (refusals.WINDOW_EXCEEDED, 0)
    one.acknowledge(2)
    one.feed(b"".join(frames[16:]))
    assert (one.refusal, one.resend_from, one.count) == (refusals.WINDOW_EXCEEDED, 19, 2)


def test_the_tail_never_grows_beyond_one_frame() -> None:
    """A frame that never ends holds at most the cap.

    Its length is checked before its bytes are kept.
    """
    one = FrameScanner(messages.MAX_CLIENT_FRAME)
    one.feed(struct.pack("<ihh", messages.LOGIN_SIZE, messages.LOGIN, 0))
    for _ in range(messages.LOGIN_SIZE - 9):
        one.feed(b"\x00")
        assert one.refusal == refusals.NONE
    assert one.messages == []
    one.feed(b"\x00" * 9)
    assert len(one.messages) == 1
    assert one.refusal == refusals.FRAME_LENGTH_INVALID  # The eight zeros behind it.


def is_good_frame(one: bytes) -> bool:
    """Judge one command by the document, not by the scanner."""
    length, kind, flags, sequence = struct.unpack_from("<ihhq", one)
    is_command = 1 <= kind <= commands.MAX_CLIENT_COMMAND
    is_whole = commands.COMMAND_SIZES.get(kind) == length == len(one)
    return is_command and is_whole and flags == 0 and bool(sequence >= 1)


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Draw chunks of frames, most of them good, some damaged, cut anywhere."""
    parts: list[bytes] = []
    sequence = 1
    for _ in range(draw(st.integers(0, 8))):
        choice = draw(st.integers(0, 9))
        if choice <= 5:
            kind = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 32, 36, 44]))
            size = commands.COMMAND_SIZES[kind]
            body = draw(st.binary(min_size=size - 16, max_size=size - 16))
            parts.append(struct.pack("<ihhq", size, kind, 0, sequence) + body)
            sequence += 1
        elif choice <= 7:
            parts.append(draw(st.sampled_from([encode_heartbeat(), encode_logout()])))
        elif choice == 8:
            parts.append(frame(draw(st.integers(-300, 400)), draw(st.integers(0, 200)), sequence))
        else:
            parts.append(draw(st.binary(max_size=40)))
    whole = bytearray(b"".join(parts))
    if whole and draw(st.booleans()):
        whole[draw(st.integers(0, len(whole) - 1))] ^= 1 << draw(st.integers(0, 7))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    return [bytes(whole[a:b]) for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@given(chunks=streams())
def test_whatever_comes_only_good_records_pass(chunks: list[bytes]) -> None:
    """No bytes make the scanner raise, and each record it lets pass is a whole.

    Well-formed command in order.
    """
    one = scanner()
    expected = 1
    for chunk in chunks:
        one.feed(chunk)
        position = 0
        count = 0
        while position < len(one.records):
            assert struct.unpack_from("<ii", one.records, position) == (SESSION, 0)
            length = struct.unpack_from("<i", one.records, position + 8)[0]
            command = one.records[position + 8 : position + 8 + length]
            assert is_good_frame(command)
            sequence = struct.unpack_from("<q", command, 8)[0]
            assert sequence <= expected
            expected = max(expected, sequence + 1)
            position += 8 + length
            count += 1
        assert count == one.count
        for said in one.messages:
            kind = struct.unpack_from("<h", said, 4)[0]
            assert len(said) == messages.CLIENT_MESSAGE_SIZES[kind]


@given(chunks=streams())
def test_cutting_never_changes_what_passes(chunks: list[bytes]) -> None:
    """The same bytes give the same records, messages and refusals in one piece and in many."""
    many, whole = scanner(), scanner()
    records, said, refused = b"", [], []
    for chunk in chunks:
        many.feed(chunk)
        records += many.records
        said += many.messages
        if many.refusal:
            refused.append(many.refusal)
    whole.feed(b"".join(chunks))
    assert (records, said) == (whole.records, whole.messages)
    assert (refused[-1:] or [0]) == [whole.refusal] or not refusals.closes(refused[-1])


@given(room=st.integers(0, 400))
def test_only_whole_records_are_cut_off(room: int) -> None:
    """Records that fit in a bound are whole ones, and one more would not fit."""
    records = as_records(place_frames(5))
    size, count = records_that_fit(records, room)
    assert size == count * 56 <= room
    assert count == 5 or size + 56 > room


def test_frames_can_be_renumbered_and_cut() -> None:
    """Encoded commands keep their bodies under new sequences."""
    frames = place_frames(4)
    assert renumber(b"".join(frames), 11) == b"".join(
        one[:8] + struct.pack("<q", 11 + number) + one[16:] for number, one in enumerate(frames)
    )
    assert [bytes_of_frames(b"".join(frames), count) for count in range(6)] == [
        0,
        48,
        96,
        144,
        192,
        192,
    ]


# What a client receives.

REPLY_FRAME = struct.pack("<ihhiiqqqq", 48, REPLY, 0, SESSION, 0, 1, 2, 3, 4)
EVENT_FRAME = struct.pack("<ihhqiiqqiiq", 56, events.DEPTH, 0, 9, 0, 1, 1, 5, 40, 1, 3)


def node_stream() -> tuple[bytes, bytes, bytes, list[bytes]]:
    """Return a stream of all that a node sends, and its replies, events and messages."""
    said = [
        encode_refused(60, closing=False, resend_from=4),
        encode_redirect(2, "node-2", 7_000),
        encode_answer(1, 1, 0, 8, 9, 0, 2, bytes(16)),
        encode_depth_levels(1, 1, False, 9, 9, bytes(32)),
    ]
    stream = (
        REPLY_FRAME
        + said[0]
        + REPLY_FRAME * 2
        + EVENT_FRAME * 2
        + said[1]
        + EVENT_FRAME
        + said[2]
        + said[3]
        + REPLY_FRAME
    )
    return stream, REPLY_FRAME * 4, EVENT_FRAME * 3, said


def test_a_node_stream_is_sorted_wherever_it_is_cut() -> None:
    """Every split of a node's stream gives the same replies, events and messages."""
    stream, replies, seen, said = node_stream()
    for cut in range(len(stream) + 1):
        one = NodeStream()
        got, heard, told = b"", b"", []
        for chunk in (stream[:cut], stream[cut:]):
            one.feed(chunk)
            got += one.replies
            heard += one.events
            told += one.messages
        assert (got, heard, told, one.failed) == (replies, seen, said, False), cut


@given(noise=st.binary(max_size=200), flip=st.integers(0, 10_000), cut=st.integers(0, 900))
def test_no_bytes_make_the_client_raise(noise: bytes, flip: int, cut: int) -> None:
    """A damaged stream of a node fails for good, quietly.

    Gives only whole frames before that.
    """
    stream = bytearray(node_stream()[0])
    stream[flip // 8 % len(stream)] ^= 1 << flip % 8
    one = NodeStream()
    for chunk in (bytes(stream[:cut]), bytes(stream[cut:]), noise):
        one.feed(chunk)
        assert len(one.replies) % REPLY_SIZE == 0
        if one.failed:
            one.feed(REPLY_FRAME)
            assert one.replies == b""


def test_every_client_message_has_the_size_that_is_checked() -> None:
    """What the encoders write is what the scanner requires."""
    said = [
        encode_login(1, 1, 0, 16, bytes(32), bytes(64)),
        encode_heartbeat(),
        encode_logout(),
        encode_subscribe(1, 1, 1, 0, 0, 0),
        encode_unsubscribe(1, 1, 1),
        encode_query(1, 1, 1, 0, 0, 0, 0),
        encode_preview(1, 0, 0, bytes(88)),
    ]
    one = scanner()
    one.feed(b"".join(said))
    assert (one.messages, one.refusal) == (said, refusals.NONE)
    assert len(said) == len(messages.CLIENT_MESSAGE_SIZES)
