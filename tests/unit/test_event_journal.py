"""The event journal holds the newest events within its bound and says what it has dropped."""

import random
from contextlib import suppress

import pytest

from node.storage.errors import EventsTooOldError
from node.storage.event_journal import EventJournal, family

PRIVATE, PUBLIC = 160, 192
BOUND = 40_000


def event(kind: int, stream: int, sequence: int, index: int, size: int = 40) -> bytes:
    """Return an event frame of `size` bytes as `node.domain.events` lays it out."""
    parts = ((size, 4), (kind, 2), (0, 2), (index, 8), (0, 4), (stream, 4), (sequence, 8), (0, 8))
    return b"".join(value.to_bytes(width, "little") for value, width in parts).ljust(size, b"\x01")


def test_what_is_appended_is_read_back_from_any_index() -> None:
    """Groups come back oldest first from behind the index asked for; empty groups are left out."""
    journal = EventJournal(0, 1 << 20, applied_index=4)
    groups = {
        index: event(PRIVATE, 1, index, index) if index % 3 else b"" for index in range(5, 400)
    }
    for index, events in groups.items():
        journal.append(index, events)

    for index in (4, 5, 6, 200, 398, 399):
        assert list(journal.since(index)) == [
            (at, groups[at]) for at in groups if at > index and groups[at]
        ]
    assert journal.events_at(7) == groups[7]
    assert journal.events_at(6) == b""
    assert (journal.oldest_index, journal.last_index) == (5, 399)


def test_the_bound_holds_and_what_was_dropped_is_a_typed_error() -> None:
    """Whatever is appended, no more than the bound is held.

    Older requests learn the oldest index.
    """
    bound = 64 << 10
    journal = EventJournal(0, bound)
    for index in range(1, 5_000):
        journal.append(index, event(PUBLIC, 1, index, index, size=40 + index % 100))
        assert journal.size_bytes <= bound

    oldest = journal.oldest_index
    assert 1 < oldest < 4_999
    with pytest.raises(EventsTooOldError, match=f"the oldest is {oldest}"):
        journal.since(oldest - 2)
    assert next(iter(journal.since(oldest - 1)))[0] == oldest
    assert [index for index, _ in journal.since(0 + oldest - 1)] == list(range(oldest, 5_000))


def test_one_group_larger_than_the_bound_is_held_until_the_next() -> None:
    """The newest group is always readable, whatever its size."""
    journal = EventJournal(0, 1_000)
    journal.append(1, event(PUBLIC, 1, 1, 1, size=50_000))
    assert len(journal.events_at(1)) == 50_000

    journal.append(2, event(PUBLIC, 1, 2, 2))
    assert journal.oldest_index == 2


def test_nothing_before_the_start_is_claimed() -> None:
    """What a snapshot swallowed is refused, also after the journal is restarted."""
    journal = EventJournal(0, 1 << 20, applied_index=100)
    with pytest.raises(EventsTooOldError, match="the oldest is 101"):
        journal.since(99)
    assert list(journal.since(100)) == []

    journal.append(101, event(PUBLIC, 1, 1, 101))
    journal.restart(500)
    with pytest.raises(EventsTooOldError, match="the oldest is 501"):
        journal.since(101)


def test_a_stream_resumes_from_any_sequence_held_as_a_full_scan_would() -> None:
    """For every stream and starting point the frames are those that a full scan finds."""
    rng = random.Random(7)
    journal = EventJournal(0, BOUND)
    sequences: dict[tuple[int, int], int] = {}
    history: dict[tuple[int, int], list[tuple[int, int, bytes]]] = {}
    for index in range(1, 1_500):
        frames = []
        for _ in range(rng.randrange(4)):
            key = (rng.choice((PRIVATE, PUBLIC)), rng.randrange(1, 12))
            sequences[key] = sequences.get(key, 0) + 1
            frame = event(*key, sequences[key], index, size=rng.choice((40, 64, 88)))
            history.setdefault(key, []).append((sequences[key], index, frame))
            frames.append(frame)
        journal.append(index, b"".join(frames))
        if index % 100 == 0:
            _check_streams(journal, history, sequences)


def _check_streams(
    journal: EventJournal,
    history: dict[tuple[int, int], list[tuple[int, int, bytes]]],
    sequences: dict[tuple[int, int], int],
) -> None:
    with suppress(EventsTooOldError):  # The first look indexes every chunk, which takes room.
        journal.stream_since(family(PRIVATE), 99, 0, 1)
    for (kind, stream), events in history.items():
        newest = sequences[kind, stream]
        held = [sequence for sequence, index, _ in events if index >= journal.oldest_index]
        oldest = held[0] if held else newest + 1
        for after in range(max(0, oldest - 3), newest + 1):
            if after + 1 < oldest and after < newest:
                with pytest.raises(EventsTooOldError, match=f"the oldest is {oldest}"):
                    journal.stream_since(family(kind), stream, after, newest)
            else:
                wanted = [frame for sequence, _, frame in events if sequence > after]
                assert journal.stream_since(family(kind), stream, after, newest) == wanted
            assert journal.size_bytes <= BOUND
