"""Admission, backpressure and limits, without a socket."""

import dataclasses
import struct
from collections import Counter
from types import SimpleNamespace

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from node.gateway.admission import Admission, Backlog
from node.gateway.backpressure import Backpressure
from node.gateway.counters import GatewayCounters
from node.gateway.gateway_limits import GatewayLimits
from node.gateway.heartbeats import BEATS, Heartbeats
from node.gateway.refusal_log import LINES_A_SECOND, RefusalLog

SIZES = (24, 48, 72, 160)


def record(session: int, number: int) -> bytes:
    """Return a log record of one of a few sizes that tells its session and number."""
    size = SIZES[number % len(SIZES)]
    head = struct.pack("<iiihhq", session, 0, size - 8, 1, 0, number)
    return head + bytes(size - len(head))


def numbers(parts: list[bytes]) -> list[tuple[int, int]]:
    """Return (session, number) of every record in `parts`."""
    body = b"".join(parts)
    found, at = [], 0
    while at < len(body):
        session, _, length, _, _, number = struct.unpack_from("<iiihhq", body, at)
        found.append((session, number))
        at += 8 + length
    return found


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, 4), st.integers(1, 6)),
            st.tuples(st.just("take"), st.integers(160, 1_000), st.just(0)),
        ),
        max_size=60,
    ),
    turn=st.integers(160, 600),
)
def test_nothing_is_lost_reordered_or_too_much(
    steps: list[tuple[str, int, int]], turn: int
) -> None:
    """What is taken fits its bound, keeps each session's order, and is all there was."""
    kicks: list[None] = []
    admission = Admission(turn, lambda: kicks.append(None))
    backlogs = {session: Backlog() for session in range(1, 5)}
    expected: dict[int, list[int]] = {session: [] for session in backlogs}
    following = Counter[int]()

    def take(most: int) -> bool:
        taken = admission.take(most)
        if taken is None:
            return False
        parts, count = taken
        assert sum(map(len, parts)) <= most
        got = numbers(parts)
        assert len(got) == count
        for session, number in got:
            assert expected[session].pop(0) == number
        return True

    for what, number, count in steps:
        if what == "add":
            first = following[number]
            added = range(first, first + count)
            following[number] += count
            expected[number] += added
            admission.add(backlogs[number], b"".join(record(number, n) for n in added), count)
            assert kicks
        else:
            waiting = admission.count > 0
            assert take(number) == waiting
        assert admission.count == sum(map(len, expected.values()))
        assert admission.size == sum(backlog.size for backlog in backlogs.values())
    while take(160):
        pass
    assert not any(expected.values())
    assert (admission.count, admission.size) == (0, 0)


def test_a_turn_is_bounded_while_others_wait() -> None:
    """Each connection gets its turn before one gets a second, from where the last group stopped."""
    admission = Admission(480, lambda: None)
    backlogs = [Backlog() for _ in range(3)]
    for session, backlog in enumerate(backlogs, start=1):
        admission.add(backlog, b"".join(record(session, 1) for _ in range(100)), 100)
    seen: list[int] = []
    for _ in range(3):
        taken = admission.take(960)
        assert taken is not None
        seen += [session for session, _ in numbers(taken[0])]
    assert Counter(seen) == {1: 20, 2: 20, 3: 20}
    assert seen[:10] == [1] * 10
    assert seen[20:30] == [3] * 10


def test_the_node_s_own_records_go_first() -> None:
    """Opening a session does not wait behind other clients' orders."""
    admission = Admission(1_000, lambda: None)
    admission.add(Backlog(), record(5, 1), 1)
    admission.add_internal(record(0, 9))
    taken = admission.take(1_000)
    assert taken is not None
    assert numbers(taken[0]) == [(0, 9), (5, 1)]


def test_clearing_forgets_everything() -> None:
    """Whoever does not lead holds no commands."""
    admission = Admission(1_000, lambda: None)
    backlog = Backlog()
    admission.add(backlog, record(5, 1), 1)
    admission.add_internal(record(0, 9))
    admission.clear()
    assert admission.take(1_000) is None
    assert (admission.count, admission.size, backlog.count) == (0, 0, 0)
    admission.add(backlog, record(5, 2), 1)
    assert admission.take(1_000) is not None


class Transport:
    """Remembers whether it is read."""

    def __init__(self) -> None:
        """Read."""
        self.reading = True
        self.closing = False

    def pause_reading(self) -> None:
        """Stop."""
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        """Go on; a transport that is closing would raise."""
        assert not self.reading
        assert not self.closing
        self.reading = True

    def is_closing(self) -> bool:
        """Tell what the test has set."""
        return self.closing


def test_reading_stops_over_a_bound_and_resumes_at_half() -> None:
    """One connection's bound and that over all both pause; a closing transport is left alone."""
    limits = GatewayLimits(pending_bytes=480, pending_bytes_total=1_000, turn_bytes=100_000)
    admission = Admission(limits.turn_bytes, lambda: None)
    counters = GatewayCounters()
    pressure = Backpressure(limits, admission, counters)
    backlogs = [Backlog() for _ in range(4)]
    transports = [Transport() for _ in range(4)]

    def add(place: int, count: int) -> None:
        admission.add(backlogs[place], b"".join(record(place, 1) for _ in range(count)), count)
        pressure.added(backlogs[place], transports[place])

    add(0, 11)
    assert not transports[0].reading
    add(1, 9)
    assert transports[1].reading
    add(2, 3)
    add(3, 1)
    assert [one.reading for one in transports] == [False, True, False, False]
    assert counters.readings_paused == 3
    transports[2].closing = True
    pressure.forget(backlogs[3])
    admission.take(100_000)
    pressure.taken()
    assert [one.reading for one in transports] == [True, True, False, False]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(GatewayLimits)])
def test_limits_that_make_no_sense_are_refused(field: str) -> None:
    """Zero is not a limit."""
    with pytest.raises(ValueError, match=field):
        GatewayLimits(**{field: 0})


def test_frame_and_answer_limits_stay_within_the_protocol() -> None:
    """A node may set less than the protocol allows, never more, nor less than a command needs."""
    for wrong in (
        {"frame_bytes": 151},
        {"frame_bytes": 4_097},
        {"answer_bytes": 1_023},
        {"answer_bytes": 65_489},
    ):
        with pytest.raises(ValueError, match="gateway limit"):
            GatewayLimits(**wrong)


class Beaten:
    """A connection that counts its heartbeats."""

    def __init__(self) -> None:
        """Start with none."""
        self.beats = 0

    def heartbeat(self, frame: bytes, now: float) -> None:
        """Count."""
        assert (len(frame), now) == (24, 7.0)
        self.beats += 1


@pytest.mark.parametrize("count", [0, 1, 4, 15, 16, 17, 160, 1_001])
def test_every_connection_gets_one_heartbeat_a_period(count: int) -> None:
    """However many there are, and in parts that are as even as can be."""
    connections = [Beaten() for _ in range(count)]
    heartbeats = Heartbeats(
        SimpleNamespace(time=lambda: 7.0),  # type: ignore[arg-type]
        GatewayLimits(),
        SimpleNamespace(connections=dict.fromkeys(connections, "")),  # type: ignore[arg-type]
        SimpleNamespace(log_index=1, stamp_ns=2),
    )
    for period in range(1, 4):
        for _ in range(BEATS):
            before = sum(one.beats for one in connections)
            heartbeats.beat()
            assert sum(one.beats for one in connections) - before <= -(-count // BEATS)
        assert [one.beats for one in connections] == [period] * count


def test_who_knocks_without_end_does_not_fill_the_log() -> None:
    """So many lines a second; the next one tells how many were left out."""
    now = 5.0
    refused = RefusalLog(lambda: now)
    with structlog.testing.capture_logs() as lines:
        for _ in range(LINES_A_SECOND + 1_000):
            refused.write(reason="KEY_UNKNOWN")
        now = 6.0
        refused.write(reason="KEY_UNKNOWN")
        refused.write(reason="KEY_UNKNOWN")

    assert [line["suppressed"] for line in lines] == [0] * LINES_A_SECOND + [1_000, 0]
    assert {line["event"] for line in lines} == {"login_refused"}
