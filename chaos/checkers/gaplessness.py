"""Feeds without gaps: no hole in what a subscriber got, and the same numbers at every replica.

Three things that look alike are told apart: a hole in what one subscriber got, two replicas that
number the same events differently (which hides a hole when a subscriber changes replicas), and
events that the log does not come to.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from chaos.checkers.finding import AGREEMENT, GAPLESS, SOUND, Findings
from node.domain.events import (
    EVENT_HEADER_SIZE,
    FIRST_PRIVATE_EVENT,
    FIRST_PUBLIC_EVENT,
    FIRST_VENUE_EVENT,
)
from node.protocol.messages import FIRST_MESSAGE

_HEADER: Final = Struct("<ihhqiiqq")
_HEAD: Final = Struct("<ih")

assert _HEADER.size == EVENT_HEADER_SIZE

Stream = tuple[str, int]
"""Which of the three families, and the account or market; 0 for the venue."""


class FeedEvent(NamedTuple):
    """One event frame's header, and a hash of the whole frame."""

    stream: Stream
    sequence: int
    log_index: int
    ordinal: int
    digest: int


def events_of(frames: bytes) -> Iterator[FeedEvent]:
    """Yield the events among `frames`; messages of the session layer are passed over.

    Raises ValueError where the bytes are no frames.
    """
    at = 0
    while at < len(frames):
        if at + _HEAD.size > len(frames):
            raise ValueError(f"a frame is cut short at byte {at}")
        length, kind = _HEAD.unpack_from(frames, at)
        if length < _HEAD.size or at + length > len(frames):
            raise ValueError(f"a frame of {length} bytes at byte {at} of {len(frames)}")
        if FIRST_PRIVATE_EVENT <= kind < FIRST_MESSAGE:
            _, _, _, index, ordinal, stream, sequence, _ = _HEADER.unpack_from(frames, at)
            name = (_family(kind), stream)
            yield FeedEvent(name, sequence, index, ordinal, hash(frames[at : at + length]))
        at += length


class FeedCheck:
    """Follow any number of subscribers, and replicas as they are, through all their streams."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self._last: dict[tuple[str, Stream], FeedEvent] = {}
        self._known: dict[Stream, dict[int, tuple[int, str]]] = {}
        self.findings = Findings()

    def take(self, subscriber: str, frames: bytes) -> None:
        """Take what `subscriber` received next, from whichever replica.

        A subscriber stays the same when it connects anew: then its streams must go on where they
        were. Frames are whole; what replicas publish and what a replay comes to are subscribers
        like any other.
        """
        try:
            for event in events_of(frames):
                self._follow(subscriber, event)
                self._compare(subscriber, event)
        except ValueError as error:
            self.findings.add(SOUND, f"{subscriber}: {error}")

    def begin_anew(self, subscriber: str) -> None:
        """Let `subscriber` start anywhere again: it asked for its feeds from another place."""
        self._last = {key: event for key, event in self._last.items() if key[0] != subscriber}

    def finish(self) -> Findings:
        """Return the findings; that no event was received is one."""
        self.findings.expect("events received")
        return self.findings

    def _follow(self, subscriber: str, event: FeedEvent) -> None:
        self.findings.saw("events received")
        key = (subscriber, event.stream)
        last = self._last.get(key)
        self._last[key] = event
        if last is None:
            return
        if event.sequence != last.sequence + 1:
            self.findings.add(
                GAPLESS,
                f"{subscriber} got sequence {event.sequence} of {_show(event.stream)} after "
                f"{last.sequence}",
            )
        elif (event.log_index, event.ordinal) <= (last.log_index, last.ordinal):
            self.findings.add(
                GAPLESS,
                f"{subscriber} got sequence {event.sequence} of {_show(event.stream)} from index "
                f"{event.log_index} ordinal {event.ordinal}, the one before from index "
                f"{last.log_index} ordinal {last.ordinal}",
            )

    def _compare(self, subscriber: str, event: FeedEvent) -> None:
        known = self._known.setdefault(event.stream, {})
        digest, first = known.setdefault(event.sequence, (event.digest, subscriber))
        if first != subscriber:
            self.findings.saw("events compared")
        if digest != event.digest:
            self.findings.add(
                AGREEMENT,
                f"{subscriber} and {first} got different events as sequence {event.sequence} of "
                f"{_show(event.stream)}",
            )


def _family(kind: int) -> str:
    if kind >= FIRST_VENUE_EVENT:
        return "venue"
    return "market" if kind >= FIRST_PUBLIC_EVENT else "account"


def _show(stream: Stream) -> str:
    family, number = stream
    return f"the {family}'s stream" if family == "venue" else f"{family} {number}'s stream"
