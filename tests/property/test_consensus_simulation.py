"""Whole clusters under seeded faults: one leader a term, one log, nothing acknowledged lost.

`CONSENSUS_SEEDS=0:5000` runs more seeds than the default; each failure names its seed.
"""

import os
import re

import pytest

from node.consensus.errors import LogContradictionError
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
from tests.simulated_node import ViolationError

FIRST, LAST = map(int, os.environ.get("CONSENSUS_SEEDS", "0:60").split(":"))
SECONDS = 3.0
MUTANT_SECONDS = 4.0
SEEDS_PER_TEST = 10

BROKEN = (ViolationError, LogContradictionError)
NOT_DURABLE = r"acknowledged \d+, durable only on"
TWO_LEADERS = r"nodes \d and \d lead term \d+"
TWO_LOGS = (
    r"applied another group at|goes back in time|committed entry \d+|, committed up to \d+"
    r"|acknowledged groups lost"
)
"""What one node applied or committed, another one, or a later leader, contradicts."""


def run(seed: int, nodes: int, mutant: Mutant | None = None) -> SimulatedCluster:
    """Run one schedule to its end; a mistake gets more time to show."""
    cluster = SimulatedCluster(seed, nodes, mutant) if mutant else SimulatedCluster(seed, nodes)
    try:
        FaultSchedule(cluster).run(MUTANT_SECONDS if mutant else SECONDS)
    except AssertionError as error:
        error.add_note(f"seed {seed}, {nodes} nodes")
        raise
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
    ("mutant", "seed", "kind"),
    [
        (promises_before_sync, 0, NOT_DURABLE),
        (leader_counts_itself_unsynced, 0, NOT_DURABLE),
        (vote_is_not_recorded, 104, TWO_LEADERS),
        (previous_term_is_not_checked, 46, TWO_LOGS),
        (commit_exceeds_verified_prefix, 19, TWO_LOGS),
        (vote_without_log_check, 0, TWO_LOGS),
        (quorum_off_by_one, 0, NOT_DURABLE),
        (lost_disk_votes, 1, TWO_LOGS),
        (snapshot_chunks_commit, 83, TWO_LOGS),
        (installed_snapshot_keeps_conflicting_log, 83, TWO_LOGS),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_mistake_is_found(mutant: Mutant, seed: int, kind: str) -> None:
    """The checks can see: each known mistake breaks the invariant that it is about.

    At the seed where it once did; when the schedules change, so do the seeds: a few more are tried.
    What else goes wrong on the way, in the harness or as another invariant, does not count.
    """
    told = []
    for attempt in range(seed, seed + 20):
        try:
            run(attempt, 3, mutant)
        except AssertionError as error:
            if isinstance(error, BROKEN) and re.search(kind, str(error)):
                return
            told.append(f"{attempt}: {error!r}")
    pytest.fail(f"{mutant.__name__} was not found in 20 seeds, but {told}")
