"""The parts of the client that need no socket: resending, books, keys, addresses, values."""

import asyncio
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from client.connection import Address, Connection, LoginFailedError, RedirectedError
from client.errors import KeyFileError, NotConnectedError, RejectedError
from client.event_header import Header
from client.events import OtherEvent, iterate_events, parse_event
from client.keys import load_key
from client.leader_finder import LeaderFinder
from client.market_data import LocalBook
from client.public_events import DepthChanged
from client.replies import Reply, parse_replies
from client.resend import ResendQueue
from client.timing import ClientTiming
from node.domain import events as layout
from node.domain.codes import Code
from node.protocol import messages
from node.protocol.command_frames import CommandFrames


def frames_of(count: int, first: int) -> bytes:
    """Return `count` commands of different sizes."""
    out = CommandFrames(first)
    for number in range(count):
        if number % 2:
            out.cancel(1, 1, number, 0)
        else:
            out.place(1, 1, first + number, 5_000, 1, 1, 10)
    return out.take()


def sequences(frames: bytes) -> list[int]:
    """Return the sequences of command frames."""
    found, at = [], 0
    while at < len(frames):
        length, sequence = struct.unpack_from("<i4xq", frames, at)
        found.append(sequence)
        at += length
    return found


def reply(sequence: int, code: int = 0) -> bytes:
    """Return a reply frame."""
    return struct.pack("<ihhiiqqqq", 48, 128, 0, 1, code, sequence, 5, 6, 7)


def test_what_is_not_acknowledged_is_sent_again_in_order() -> None:
    """After a reconnect everything without a reply goes out once more, and nothing else."""
    queue = ResendQueue(100)
    queue.add(frames_of(3, 1), 3)
    queue.add(frames_of(4, 4), 4)
    assert sequences(queue.sendable()) == [1, 2, 3, 4, 5, 6, 7]
    assert queue.sendable() == b""
    fresh = queue.take(reply(1) + reply(2))
    assert fresh.frames == reply(1) + reply(2)
    queue.rewind()
    assert sequences(queue.sendable()) == [3, 4, 5, 6, 7]
    assert queue.take(reply(1) + reply(2) + reply(3)).frames == reply(3)


def test_never_more_than_the_window_is_out() -> None:
    """What does not fit waits, and goes as replies come."""
    queue = ResendQueue(4)
    queue.add(frames_of(10, 1), 10)
    assert queue.room == 0
    assert sequences(queue.sendable()) == [1, 2, 3, 4]
    queue.take(reply(1) + reply(2))
    assert sequences(queue.sendable()) == [5, 6]
    queue.rewind(5)
    assert sequences(queue.sendable()) == [5, 6]


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, 5)),
            st.tuples(st.just("reply"), st.integers(1, 8)),
            st.tuples(st.just("cut"), st.just(0)),
        ),
        max_size=60,
    ),
    window=st.integers(1, 9),
)
def test_a_server_that_executes_in_order_executes_each_command_once(
    steps: list[tuple[str, int]], window: int
) -> None:
    """Whatever is cut when, the server sees a gapless order and the client each reply once."""
    queue = ResendQueue(window)
    executed = 0
    on_the_way: list[int] = []
    received: list[int] = []

    def pump() -> None:
        nonlocal executed
        for sequence in sequences(queue.sendable()):
            assert sequence <= executed + 1, "a gap reached the server"
            executed = max(executed, sequence)
            on_the_way.append(sequence)
            assert len({s for s in on_the_way if s >= queue.base}) <= window

    for what, number in steps:
        if what == "add":
            queue.add(frames_of(number, queue.next_sequence), number)
        elif what == "reply":
            batch, on_the_way[:] = on_the_way[:number], on_the_way[number:]
            fresh = queue.take(b"".join(reply(sequence) for sequence in batch))
            received += [one.sequence for one in parse_replies(fresh.frames)]
        else:
            on_the_way.clear()
            queue.rewind()
        pump()
    while queue.outstanding:
        batch, on_the_way[:] = list(on_the_way), []
        if not batch:
            queue.rewind()
        fresh = queue.take(b"".join(reply(sequence) for sequence in batch))
        received += [one.sequence for one in parse_replies(fresh.frames)]
        pump()
    assert received == list(range(1, executed + 1))


def test_a_forgotten_reply_is_skipped() -> None:
    """A command whose reply can never come is counted as answered, and the next ones go on."""
    queue = ResendQueue(10)
    queue.add(frames_of(3, 1), 3)
    queue.sendable()
    fresh = queue.take(reply(1, Code.REPLY_FORGOTTEN))
    assert (fresh.trouble, fresh.frames) == (Code.REPLY_FORGOTTEN, b"")
    queue.skip(1)
    assert queue.take(reply(2)).frames == reply(2)
    assert queue.outstanding == 1


def test_a_rejection_is_raised_by_name() -> None:
    """`accepted` passes OK on and raises everything else with its code."""
    good = Reply(1, 0, 2, 3, 4, 5)
    assert good.accepted() is good
    with pytest.raises(RejectedError, match="INSUFFICIENT_FUNDS") as raised:
        Reply(1, Code.INSUFFICIENT_FUNDS, 2, 3, 0, 0).accepted()
    assert (raised.value.code, raised.value.sequence) == (Code.INSUFFICIENT_FUNDS, 2)


def depth_event(sequence: int, price: int, side: int, lots: int) -> bytes:
    """Return a DEPTH event of market 3."""
    return struct.pack(
        "<ihhqiiqqiiq", 56, layout.DEPTH, 0, 9, 1, 3, sequence, 77, price, side, lots
    )


def test_a_local_book_follows_depth_events() -> None:
    """Levels come, change and go; events that the depth already holds change nothing."""
    book = LocalBook(3)
    book.reset(10, struct.pack("<iiqiiq", 4_000, 1, 7, 4_500, 2, 9))
    for frame in iterate_events(
        depth_event(10, 4_000, 1, 99)
        + depth_event(11, 4_100, 1, 5)
        + depth_event(12, 4_500, 2, 0)
        + depth_event(13, 4_600, 2, 1)
    ):
        book.apply(frame)
    assert (book.bids, book.asks, book.sequence) == ({4_000: 7, 4_100: 5}, {4_600: 1}, 13)
    assert (book.best_bid, book.best_ask) == (4_100, 4_600)


def test_events_are_values() -> None:
    """A known kind has its class, an unknown one keeps its bytes."""
    event = parse_event(depth_event(11, 4_100, 1, 5))
    assert event == DepthChanged(Header(layout.DEPTH, 9, 1, 3, 11, 77), 4_100, 1, 5)
    frame = struct.pack("<ihhqiiqq", 48, 250, 0, 9, 1, 0, 2, 77) + b"12345678"
    assert parse_event(frame) == OtherEvent(Header(250, 9, 1, 0, 2, 77), b"12345678")


EVENT_FIELDS: dict[int, tuple[int, ...]] = {
    layout.ORDER_RESTED: (
        40,
        48,
        56,
        layout.RESTED_PRICE,
        layout.RESTED_LEAVES,
        layout.RESTED_INTENT,
    ),
    layout.ORDER_FILLED: (
        40,
        48,
        56,
        layout.FILLED_PRICE,
        layout.FILLED_LOTS,
        layout.FILLED_LEAVES,
        layout.FILLED_FILL_ID,
        layout.FILLED_FEE,
        layout.FILLED_INTENT,
        layout.FILLED_LIQUIDITY,
    ),
    layout.ORDER_REDUCED: (40, 48, 56, layout.REDUCED_BY, layout.REDUCED_LEAVES),
    layout.ORDER_CLOSED: (40, 48, 56, layout.CLOSED_REASON, layout.CLOSED_LEAVES),
    layout.DEPOSITED: (
        layout.DEPOSITED_AMOUNT,
        layout.DEPOSITED_CASH_FREE,
        layout.DEPOSITED_CURSOR,
    ),
    layout.SETS_CHANGED: (
        layout.SETS_CHANGED_MARKET,
        layout.SETS_CHANGED_LOTS,
        layout.SETS_CHANGED_CASH_FREE,
    ),
    layout.REDEEMED: (
        layout.REDEEMED_MARKET,
        layout.REDEEMED_PRICE,
        layout.REDEEMED_YES,
        layout.REDEEMED_NO,
        layout.REDEEMED_AMOUNT,
    ),
    layout.FILL: (
        layout.FILL_ID,
        layout.FILL_PRICE,
        layout.FILL_KIND,
        layout.FILL_LOTS,
        layout.FILL_TAKER_SIDE,
        layout.FILL_MAKER_ORDER_ID,
        layout.FILL_TAKER_ORDER_ID,
    ),
    layout.MARKET_STATE: (layout.MARKET_STATE_STATE, layout.MARKET_STATE_PRICE),
}
EVENT_SIZES = {
    layout.ORDER_RESTED: layout.RESTED_SIZE,
    layout.ORDER_FILLED: layout.FILLED_SIZE,
    layout.ORDER_REDUCED: layout.REDUCED_SIZE,
    layout.ORDER_CLOSED: layout.CLOSED_SIZE,
    layout.DEPOSITED: layout.DEPOSITED_SIZE,
    layout.SETS_CHANGED: layout.SETS_CHANGED_SIZE,
    layout.REDEEMED: layout.REDEEMED_SIZE,
    layout.FILL: layout.FILL_SIZE,
    layout.MARKET_STATE: layout.MARKET_STATE_SIZE,
}


def test_every_event_layout_is_read_at_its_offsets() -> None:
    """Each decoder reads the fields where the layout puts them, to its last byte."""
    for kind, places in EVENT_FIELDS.items():
        frame = bytearray(struct.pack("<ihhqiiqq", EVENT_SIZES[kind], kind, 0, 1, 2, 3, 4, 5))
        frame += bytes(EVENT_SIZES[kind] - len(frame))
        for number, place in enumerate(places, start=1):
            frame[place] = number
        assert tuple(parse_event(bytes(frame)))[1:] == tuple(range(1, len(places) + 1))


def test_a_key_file_must_be_private_and_whole(tmp_path: Path) -> None:
    """A seed is 64 hexadecimal digits that nobody else can read."""
    file = tmp_path / "operator.key"
    file.write_text("ab" * 32 + "\n")
    file.chmod(0o600)
    assert load_key(file) == SigningKey(b"\xab" * 32)
    file.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key(file)
    file.chmod(0o600)
    for content in ("ab" * 31, "zz" * 32, ""):
        file.write_text(content)
        with pytest.raises(KeyFileError):
            load_key(file)
    with pytest.raises(KeyFileError, match="there is no key file"):
        load_key(tmp_path / "none.key")


NODES = [Address("a", 1), Address("b", 2), Address("c", 3)]
QUICK = ClientTiming(backoff_least=0.0001, backoff_most=0.001)


def test_the_finder_follows_redirects_and_remembers_them() -> None:
    """A redirect is tried at once, and first the next time."""
    tried: list[Address] = []

    async def log_in(address: Address) -> str:
        tried.append(address)
        if address != NODES[2]:
            raise RedirectedError(NODES[2])
        return "in"

    async def run() -> None:
        finder = LeaderFinder(NODES, QUICK, random.Random(1))
        assert await finder.find(log_in, 5) == "in"
        assert await finder.find(log_in, 5) == "in"

    asyncio.run(run())
    assert tried == [NODES[0], NODES[2], NODES[2]]


def test_the_finder_tries_everyone_until_one_works() -> None:
    """Nodes that are down or know no leader are passed over, round after round."""
    tried: list[Address] = []

    async def log_in(address: Address) -> str:
        tried.append(address)
        if len(tried) < 8:
            raise LoginFailedError("down") if len(tried) % 2 else RedirectedError(None)
        return "in"

    async def run() -> str:
        return await LeaderFinder(NODES, QUICK, random.Random(1)).find(log_in, 5)

    assert asyncio.run(run()) == "in"
    assert set(tried) == set(NODES)


def test_the_finder_gives_up_at_its_deadline() -> None:
    """Redirects in a circle or silence end in NotConnectedError with the last reason."""

    async def log_in(address: Address) -> str:
        raise RedirectedError(NODES[1] if address == NODES[0] else NODES[0])

    async def run() -> None:
        await LeaderFinder(NODES, QUICK, random.Random(1)).find(log_in, 0.05)

    with pytest.raises(NotConnectedError, match="redirects in a row"):
        asyncio.run(run())
    with pytest.raises(ValueError, match="at least one node"):
        LeaderFinder([], QUICK, random.Random(1))


@pytest.mark.parametrize(
    ("host", "port"), [(b"\xff\xfe", 7_410), (b"node", 0), (b"node", -1), (b"node", 1 << 16)]
)
def test_a_redirect_that_leads_nowhere_is_no_address(host: bytes, port: int) -> None:
    """Whatever a node sends, nothing is raised into the loop, and the client looks elsewhere."""

    async def redirected() -> Address | None:
        connection = Connection(ClientTiming())
        frame = struct.pack(
            "<ihhii64s", messages.REDIRECT_SIZE, messages.REDIRECT, 0, 1, port, host
        )
        connection.data_received(frame)
        return connection.redirected

    assert asyncio.run(redirected()) == Address("", 0)


@pytest.mark.parametrize("host", ["." * 70, "a\x00b", "\ud800"])
def test_a_host_that_is_no_name_is_one_that_does_not_answer(host: str) -> None:
    """The failure is the client's own, so that the next address is tried."""

    async def connect() -> None:
        await Connection.connect(
            Address(host, 1), SigningKey.generate(), Silent(), ClientTiming(), purpose=messages.READ
        )

    with pytest.raises(LoginFailedError):
        asyncio.run(connect())


class Silent:
    """Takes what a node sends, and does nothing with it."""

    def take_replies(self, frames: bytes) -> None:
        """Take replies."""

    def take_events(self, frames: bytes) -> None:
        """Take events."""

    def take_message(self, kind: int, frame: bytes) -> None:
        """Take a message."""

    def take_loss(self, connection: Connection) -> None:
        """Take a loss."""
