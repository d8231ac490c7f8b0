"""Figure 8 of the Raft paper, as a script: entries of older terms are not committed by counting."""

from tests.consensus_mutants import Mutant, old_terms_commit_by_counting
from tests.simulated_cluster import SimulatedCluster
from tests.simulated_node import SimulatedNode

STEP = 0.02
LARGE = b"x" * 400
"""Fills a message of its own, so that what is behind it travels later."""


class Script:
    """Five nodes that do what they are told, when they are told: no step is as long as a timer."""

    def __init__(self, mutant: Mutant) -> None:
        self.cluster = SimulatedCluster(1, 5, mutant)
        self.contested = 0
        """Where the entry of the first term stands."""
        self.cluster.sync_seconds = lambda: 0.0002  # type: ignore[method-assign]

    def cut_all_but(self, *pairs: tuple[int, int]) -> None:
        """Let messages pass between these pairs only."""
        network = self.cluster.network
        network.unblock()
        open_ways = {*pairs, *((other, one) for one, other in pairs)}
        network.blocked = {
            (one, other)
            for one in self.cluster.numbers
            for other in self.cluster.numbers
            if one != other and (one, other) not in open_ways
        }

    def keep_quiet(self) -> None:
        """Put every election timer off: who stands for election is the script's to say."""
        for node in self.cluster.nodes.values():
            if node.alive:
                node.guard.election.deadline = self.cluster.now + 10
                for progress in node.guard.peers.values():
                    progress.heard_at = self.cluster.now

    def wait(self, seconds: float = STEP) -> None:
        """Let a little time pass, and no election begin by itself."""
        for _ in range(max(1, round(seconds / 0.005))):
            self.keep_quiet()
            self.cluster.run(0.005)

    def elect(self, number: int) -> SimulatedNode:
        """Have a node stand for election until it wins, and stop at that very moment."""
        node = self.cluster.nodes[number]
        for _ in range(5):
            node.guard.election._campaign()
            node.kick()
            for _ in range(150):
                self.keep_quiet()
                self.cluster.run(0.0001)
                if node.core.is_leader:
                    return node
        raise AssertionError(self.cluster.describe())

    def restart(self, number: int) -> None:
        """Start a node again and let it connect."""
        self.cluster.restart(number)
        self.wait(0.15)

    def play(self) -> None:
        """(a) to (d) of the figure."""
        cluster = self.cluster
        ways = [(one, other) for one in range(1, 6) for other in range(one + 1, 6)]
        self.cut_all_but(*ways)
        self.wait(0.15)
        first = self.elect(1)
        self.wait(0.1)
        # (a) An entry of the first term reaches node 2 only.
        self.cut_all_but((1, 2))
        first.propose(b"%020d a:" % first.clock.stamp() + LARGE)
        self.wait()
        self.contested = contested = first.journal.last_index
        cluster.crash(1, power=False)
        # (b) Node 5 leads with the votes of 3 and 4, and has an entry of its own there.
        self.cut_all_but((5, 3), (5, 4))
        self.elect(5)
        self.cut_all_but()
        self.wait()
        cluster.crash(5, power=False)
        # (c) Node 1 leads again and brings its old entry to node 3, but nothing of its new term.
        self.cut_all_but((1, 2), (1, 3), (1, 4))
        self.restart(1)
        self.cut_all_but((1, 2), (1, 3), (1, 4))
        self.elect(1)
        third = cluster.nodes[3]
        for _ in range(400):
            self.keep_quiet()
            cluster.run(0.0001)
            if third.journal.last_index >= contested and third.journal.term_at(contested) == 1:
                break
        assert third.journal.last_index == contested, cluster.describe()
        # What it says back still arrives; nothing new reaches the others.
        cluster.network.blocked |= {(1, 2), (1, 3), (1, 4)}
        self.wait()
        cluster.crash(1, power=False)
        # (d) Node 5, whose last term is newer, leads again and replaces the entry.
        self.cut_all_but((5, 2), (5, 3), (5, 4))
        self.restart(5)
        self.cut_all_but((5, 2), (5, 3), (5, 4))
        self.elect(5)
        self.wait(0.2)
        replaced = cluster.nodes[3].journal.term_at(contested) > 1
        assert replaced, cluster.describe()
        cluster.check_convergence()


def applied_and_gone(script: Script) -> bool:
    """Tell whether some node applied the contested entry, and in the end no node has it."""
    cluster = script.cluster
    applied = script.contested in cluster.log
    kept = any(script.contested in dict(node.groups) for node in cluster.nodes.values())
    return applied and not kept


def test_an_old_term_is_not_committed_by_counting() -> None:
    """With the entry on three of five nodes nobody applies it: it may be replaced, and is."""
    script = Script(lambda _node: None)
    script.play()

    assert script.contested not in script.cluster.log
    assert not applied_and_gone(script)


def test_counting_it_loses_what_was_applied() -> None:
    """The planted mistake applies it in (c), and (d) replaces it everywhere."""
    script = Script(old_terms_commit_by_counting)
    script.play()

    assert applied_and_gone(script)
