"""Drives a `Venue` with commands and reads back what it says: replies, events, records.

Layouts are written out again here, like in `tests.commands`, so that a changed offset is noticed.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from node.domain.codes import Code
from node.domain.events import EventType
from node.domain.genesis import Genesis, default_limits
from node.domain.limits import Limit
from node.domain.terms import MatchKind, Side
from node.engine.reading import depth_bytes
from node.engine.snapshot import restore
from node.engine.venue import Venue
from tests import commands as c
from tests.naive_records import Fact, Fill
from tests.page_watch import touched_before_changed

OPERATOR_KEY = b"operator".ljust(32, b".")
SECOND_NS = 1_000_000_000


class Reply(NamedTuple):
    """One reply frame."""

    session: int
    code: Code
    sequence: int
    log_index: int
    result: int
    filled: int


class Event(NamedTuple):
    """One event frame: its header and the bytes behind it."""

    kind: EventType
    log_index: int
    ordinal: int
    stream: int
    stream_sequence: int
    stamp_ns: int
    body: bytes


@dataclass
class Applied:
    """What one group came to."""

    replies: list[Reply]
    events: list[Event]

    @property
    def facts(self) -> list[Fact]:
        """The private events, as the naive venue tells them."""
        return [fact for event in self.events if (fact := fact_of(event))]

    @property
    def fills(self) -> list[Fill]:
        """The public fills, as the naive venue tells them."""
        return [fill_of(event) for event in self.events if event.kind == EventType.FILL]


def read_replies(data: bytes) -> list[Reply]:
    """Return the reply frames in `data`, which must hold nothing else."""
    replies = []
    assert len(data) % 48 == 0
    for frame in struct.iter_unpack("<ihhiiqqqq", data):
        length, kind, flags, session, code, *numbers = frame
        assert (length, kind, flags) == (48, 128, 0)
        replies.append(Reply(session, Code(code), *numbers))
    return replies


def read_events(data: bytes) -> list[Event]:
    """Return the event frames in `data`, which must hold nothing else."""
    events = []
    at = 0
    while at < len(data):
        length, kind, flags, *numbers = struct.unpack_from("<ihhqiiqq", data, at)
        assert length >= 40
        assert flags == 0
        index, ordinal, stream, sequence, stamp = numbers
        body = data[at + 40 : at + length]
        events.append(Event(EventType(kind), index, ordinal, stream, sequence, stamp, body))
        at += length
    assert at == len(data)
    return events


def fact_of(event: Event) -> Fact | None:
    """Return a private event as a fact, None for a public one."""
    body, account = event.body, event.stream
    if event.kind == EventType.ORDER_RESTED:
        order, _, _, price, leaves = struct.unpack_from("<qqiiq", body)
        return Fact(account, "rested", order, price, leaves=leaves)
    if event.kind == EventType.ORDER_FILLED:
        fields = struct.unpack("<qqiiqqqqii", body)
        order, _, _, price, lots, leaves, fill_id, fee, _, liquidity = fields
        return Fact(account, "filled", order, price, lots, leaves, fee, fill_id, liquidity)
    if event.kind == EventType.ORDER_REDUCED:
        order, _, _, _, lots, leaves = struct.unpack("<qqiiqq", body)
        return Fact(account, "reduced", order, lots=lots, leaves=leaves)
    if event.kind == EventType.ORDER_AMENDED:
        order, _, _, price, lots, leaves, keeps, _ = struct.unpack("<qqiiqqii", body)
        return Fact(account, "amended", order, price, lots, leaves, detail=keeps)
    if event.kind == EventType.ORDER_CLOSED:
        order, _, _, reason, leaves = struct.unpack("<qqiiq", body)
        return Fact(account, "closed", order, leaves=leaves, detail=reason)
    if event.kind == EventType.DEPOSITED:
        amount, _, cursor = struct.unpack("<qqq", body)
        return Fact(account, "deposited", lots=amount, detail=cursor)
    if event.kind == EventType.SETS_CHANGED:
        market, _, lots, _ = struct.unpack("<iiqq", body)
        return Fact(account, "sets", lots=lots, detail=market)
    if event.kind == EventType.FEE_RECEIVED:
        order, _, _, fill_id, amount = struct.unpack("<qqi4xqq", body)
        return Fact(account, "received", order, fee=amount, fill_id=fill_id)
    if event.kind == EventType.REDEEMED:
        _, price, yes, no, amount = struct.unpack("<iiqqq", body)
        return Fact(account, "redeemed", price=price, lots=yes, leaves=no, fee=amount)
    return transfer_of(event)


def transfer_of(event: Event) -> Fact | None:
    """Return a private event about money that moved without a trade, None for any other."""
    body, account = event.body, event.stream
    if event.kind == EventType.TRANSFERRED:
        peer, _, amount, _, transfer = struct.unpack("<iiqqq", body)
        return Fact(account, "transferred", peer, lots=amount, detail=transfer)
    if event.kind == EventType.ORDER_GROUP_CHANGED:
        number, to, limit, filled = struct.unpack("<iiqq", body)
        return Fact(account, "group", number, lots=limit, leaves=filled, detail=to)
    if event.kind == EventType.WITHDRAWAL:
        number, amount, _, state, _ = struct.unpack("<qqqii", body)
        return Fact(account, "withdrawal", number, lots=amount, detail=state)
    return fact_of_outcomes(event)


def fact_of_outcomes(event: Event) -> Fact | None:
    """Return a private event about all outcomes of an event as a fact."""
    body, account = event.body, event.stream
    if event.kind == EventType.CONVERTED:
        number, _, lots, cash, _, _ = struct.unpack("<iiqqq128s", body)
        return Fact(account, "converted", lots=lots, fee=cash, detail=number)
    if event.kind == EventType.OUTCOMES_MERGED:
        number, _, lots, _ = struct.unpack("<iiqq", body)
        return Fact(account, "outcomes", lots=lots, detail=number)
    return None


def fill_of(event: Event) -> Fill:
    """Return a public FILL as the naive venue tells it."""
    fields = struct.unpack("<qiiqiiqq", event.body)
    fill_id, price, kind, lots, side, _, maker, taker = fields
    return Fill(event.stream, fill_id, price, MatchKind(kind), lots, Side(side), maker, taker)


def genesis(shard: int = 0, **limits: int) -> Genesis:
    """Return a genesis with the default limits but for those named, in lower case."""
    values = list(default_limits())
    for name, value in limits.items():
        values[Limit[name.upper()]] = value
    return Genesis(bytes(16), shard, OPERATOR_KEY, tuple(values))


def address_of(number: int) -> bytes:
    """Return the address that the tests give to account `number`."""
    return number.to_bytes(20, "big")


def key_of(number: int) -> bytes:
    """Return the public key that the tests give to account `number`."""
    return b"account" + number.to_bytes(25, "big")


@dataclass
class Feed:
    """What a subscriber knows who follows every stream: sequences without gaps, and the depth."""

    sequences: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    depth: dict[int, dict[tuple[Side, int], int]] = field(default_factory=lambda: defaultdict(dict))

    def follow(self, events: Iterable[Event]) -> None:
        """Read events as they come; a stream that skips or repeats a number is an error."""
        for event in events:
            family = "venue" if event.kind >= 224 else "market" if event.kind >= 192 else "account"
            stream = (family, event.stream)
            expected = self.sequences[stream] + 1 if stream in self.sequences else None
            assert expected in (None, event.stream_sequence), (event, expected)
            self.sequences[stream] = event.stream_sequence
            if event.kind == EventType.DEPTH:
                price, side, lots = struct.unpack("<iiq", event.body)
                self.depth[event.stream][Side(side), price] = lots

    def levels(self, market: int) -> dict[tuple[Side, int], int]:
        """Return the depth of a market: the lots at each side and price where there are any."""
        return {level: lots for level, lots in self.depth[market].items() if lots}


class VenueDriver:
    """A venue with its sessions: says commands, and returns what came back."""

    def __init__(
        self, start: Genesis | None = None, window: int = 1024, step_ns: int = SECOND_NS
    ) -> None:
        """Make the venue and open the operator's session, whose number is `operator`.

        Every group is `step_ns` later than the last.
        """
        self.genesis = start or genesis()
        self.step_ns = step_ns
        self.venue = Venue(self.genesis)
        self.log: list[tuple[int, bytes]] = []
        self.next_sequence: dict[int, int] = {}
        self.feed = Feed()
        self.saved: dict[bytes, bytes] = {}
        self.operator = self.open_session(OPERATOR_KEY, window)

    def apply_group(self, group: bytes) -> Applied:
        """Apply the bytes of one group at the next index."""
        index = self.venue.log_index + 1
        self.log.append((index, group))
        with touched_before_changed(self.venue.state):
            self.venue.apply(index, group)
        applied = Applied(read_replies(self.venue.replies), read_events(self.venue.events))
        ordinals = [event.ordinal for event in applied.events]
        assert ordinals == list(range(len(ordinals)))
        assert all(event.log_index == index for event in applied.events)
        self.feed.follow(applied.events)
        return applied

    def apply_records(self, records: Sequence[bytes]) -> Applied:
        """Apply logged records as one group, a step after the last."""
        return self.apply_group(
            c.group(records, self.venue.stamp_ns + self.step_ns, shard=self.venue.genesis.shard)
        )

    def open_session(self, public_key: bytes, window: int = 1024) -> int:
        """Open a session for a key and return its number."""
        code, number = self.try_session(public_key, window)
        assert code == Code.OK, code
        return number

    def try_session(self, public_key: bytes, window: int = 1024) -> tuple[Code, int]:
        """Ask for a session; return the answer's code and the session's number, 0 if refused."""
        nonce = (len(self.log) + 1).to_bytes(32, "big")
        frame = c.SessionOpen(public_key, window, nonce).frame(0)
        applied = self.apply_records([c.record(0, frame)])
        kinds = (EventType.SESSION_OPENED, EventType.SESSION_REFUSED)
        (answer,) = [event for event in applied.events if event.kind in kinds]
        number, code, answered_window, answered_nonce = struct.unpack("<iiq32s", answer.body)
        assert answered_nonce == nonce
        assert applied.replies[0].code == code
        if code == Code.OK:
            assert answered_window == window
            self.next_sequence[number] = 1
        return Code(code), number

    def record(self, command: c.Command, session: int | None = None) -> bytes:
        """Return the next record of a session, the operator's if none is given."""
        number = session or self.operator
        sequence = self.next_sequence[number]
        self.next_sequence[number] += 1
        return c.record(number, command.frame(sequence))

    def say(self, command: c.Command, session: int | None = None) -> tuple[Reply, Applied]:
        """Apply one command as a group of its own; return its reply, and all that happened."""
        applied = self.apply_records([self.record(command, session)])
        (reply,) = applied.replies
        return reply, applied

    def say_all(self, commands: Iterable[c.Command], session: int | None = None) -> Applied:
        """Apply several commands as one group."""
        return self.apply_records([self.record(command, session) for command in commands])

    def must(self, command: c.Command, session: int | None = None) -> Reply:
        """Apply one command that cannot but succeed."""
        reply, _ = self.say(command, session)
        assert reply.code == Code.OK, (command, reply)
        return reply

    def cash(self, account: int) -> tuple[int, int]:
        """Return an account's cash, free and locked, in micro-USDC."""
        record: Any = self.venue.account(account)
        return record.cash_free, record.cash_locked

    def shares(self, account: int, market: int) -> tuple[int, int, int, int]:
        """Return an account's YES free and locked, NO free and locked, in lots."""
        record: Any = self.venue.account(account)
        position = record.positions.get(market)
        if position is None:
            return (0, 0, 0, 0)
        yes = (position.yes_free, position.yes_locked)
        return (*yes, position.no_free, position.no_locked)

    def depth(self, market: int) -> dict[tuple[Side, int], int]:
        """Return the depth of a market as the venue reads it out."""
        record = self.venue.market(market)
        assert record is not None
        levels = struct.iter_unpack("<iiq", depth_bytes(record, 20_000))
        return {(Side(side), price): lots for price, side, lots in levels}

    def state_of(self, market: int) -> int:
        """Return the state of a market."""
        record: Any = self.venue.market(market)
        return int(record.state)

    def queue(self, market: int) -> list[tuple[int, int]]:
        """Return (order id, leaves) of a market: bids from the best, then asks, oldest first."""
        record: Any = self.venue.market(market)
        orders = []
        for side, price in self.depth(market):
            order = record.book.side(side == Side.BID).level(price).head
            while order is not None:
                orders.append((order.id, order.leaves))
                order = order.behind
        return orders

    def checkpoint(self) -> "Pages":
        """Take a checkpoint now and fold its changes into what earlier ones saved."""
        frozen = self.venue.freeze()
        while not frozen.step(3):
            pass
        for key, value in frozen.changes:
            if value:
                self.saved[key] = value
            else:
                self.saved.pop(key, None)
        assert frozen.page_count == len(self.saved)
        return Pages(dict(sorted(self.saved.items())), frozen.state_digest, frozen.ledger_digest)

    def ledger_digest(self) -> bytes:
        """Return the ledger digest as of now."""
        return self.checkpoint().ledger_digest

    def restored(self) -> "VenueDriver":
        """Return a second driver whose venue is rebuilt from this one's snapshot."""
        pages = self.checkpoint()
        return self.twin(restore(self.genesis, pages.values.items()), pages.values)

    def replayed(self) -> "VenueDriver":
        """Return a second driver whose venue has applied this one's log from genesis."""
        venue = Venue(self.genesis)
        for index, group in self.log:
            venue.apply(index, group)
        return self.twin(venue, {})

    def twin(self, venue: Venue, saved: dict[bytes, bytes]) -> "VenueDriver":
        """Return a driver that speaks to another venue in the sessions of this one."""
        twin: VenueDriver = object.__new__(VenueDriver)
        twin.genesis, twin.operator = self.genesis, self.operator
        twin.venue, twin.saved = venue, dict(saved)
        twin.log, twin.step_ns = [], self.step_ns
        twin.next_sequence = dict(self.next_sequence)
        twin.feed = Feed()
        return twin


class Pages(NamedTuple):
    """A whole snapshot: all pages by key, and the digests that go with them."""

    values: dict[bytes, bytes]
    state_digest: bytes
    ledger_digest: bytes


def replay(start: Genesis, log: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    """Yield the chain digest after every entry of a log that is applied from genesis."""
    venue = Venue(start)
    for index, group in log:
        venue.apply(index, group)
        yield venue.digest
