"""The venue under any bytes: whatever a log may hold as a command, and as a whole entry.

An input is applied to a venue with accounts, money, markets and orders. Nothing may come out of it
but replies; what was not executed may have no events; and at the end a second venue that heard only
the commands that were executed must have come to the same ledger, which must add up.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

import node
from chaos.attack.target import BrokenPromiseError, Target
from chaos.workloads.knowledge import Knowledge
from chaos.workloads.registry import OPERATOR, TRADER
from node.audit.canonical import read_state
from node.audit.conservation import check_conservation
from node.consensus.log_group import build_group
from node.domain import commands, terms
from node.domain.genesis import Genesis, default_limits
from node.domain.groups import GROUP_HEADER_SIZE
from node.domain.replies import REPLY_CODE, REPLY_SIZE
from node.engine.snapshot import digests
from node.engine.venue import Venue
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import encode_session_open

OPERATOR_KEY: Final = bytes(range(32))
ACCOUNTS: Final = 3
MARKETS: Final = 3
STAMP_NS: Final = 1_700_000_000_000_000_000
SESSION: Final = (1).to_bytes(8, "little")
_WINDOW: Final = 64
_DRAWS: Final = 12
_INPUTS_A_VENUE: Final = 128
"""A venue does not stay open for long under random commands of its operator."""
_SEQUENCE_ENDS: Final = commands.COMMAND_SEQUENCE + 8


class AttackedVenue:
    """A small venue, and the log of what it executed."""

    def __init__(self) -> None:
        """Furnish it: three accounts with money, three open markets, a few orders."""
        self.venue = Venue(Genesis(b"attacked venue..", 0, OPERATOR_KEY, default_limits()))
        self.next_sequence = 1
        self.executed: list[tuple[int, bytes]] = []
        opening = encode_session_open(OPERATOR_KEY, _WINDOW, bytes(32), bytes(64))
        self.venue.apply(1, build_group([opening], 1, STAMP_NS))
        for frame in furniture():
            if self.say(frame):
                raise BrokenPromiseError("the furniture was refused")
        self.executed.clear()

    def say(self, frame: bytes, stamp_ns: int = 0) -> int:
        """Apply one frame with the session's next sequence; return the code, 0 when executed."""
        frame = frame[: int.from_bytes(frame[:4], "little")]  # What follows is another's.
        if len(frame) >= _SEQUENCE_ENDS:
            number = self.next_sequence.to_bytes(8, "little")
            frame = frame[: commands.COMMAND_SEQUENCE] + number + frame[_SEQUENCE_ENDS:]
        stamp_ns = stamp_ns or self.venue.stamp_ns + 1_000
        due_ns = self.venue.next_due_ns
        by_itself = self.venue.work_pending or 0 < due_ns <= stamp_ns
        self.apply(build_group([SESSION + frame], 1, stamp_ns))
        session = self.venue.session(1)
        assert session is not None
        self.next_sequence = session.next_sequence
        replies = self.venue.replies
        codes = [
            int.from_bytes(replies[at + REPLY_CODE : at + REPLY_CODE + 4], "little")
            for at in range(0, len(replies), REPLY_SIZE)
        ]
        if codes and not any(codes):
            self.executed.append((stamp_ns, frame))
        elif self.venue.events and not by_itself:
            raise BrokenPromiseError(f"events without an executed command, codes {codes}")
        return codes[0] if codes else -1

    def let_pass(self, stamp_ns: int) -> None:
        """Let happen what is due by then, and what is being swept."""
        self.apply(build_group([], 1, stamp_ns))
        while self.venue.work_pending:
            self.apply(build_group([], 1, stamp_ns))

    def apply(self, group: bytes) -> None:
        """Apply one entry."""
        self.venue.apply(self.venue.log_index + 1, group)

    def ledger_digest(self) -> bytes:
        """Return the digest of money and orders, and check that the money adds up."""
        frozen = self.venue.freeze()
        while not frozen.step(1_000):
            pass
        pages = [(key, value) for key, value in frozen.changes if value]
        if digests(pages) != (frozen.state_digest, frozen.ledger_digest):
            raise BrokenPromiseError("the pages have other digests than the venue")
        conservation = check_conservation(read_state(pages))
        if conservation.findings:
            raise BrokenPromiseError("; ".join(conservation.findings[:3]))
        return frozen.ledger_digest


def furniture() -> list[bytes]:
    """Return the commands that furnish the venue."""
    frames = CommandFrames(1)
    for number in range(1, ACCOUNTS + 1):
        mode = terms.HOLD if number == ACCOUNTS else terms.NET
        frames.account_open(mode, bytes([number]) * 20, bytes([number]) * 32)
        frames.deposit(number, 1_000_000_000, number)
        frames.order_group_set(number, 1, 30)
    frames.event_create(True, "an exclusive event")  # noqa: FBT003 - a wire field
    for number in range(1, MARKETS + 1):
        frames.market_create(1, 100, 100, 20, f"market {number}")
    for number in range(1, MARKETS + 1):
        frames.lifecycle(commands.MARKET_OPEN, number, 0)
    for number in range(1, 6):
        frames.place(1, 1, number, 4_000 + 100 * number, terms.BUY_YES, terms.GTC, 50)
        frames.place(2, 1, number, 4_000 + 100 * number, terms.BUY_NO, terms.GTC, 50)
        frames.split(3, 1 + number % MARKETS, 100)
    frames.lifecycle(commands.MARKET_HALT, MARKETS, 0)
    frames.auction_call(MARKETS, 0)
    for number in range(6, 9):
        frames.place(1, MARKETS, number, 4_000 + 100 * number, terms.BUY_YES, terms.GTC, 30)
        frames.place(2, MARKETS, number, 4_000 + 100 * number, terms.BUY_NO, terms.GTC, 20)
    return list(split(frames.take()))


def split(frames: bytes) -> Iterator[bytes]:
    """Yield the frames one by one."""
    at = 0
    while at < len(frames):
        length = int.from_bytes(frames[at : at + 4], "little")
        yield frames[at : at + length]
        at += length


def valid_commands() -> list[bytes]:
    """Return a dozen commands of every kind, as clients of the simulation would draw them."""
    random = Random("commands for the venue")
    corpus = []
    for workload in (*TRADER, *OPERATOR):
        for draw in range(_DRAWS):
            known = Knowledge(1 + draw % ACCOUNTS, ACCOUNTS, MARKETS, now_ns=lambda: STAMP_NS)
            known.client_order_ids, known.orders, known.deposits = 5, [1, 2, 3, 4], ACCOUNTS
            frames = CommandFrames(1)
            workload.write(frames, random, known)
            corpus.append(frames.take())
    return corpus


def repair_frame(data: bytes) -> bytes:
    """Let the length be right and the flags be 0, so that the body is looked at."""
    if len(data) < commands.COMMAND_BODY:
        return data
    kind = data[4:6]
    size = commands.COMMAND_SIZES.get(int.from_bytes(kind, "little"), len(data))
    body = data[8:size].ljust(size - 8, b"\0")
    return size.to_bytes(4, "little") + kind + b"\0\0" + body


def _judge_commands(inputs: Sequence[bytes]) -> None:
    for first in range(0, len(inputs), _INPUTS_A_VENUE):
        _judge_conversation(inputs[first : first + _INPUTS_A_VENUE])


def _judge_conversation(inputs: Sequence[bytes]) -> None:
    attacked = AttackedVenue()
    for data in inputs:
        attacked.say(data)
    witness = AttackedVenue()
    for stamp_ns, frame in attacked.executed:
        if witness.say(frame, stamp_ns):
            raise BrokenPromiseError("what was executed is not, without what was not")
    stamp_ns = attacked.venue.stamp_ns
    for one in (attacked, witness):
        one.let_pass(stamp_ns)
    if witness.ledger_digest() != attacked.ledger_digest():
        raise BrokenPromiseError("commands that were not executed changed the ledger")


def _judge_entries(inputs: Sequence[bytes]) -> None:
    attacked = AttackedVenue()
    for data in inputs:
        attacked.apply(data)
    attacked.ledger_digest()


def valid_entries() -> list[bytes]:
    """Return entries as a leader proposes them: of one command and of many."""
    random = Random("entries for the venue")
    frames = valid_commands()
    entries = [build_group([], 0, STAMP_NS)]
    for count in (1, 2, 5, 20):
        for _ in range(_DRAWS):
            chosen = random.choices(frames, k=count)
            entries.append(build_group([SESSION + one for one in chosen], count, STAMP_NS))
    assert all(len(entry) >= GROUP_HEADER_SIZE for entry in entries)
    return entries


def venue_targets() -> list[Target]:
    """Return the targets of this module."""
    modules = tuple(
        f"node.{package}.{path.stem}"
        for package in ("domain", "engine")
        for path in sorted((Path(node.__file__).parent / package).glob("[!_]*.py"))
    )
    return [
        Target(
            "venue-commands",
            "any bytes as a command, at a venue with money and orders",
            modules,
            valid_commands(),
            _judge_commands,
            repair_frame,
        ),
        Target(
            "venue-entries",
            "any bytes as an entry of the log",
            modules,
            valid_entries(),
            _judge_entries,
        ),
    ]
