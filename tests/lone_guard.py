"""One guard with its journal, core and a hand-held clock; the test plays all its peers."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

from chaos.simulation.disk import SimulatedDisk
from node.consensus.journal import Journal
from node.consensus.leader_clock import LeaderClock
from node.consensus.peer_messages import (
    Append,
    Appended,
    Message,
    PreVote,
    PreVoteRequest,
    Vote,
)
from node.consensus.raft_core import RaftCore
from node.consensus.raft_guard import RaftGuard
from node.consensus.timing import Timing

Some = TypeVar("Some")
GROUP = b"\x00group"


class NoSnapshots:
    """A snapshot port with nothing to give or take."""

    def copy(self, done: Callable[[None], None]) -> None:
        """There is none."""
        done(None)

    def receive(self, size: int, blake3: bytes) -> "NoSnapshots":
        """Take none."""
        del size, blake3
        return self

    def write(self, data: bytes) -> None:
        """Drop it."""

    def install(self, done: Callable[[tuple[int, int] | None], None]) -> None:
        """Refuse it."""
        done(None)

    def discard(self) -> None:
        """Nothing to drop."""


class LoneGuard:
    """Node 1 of a cluster; its messages collect in `sent`."""

    def __init__(
        self,
        nodes: int = 3,
        disk: SimulatedDisk | None = None,
        *,
        recovering: bool = False,
        timing: Timing | None = None,
    ) -> None:
        """Start with all peers connected."""
        self.now = 10.0
        self.disk = disk or SimulatedDisk(Random(1))
        self.sent: list[tuple[int, Message]] = []
        self.applied: list[tuple[int, int, bytes]] = []
        self.peers = list(range(2, nodes + 1))
        self.journal = Journal(Path("/journal"), files=self.disk)
        self.core = RaftCore(1, self.peers, self.journal, lambda *entry: self.applied.append(entry))
        clock = LeaderClock(lambda: int(self.now * 1e9), lambda: int(self.now * 1e9), nodes)
        clock.hear_leader(int(self.now * 1e9))  # A new process waits for the clocks of a quorum.
        self.guard = RaftGuard(
            self.core,
            self.peers,
            send=lambda peer, message: self.sent.append((peer, message)),
            port=NoSnapshots(),
            timing=timing or Timing(),
            now=lambda: self.now,
            random=Random(2),
            clock=clock,
            recovering=recovering,
        )
        for peer in self.peers:
            self.guard.connect(peer)
        self.sync()
        self.sent.clear()

    def sync(self) -> None:
        """Make the journal durable, tell the guard, and let it act."""
        self.journal.sync()
        self.guard.flushed()
        self.guard.advance()
        self.core.apply_committed(lambda: False)

    def wait(self, seconds: float) -> None:
        """Let time pass at once."""
        self.now += seconds
        self.guard.heartbeat()

    def take(self, kind: type[Some]) -> list[tuple[int, Some]]:
        """Return and forget the messages of one kind sent so far."""
        found: list[tuple[int, Some]] = [
            (peer, message) for peer, message in self.sent if isinstance(message, kind)
        ]
        self.sent = [item for item in self.sent if not isinstance(item[1], kind)]
        return found

    def lead(self) -> None:
        """Win an election with the vote of node 2 (and 3 of five)."""
        voters = self.peers[: (len(self.peers) + 1) // 2]
        self.wait(1.0)
        self.sync()
        term = self.take(PreVoteRequest)[0][1].term
        for voter in voters:
            self.guard.receive(voter, PreVote(term, granted=True))
        self.sync()
        for voter in voters:
            self.guard.receive(voter, Vote(term))
        assert self.core.is_leader
        assert self.core.term == term


def accepted(lone: LoneGuard, peer: int, matched: int) -> Appended:
    """Return the answer of a follower that holds everything up to `matched`."""
    probe = lone.guard.peers[peer].probe
    return Appended(lone.core.term, probe, matched + 1, accepted=True, recovering=False)


def entries(first: int, *terms: int) -> list[tuple[bytes, int, int]]:
    """Return consecutive groups from index `first`, one for each term."""
    return [(GROUP, first + at, term) for at, term in enumerate(terms)]


def append(
    term: int, previous: int, previous_term: int, new: list[tuple[bytes, int, int]], commit: int = 0
) -> Append:
    """Return what a leader sends."""
    return Append(term, 0, previous, previous_term, commit, 0, new)
