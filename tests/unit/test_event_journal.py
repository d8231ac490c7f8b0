"""The event journal holds the newest events within its bound and says what it has dropped."""

import pytest

from node.storage.errors import EventsTooOldError
from node.storage.event_journal import EventJournal

PRIVATE, PUBLIC = 160, 192


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
    assert [(index, len(events)) for index, events in journal.since(0)] == [(1, 50_000)]

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
