"""Whole clusters under seeded faults: one leader a term, one log, nothing acknowledged lost.

`CONSENSUS_SEEDS=0:5000` runs more seeds than the default; each failure names its seed.
"""

import os

import pytest

from tests.consensus_mutants import (
    Mutant,
    commit_exceeds_verified_prefix,
    installed_snapshot_keeps_conflicting_log,
    leader_counts_itself_unsynced,
    lost_disk_votes,
    previous_term_is_not_checked,
    promises_before_sync,
    quorum_off_by_one,
    snapshot_chunks_commit,
    vote_is_not_recorded,
    vote_without_log_check,
)
from tests.simulated_cluster import SimulatedCluster
from tests.simulated_faults import FaultSchedule

FIRST, LAST = map(int, os.environ.get("CONSENSUS_SEEDS", "0:60").split(":"))
SECONDS = 3.0
MUTANT_SECONDS = 4.0
SEEDS_PER_TEST = 10


def run(seed: int, nodes: int, mutant: Mutant | None = None) -> SimulatedCluster:
    """Run one schedule to its end; a mistake gets more time to show."""
    cluster = SimulatedCluster(seed, nodes, mutant) if mutant else SimulatedCluster(seed, nodes)
    try:
        FaultSchedule(cluster).run(MUTANT_SECONDS if mutant else SECONDS)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, {nodes} nodes: {error}") from error
    return cluster


@pytest.mark.parametrize("first", range(FIRST, LAST, SEEDS_PER_TEST))
def test_no_fault_breaks_the_log(first: int) -> None:
    """Whatever dies, stalls or is cut off, and whenever: every invariant holds."""
    acknowledged = 0
    for seed in range(first, min(first + SEEDS_PER_TEST, LAST)):
        cluster = run(seed, 5 if seed % 4 == 3 else 3)
        acknowledged += len(cluster.acknowledged)
    assert acknowledged > 100


def test_the_same_seed_is_the_same_run() -> None:
    """A failure can be looked at again."""
    one, other = run(7, 3), run(7, 3)
    assert one.log == other.log
    assert one.network.messages == other.network.messages
    assert one.now == other.now


@pytest.mark.parametrize(
    ("mutant", "seed"),
    [
        (promises_before_sync, 0),
        (leader_counts_itself_unsynced, 0),
        (vote_is_not_recorded, 49),
        (previous_term_is_not_checked, 2),
        (commit_exceeds_verified_prefix, 2),
        (vote_without_log_check, 3),
        (quorum_off_by_one, 0),
        (lost_disk_votes, 32),
        (snapshot_chunks_commit, 2),
        (installed_snapshot_keeps_conflicting_log, 6),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_mistake_is_found(mutant: Mutant, seed: int) -> None:
    """The checks can see: each known mistake breaks an invariant, at the seed where it once did.

    When the schedules change, so do the seeds: a few more are tried.
    """
    for attempt in range(seed, seed + 20):
        try:
            run(attempt, 3, mutant)
        except AssertionError:
            return
    pytest.fail(f"{mutant.__name__} was not found in 20 seeds")
