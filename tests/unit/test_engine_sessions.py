"""Exactly once: what a session answers to every sequence, however old, new or often said."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from node.domain.codes import Code
from node.domain.events import FIRST_VENUE_EVENT, EventType
from node.engine.session import Session
from node.engine.venue import Venue
from tests import commands as c
from tests.venue_driver import OPERATOR_KEY, Reply, VenueDriver, genesis, key_of, read_events


@given(
    window=st.integers(16, 40),
    sequences=st.lists(st.one_of(st.integers(-2, 60), st.just(None)), max_size=120),
)
def test_every_sequence_gets_the_answer_that_its_age_deserves(
    window: int, sequences: list[int | None]
) -> None:
    """Next: executed. Later: a gap. Within the window: the first reply. Older: forgotten."""
    driver = VenueDriver(window=window)
    first: dict[int, Reply] = {}
    made = 0
    for wanted in sequences:
        following = len(first) + 1
        sequence = following if wanted is None else wanted
        record = c.record(driver.operator, c.EventCreate().frame(sequence))
        (reply,) = driver.apply_records([record]).replies
        assert reply.sequence == sequence
        if sequence == following:
            made += 1
            assert (reply.code, reply.result) == (Code.OK, made)
            first[sequence] = reply
        elif sequence > following:
            assert reply.code == Code.SEQUENCE_GAP
        elif sequence < 1 or sequence < following - window:
            assert reply.code == Code.REPLY_FORGOTTEN
        else:
            assert reply == first[sequence]
    assert driver.venue.state.treasury.events == made


def test_a_rejection_is_remembered_like_any_reply() -> None:
    """A rejected command stays rejected when it is said again, though it would succeed now."""
    driver = VenueDriver()
    record = driver.record(c.MarketCreate(event=1))
    (rejected,) = driver.apply_records([record]).replies
    assert rejected.code == Code.UNKNOWN_EVENT
    driver.must(c.EventCreate())
    assert driver.apply_records([record]).replies == [rejected]
    driver.must(c.MarketCreate(event=1))


def test_a_gap_in_a_group_stops_only_its_own_session() -> None:
    """Sessions do not wait for each other, even within one group."""
    driver = VenueDriver()
    other = driver.open_session(OPERATOR_KEY)
    event = c.EventCreate()
    records = [
        c.record(driver.operator, event.frame(1)),
        c.record(driver.operator, event.frame(3)),
        c.record(other, event.frame(1)),
        c.record(driver.operator, event.frame(2)),
        c.record(driver.operator, event.frame(3)),
    ]
    replies = driver.apply_records(records).replies
    codes = [reply.code for reply in replies]
    assert codes == [Code.OK, Code.SEQUENCE_GAP, Code.OK, Code.OK, Code.OK]
    assert [reply.result for reply in replies] == [1, 0, 2, 3, 4]


def test_a_record_that_does_not_fit_ends_its_group() -> None:
    """What follows a torn record is not guessed at; what came before stands."""
    driver = VenueDriver()
    whole = [driver.record(c.EventCreate()) for _ in range(3)]
    torn = whole[1][:8] + (10_000).to_bytes(4, "little") + whole[1][12:]
    replies = driver.apply_records([whole[0], torn, whole[2]]).replies
    assert [reply.code for reply in replies] == [Code.OK]
    assert driver.apply_records(whole[1:]).replies[-1].result == 3


def test_session_zero_opens_sessions_and_nothing_else() -> None:
    """A command that pretends to be the leader's own is unknown; an account's key must be known."""
    driver = VenueDriver()
    (reply,) = driver.apply_records([c.record(0, c.EventCreate().frame(0))]).replies
    assert (reply.session, reply.code) == (0, Code.UNKNOWN_COMMAND)
    assert driver.try_session(key_of(1)) == (Code.UNKNOWN_KEY, 0)


def test_an_evicted_session_is_announced() -> None:
    """The gateway must know whose connection to end."""
    driver = VenueDriver()
    driver.must(c.Configure(14, 1))  # SESSIONS_PER_KEY
    frame = c.SessionOpen(OPERATOR_KEY).frame(0)
    applied = driver.apply_records([c.record(0, frame)])
    kinds = [event.kind for event in applied.events]
    assert kinds == [EventType.SESSION_EVICTED, EventType.SESSION_OPENED]
    assert int.from_bytes(applied.events[0].body[:4], "little") == driver.operator
    assert driver.venue.session(driver.operator) is None


def test_streams_start_at_one() -> None:
    """The first event of every stream has number 1: a subscriber knows that it missed nothing."""
    driver = VenueDriver()
    frames = [
        c.EventCreate(),
        c.MarketCreate(1),
        c.AccountOpen(bytes(20), key_of(1)),
        c.Deposit(1, 10**6, 1),
    ]
    events = driver.say_all(frames).events
    first = {event.stream_sequence for event in events if event.kind < FIRST_VENUE_EVENT}
    assert first == {1}
    venue = Venue(genesis())
    venue.apply(1, driver.log[0][1])
    (opened,) = read_events(venue.events)
    assert (opened.kind, opened.stream_sequence) == (EventType.SESSION_OPENED, 1)


def test_sessions_that_come_and_go_leave_nothing_behind() -> None:
    """A client that opens session after session costs what its key's last few sessions cost."""
    driver = VenueDriver(genesis(sessions_per_key=4))
    gc.collect()
    gc.disable()  # As in a running node: nothing may wait for a full collection.
    try:
        for _ in range(60):
            number = driver.open_session(OPERATOR_KEY, 8_192)
            driver.apply_records([c.record(number, c.EventCreate().frame(1))])
            driver.checkpoint()
        key = driver.venue.key_by_public(OPERATOR_KEY)
        sessions = [one for one in gc.get_objects() if isinstance(one, Session) and one.key is key]
    finally:
        gc.enable()
    assert len(driver.venue.state.sessions) == 4
    assert len(sessions) == 4, "evicted sessions stay in memory"
    assert len(driver.venue.tree.shelves) < 20, "the hash tree remembers pages that are gone"


def test_an_unused_window_costs_next_to_nothing() -> None:
    """Opening a session makes no pages of replies; the first command makes one."""
    driver = VenueDriver()
    number = driver.open_session(OPERATOR_KEY, 8_192)
    session = driver.venue.session(number)
    assert session is not None
    assert [page for page in session.reply_pages if page is not None] == []
    driver.apply_records([c.record(number, c.EventCreate().frame(1))])
    assert len([page for page in session.reply_pages if page is not None]) == 1
    assert driver.restored().checkpoint() == driver.checkpoint()
