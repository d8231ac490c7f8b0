"""Whole clusters under seeded faults: one leader a term, one log, nothing acknowledged lost.

`CONSENSUS_SEEDS=0:5000` runs more seeds than the default; each failure names its seed.
"""

import os

import pytest

from tests.consensus_mutants import (
    Mutant,
    commit_exceeds_verified_prefix,
    leader_counts_itself_unsynced,
    lost_disk_votes,
    promises_before_sync,
    quorum_off_by_one,
    snapshot_chunks_commit,
    vote_without_log_check,
)
from tests.simulated_cluster import SimulatedCluster
from tests.simulated_faults import FaultSchedule

FIRST, LAST = map(int, os.environ.get("CONSENSUS_SEEDS", "0:60").split(":"))
SECONDS = 5.0
SEEDS_PER_TEST = 10


def run(seed: int, nodes: int, mutant: Mutant | None = None) -> SimulatedCluster:
    """Run one schedule to its end."""
    cluster = SimulatedCluster(seed, nodes, mutant) if mutant else SimulatedCluster(seed, nodes)
    try:
        FaultSchedule(cluster).run(SECONDS)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, {nodes} nodes: {error}") from error
    return cluster


@pytest.mark.parametrize("first", range(FIRST, LAST, SEEDS_PER_TEST))
def test_no_fault_breaks_the_log(first: int) -> None:
    """Whatever dies, stalls or is cut off, and whenever: every invariant holds."""
    for seed in range(first, min(first + SEEDS_PER_TEST, LAST)):
        cluster = run(seed, 5 if seed % 4 == 3 else 3)
        assert len(cluster.acknowledged) > 20


def test_the_same_seed_is_the_same_run() -> None:
    """A failure can be looked at again."""
    one, other = run(7, 3), run(7, 3)
    assert one.log == other.log
    assert one.network.messages == other.network.messages
    assert one.now == other.now


@pytest.mark.parametrize(
    "mutant",
    [
        promises_before_sync,
        leader_counts_itself_unsynced,
        commit_exceeds_verified_prefix,
        vote_without_log_check,
        quorum_off_by_one,
        lost_disk_votes,
        snapshot_chunks_commit,
    ],
    ids=lambda mutant: mutant.__name__,
)
def test_a_planted_mistake_is_found(mutant: Mutant) -> None:
    """The checks can see: each known mistake breaks an invariant within a few seeds."""
    for seed in range(15):
        try:
            run(seed, 3, mutant)
        except AssertionError:
            return
    pytest.fail(f"{mutant.__name__} was not found in 15 seeds")
