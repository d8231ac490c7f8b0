"""Readers of a simulated cluster: every answer and every event is judged."""

import struct
from collections.abc import Iterator

import pytest
import structlog

from chaos.simulation import quiet_logs
from chaos.simulation.cluster import Cluster
from chaos.simulation.committed_log import Applied, CommittedLog
from chaos.simulation.following import Following
from chaos.simulation.invariants.invariant import ViolationError
from chaos.simulation.invariants.reads import FeedsAreExact, ReadsAreLinearizable
from chaos.simulation.reader_host import Answered
from chaos.simulation.seed_run import Case, run_case
from node.domain import events as layout
from node.protocol import messages

HEADER = struct.Struct("<ihhqiiqq")


def event(index: int, stream: int, sequence: int, kind: int = layout.ORDER_CLOSED) -> bytes:
    """Return an event frame."""
    return HEADER.pack(HEADER.size, kind, 0, index, 0, stream, sequence, 7)


def log_of(*groups: list[bytes]) -> CommittedLog:
    """Return a log of these groups' events, from index 2 on."""
    log = CommittedLog()
    for index, events in enumerate(groups, start=2):
        log.add(Applied(index, 1, b"", bytes(32), b"", b"".join(events), 1, 0))
    return log


LOG = log_of(
    [event(2, 1, 1), event(2, 2, 1)],
    [event(3, 1, 2), event(3, 1, 1, layout.DEPTH)],
    [],
    [event(5, 2, 2), event(5, 1, 3)],
)


@pytest.fixture(name="cluster", scope="module")
def _cluster() -> Iterator[Cluster]:
    """Give a cluster that nothing happens in."""
    quiet_logs.silence()
    cluster = Cluster(1, 3, (), record=False)
    cluster.log = LOG
    yield cluster
    for loop in cluster.network.loops:
        loop.bury()
    structlog.reset_defaults()


def hear(cluster: Cluster, following: Following, *frames: bytes) -> None:
    """Hand frames to the invariant, as they would come."""
    FeedsAreExact(cluster).heard(following, b"".join(frames))


def test_a_stream_is_owed_from_where_it_began(cluster: Cluster) -> None:
    """Of one account or all, of one feed: nothing else, nothing twice, nothing left out."""
    own = Following(LOG, messages.EXECUTIONS, 1)
    own.begin(0)
    hear(cluster, own, event(2, 1, 1), event(3, 1, 2))
    assert own.owes
    hear(cluster, own, event(5, 1, 3))
    assert not own.owes

    everybody = Following(LOG, messages.EXECUTIONS, 0)
    everybody.begin(2)
    hear(cluster, everybody, event(3, 1, 2), event(5, 2, 2), event(5, 1, 3))
    assert not everybody.owes


@pytest.mark.parametrize(
    "frames",
    [
        [event(3, 1, 2)],
        [event(2, 1, 1), event(2, 1, 1)],
        [event(2, 1, 1), event(5, 1, 3)],
        [event(2, 1, 1), event(3, 1, 9)],
        [event(2, 1, 1), event(3, 1, 2), event(5, 1, 3), event(6, 1, 4)],
        [event(2, 2, 1)],
    ],
    ids=["begins late", "twice", "a gap", "altered", "of nowhere", "of another stream"],
)
def test_a_feed_that_is_not_the_log_is_seen(cluster: Cluster, frames: list[bytes]) -> None:
    """Also what looks gapless to the subscriber."""
    following = Following(LOG, messages.EXECUTIONS, 1)
    following.begin(0)
    with pytest.raises(ViolationError, match="feeds are exact"):
        hear(cluster, following, *frames)


def test_an_answer_that_knows_too_little_is_seen(cluster: Cluster) -> None:
    """As of an index before one that was told to anybody; and one that says what is not so."""
    reads = ReadsAreLinearizable(cluster)
    reads.answered(Answered(messages.STATUS, 0, True, 3, 3, bytes(32)))
    with pytest.raises(ViolationError, match="as of 3 was asked when 4"):
        reads.answered(Answered(messages.STATUS, 0, True, 4, 3, bytes(32)))
    with pytest.raises(ViolationError, match="the log says"):
        reads.answered(Answered(messages.STATUS, 0, True, 3, 3, b"x" * 32))


def test_readers_are_served_through_failovers(cluster: Cluster) -> None:
    """In a run with faults questions are answered and events are compared."""
    del cluster  # It keeps the logs quiet.
    result = run_case(Case(12))

    assert result.held, result.what
    assert result.reads > 5
    assert result.checks[FeedsAreExact.name] > 5
