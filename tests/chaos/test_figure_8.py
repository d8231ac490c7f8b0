"""Figure 8 of the Raft paper, as a script: entries of older terms are not committed by counting.

Five simulated machines with whole nodes do what the script says and when. No election begins by
itself, and no client interferes: the schedule is the figure's, and not one more event.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from struct import pack

import pytest
import structlog

from chaos.simulation import cluster as simulated
from chaos.simulation import quiet_logs
from chaos.simulation.cluster import Cluster
from chaos.simulation.host import Host
from chaos.simulation.invariants.invariant import Invariant
from chaos.simulation.invariants.registry import INVARIANTS
from chaos.simulation.link import CUT
from chaos.simulation.setting import Setting, draw_setting
from node.consensus.log_group import build_group
from node.consensus.raft_core import GROUP
from node.consensus.replica import Replica
from node.consensus.timing import Timing
from node.protocol.command_frames import CommandFrames

STEP = 0.02
MOMENT = 0.00005
"""Less than the fastest link takes."""
STRANGER = 999
"""A session that does not exist: its commands are refused, and that is a result like any other."""


class OldTermsCount(Invariant):
    """Plants the mistake: a leader commits entries of older terms because a quorum holds them."""

    name = "planted"

    def started(self, host: Host) -> None:
        """Plant it in every new process."""
        guard = replica_of(host).guard
        replication, core = guard.replication, guard.core
        count = replication.count

        def lax() -> None:
            count()
            held = [core.journal.synced_index, *(one.match_index for one in guard.peers.values())]
            durable = sorted(held, reverse=True)[replication._quorum - 1]
            if durable > core.commit_index:
                core._SyncObj__raftCommitIndex = durable
                core.journal.commit = durable

        replication.count = lax  # type: ignore[method-assign]


def replica_of(host: Host) -> Replica:
    """Return the replica of a host that runs."""
    assert host.node is not None
    return host.node.replica


def large_group(stamp_ns: int) -> bytes:
    """Return a group that fills a message of its own: what is behind it travels later."""
    frames = CommandFrames(1)
    records = []
    for _ in range(30):
        frames.checkpoint()
        records.append(pack("<ii", STRANGER, 0) + frames.take())
    return build_group(records, len(records), stamp_ns, shard=0)


class Script:
    """Five machines that do what they are told, when they are told."""

    def __init__(self, *planted: type[Invariant]) -> None:
        self.cluster = Cluster(8, 5, (*planted, *INVARIANTS), record=False)
        self.hosts = self.cluster.hosts
        self.contested = 0
        """Where the entry of the first term stands."""
        for host in self.hosts.values():
            host.sync_ns = lambda: 200_000  # type: ignore[method-assign]
            for client in self.cluster.clients:
                self.cluster.network.link(client.address, host.address).suffer(CUT)

    def replica(self, number: int) -> Replica:
        """Return a node's replica."""
        return replica_of(self.hosts[number])

    def connect_only(self, *pairs: tuple[int, int]) -> None:
        """Let these pairs of nodes talk, and cut all others; what was on its way is lost."""
        network = self.cluster.network
        open_ways = {*pairs, *((other, one) for one, other in pairs)}
        for one, host in self.hosts.items():
            for other, peer in self.hosts.items():
                if one == other:
                    continue
                link = network.link(host.address, peer.address)
                if (one, other) not in open_ways:
                    link.suffer(CUT)
                    network.reset(host.address, peer.address)
                elif link.cut:
                    link.heal()

    def wait(self, seconds: float = STEP) -> None:
        """Let a little time pass."""
        self.cluster.run(seconds)

    def wait_connected(self, number: int, *peers: int) -> None:
        """Wait until a node is connected to these."""
        for _ in range(200):
            self.wait(0.01)
            if set(peers) <= set(self.replica(number)._transport.connected):
                return
        raise AssertionError(self.cluster.describe())

    def elect(self, number: int) -> Replica:
        """Have a node stand for election until it wins, and stop at that very moment."""
        replica = self.replica(number)
        for _ in range(5):
            self.hosts[number].loop.run_inside(replica.guard.election._campaign)
            replica.kick()
            for _ in range(1_000):
                self.wait(MOMENT)
                if replica.is_leader:
                    return replica
        raise AssertionError(self.cluster.describe())

    def end(self, number: int) -> None:
        """Kill a node."""
        self.hosts[number].kill()

    def play(self) -> None:
        """(a) to (d) of the figure."""
        everybody = [(one, other) for one in range(1, 6) for other in range(one + 1, 6)]
        self.connect_only(*everybody)
        self.wait_connected(1, 2, 3, 4, 5)
        self.wait(0.3)  # They learn each other's clocks: only who trusts its own may lead.
        first = self.elect(1)
        self.wait(0.1)
        # (a) An entry of the first term reaches node 2 only.
        self.connect_only((1, 2))
        first._core.propose(GROUP + large_group(first.clock.stamp()))
        self.contested = contested = first.journal.last_index
        first.kick()
        self.wait()
        assert self.replica(2).journal.last_index == contested
        self.end(1)
        # (b) Node 5 leads with the votes of 3 and 4, and what it then writes stays with it.
        self.connect_only((5, 3), (5, 4))
        self.wait_connected(5, 3, 4)
        fifth = self.elect(5)
        self.connect_only()
        fifth._core.propose(GROUP + large_group(fifth.clock.stamp()))
        fifth.kick()
        self.wait()
        self.end(5)
        # (c) Node 1 leads again. A majority gets its old entry; only node 2 one of its new term.
        self.hosts[1].start()
        self.connect_only((1, 2), (1, 3), (1, 4))
        self.wait_connected(1, 2, 3, 4)
        self.wait(0.3)
        self.elect(1)
        self.let_the_old_entry_through()
        self.wait()
        peers = self.replica(1).guard.peers.values()
        assert sum(peer.match_index >= contested for peer in peers) >= 2, "not on a majority"
        self.end(1)
        # (d) Node 5, whose last term is newer, leads again and replaces the entry.
        self.hosts[5].start()
        self.connect_only((5, 2), (5, 3), (5, 4))
        self.wait_connected(5, 2, 3, 4)
        self.wait(0.3)
        self.elect(5)
        self.wait(0.3)

    def let_the_old_entry_through(self) -> None:
        """Wait until node 3 has it; then node 1 is heard no more, but still hears the others."""
        log = self.replica(3).journal
        for _ in range(2_000):
            self.wait(MOMENT)
            if log.last_index >= self.contested and log.term_at(self.contested) == self.first_term:
                break
        assert log.last_index == self.contested, self.cluster.describe()
        for number in (2, 3, 4):
            address = self.hosts[number].address
            self.cluster.network.link(self.hosts[1].address, address).suffer(CUT)

    @property
    def first_term(self) -> int:
        """The term of the contested entry."""
        return self.replica(1).journal.term_at(self.contested)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let nobody stand for election by itself, and nobody log."""

    def patient(random: Random, nodes: int) -> Setting:
        setting = draw_setting(random, nodes)
        small = Timing(frame_bytes=600, window_bytes=4_000, margin_bytes=400, group_bytes=4_096)
        setting.timing = replace(small, election_least=1_000.0, election_most=2_000.0)
        return setting

    monkeypatch.setattr(simulated, "draw_setting", patient)
    quiet_logs.silence()
    yield
    structlog.reset_defaults()


def played(*planted: type[Invariant]) -> Script:
    """Return the script behind its end."""
    script = Script(*planted)
    try:
        script.play()
    finally:
        for loop in script.cluster.network.loops:
            loop.bury()
    return script


def test_an_old_term_is_not_committed_by_counting() -> None:
    """With the entry on a majority nobody applies it: it may be replaced, and is."""
    script = played()

    assert script.cluster.violation is None
    assert script.contested not in script.cluster.log.by_index
    assert script.cluster.log.last_index == script.contested + 1  # Node 5's, of its first lead.
    assert {script.replica(number).journal.last_index for number in (3, 4)} == {
        script.replica(5).journal.last_index
    }


def test_counting_it_loses_what_was_applied() -> None:
    """The planted mistake applies it in (c), and (d) replaces it: the log is not one any more."""
    script = played(OldTermsCount)

    violation = script.cluster.violation
    assert violation is not None
    assert violation.invariant in {"leaders know all", "replay equals live", "one log"}
    assert script.contested in script.cluster.log.by_index
