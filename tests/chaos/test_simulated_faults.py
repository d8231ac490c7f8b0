"""Faults of simulated clusters: each ends by itself only, and counts only if it took effect."""

import errno
from collections.abc import Iterator
from random import Random

import pytest
import structlog

from chaos.simulation import quiet_logs
from chaos.simulation.cluster import Cluster
from chaos.simulation.faults import disks, links, processes
from chaos.simulation.faults.strike import Strike
from chaos.simulation.invariants.registry import INVARIANTS
from chaos.simulation.link import CUT, Link, Trouble
from chaos.simulation.scheduler import Scheduler

SLOW_NS = 50_000_000


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Three nodes that have elected a leader and serve clients."""
    quiet_logs.silence()
    made = Cluster(3, 3, INVARIANTS, record=False)
    made.run(1.0)
    assert made.log.by_index
    yield made
    for loop in made.network.loops:
        loop.bury()
    structlog.reset_defaults()


class Counted:
    """A strike and the kinds that were counted for it."""

    def __init__(self, cluster: Cluster, kind: str, dice: int = 1) -> None:
        self.kinds: list[str] = []
        self.strike = Strike(cluster, kind, dice, self.kinds.append)


def link_at_rest() -> tuple[Scheduler, Link, list[int]]:
    """Return a link, its time, and what it has carried."""
    scheduler = Scheduler(0)
    return scheduler, Link(scheduler, Random(1)), []


def test_a_link_is_cut_until_the_last_cut_ends() -> None:
    """The first of two overlapping cuts ends: what is on its way waits on, then comes in order."""
    scheduler, link, carried = link_at_rest()
    end_first = link.suffer(CUT)
    end_second = link.suffer(CUT)
    for number in range(3):
        link.carry(lambda number=number: carried.append(number))  # type: ignore[misc]
        scheduler.run_until(scheduler.now_ns + SLOW_NS)

    end_first()
    end_first()
    scheduler.run_until(10 * SLOW_NS)
    assert link.cut
    assert carried == []

    end_second()
    scheduler.run_until(20 * SLOW_NS)
    assert not link.cut
    assert carried == [0, 1, 2]


def test_a_cut_that_ends_leaves_a_link_as_slow_as_it_was() -> None:
    """Kinds do not heal each other either, and delays add up."""
    scheduler, link, _carried = link_at_rest()
    end_cut = link.suffer(CUT)
    end_slow = link.suffer(Trouble(slow_ns=SLOW_NS))
    end_slower = link.suffer(Trouble(slow_ns=2 * SLOW_NS))
    end_cut()
    assert 3 * SLOW_NS <= link.arrival_ns() < 4 * SLOW_NS
    end_slow()
    assert 2 * SLOW_NS <= link.arrival_ns() < 3 * SLOW_NS
    end_slower()
    assert link.arrival_ns() < SLOW_NS
    assert scheduler.now_ns == 0


def test_once_all_is_healed_an_old_fault_ends_nothing() -> None:
    """Its end comes late, and a newer one has begun meanwhile."""
    _scheduler, link, _carried = link_at_rest()
    end_old = link.suffer(CUT)
    link.heal()
    assert not link.cut
    link.suffer(CUT)
    end_old()
    assert link.cut


def test_two_faults_of_the_network_overlap(cluster: Cluster) -> None:
    """Isolated and deaf at once, a node hears nothing until both have ended."""
    host = cluster.hosts[1]
    isolated, deaf = Counted(cluster, "isolate"), Counted(cluster, "deaf")
    with pytest.MonkeyPatch.context() as patch:
        for one in (isolated, deaf):
            patch.setattr(one.strike.random, "choice", lambda _hosts: host)
        patch.setattr(links, "_duration", lambda strike: 0.1 if strike is deaf.strike else 0.5)
        links.isolate(isolated.strike)
        links.deaf(deaf.strike)
    into = cluster.network.link(cluster.hosts[2].address, host.address)
    cluster.run(0.3)
    assert into.cut
    assert (isolated.kinds, deaf.kinds) == (["isolate"], ["deaf"])
    cluster.run(0.3)
    assert not into.cut


def test_a_disk_is_slow_until_the_last_slowness_ends(cluster: Cluster) -> None:
    """And as slow as all of them together; healing the machine ends all."""
    host = cluster.hosts[1]
    felt: list[int] = []
    end_first = host.slow_disk_down(SLOW_NS, lambda: felt.append(1))
    end_second = host.slow_disk_down(2 * SLOW_NS, lambda: felt.append(2))
    assert host.sync_ns() >= 3 * SLOW_NS
    end_first()
    end_first()
    assert 2 * SLOW_NS <= host.sync_ns() < 3 * SLOW_NS
    assert felt == [1, 2, 2]
    end_second()
    assert host.sync_ns() < SLOW_NS
    end_third = host.slow_disk_down(SLOW_NS, lambda: None)
    cluster.heal()
    end_third()
    assert host.sync_ns() < SLOW_NS


def test_a_failing_disk_is_repaired_by_its_own_fault_only(cluster: Cluster) -> None:
    """Restarted and struck again, it still fails when the first fault's time is over."""
    first = Counted(cluster, "sync-error")
    disks.sync_error(first.strike)
    (host,) = [host for host in cluster.hosts.values() if host.excused]
    cluster.run(0.1)
    assert first.kinds == ["sync-error"]
    processes.restart_host(host)
    assert not host.excused
    second = Counted(cluster, "disk-full")
    second.strike.any_alive = lambda: host  # type: ignore[method-assign]
    cluster.run(0.15)
    disks.disk_full(second.strike)
    assert host.excused == errno.ENOSPC
    cluster.run(0.1)
    assert host.disk.full
    cluster.run(0.3)
    assert not host.disk.full


def test_what_a_machine_that_is_down_does_not_feel_does_not_count(cluster: Cluster) -> None:
    """A slow disk that nothing is synced to, and a wrong clock that nobody reads, show nothing."""
    for host in cluster.hosts.values():
        host.kill()
    for strike in (disks.slow_disk, processes.skew, links.delay, links.loss):
        counted = Counted(cluster, "it")
        strike(counted.strike)
        cluster.run(0.0)
        if strike is not links.loss:  # Clients go on dialling.
            assert counted.kinds == []
    for host in cluster.hosts.values():
        host.start()
    counted = Counted(cluster, "slow-disk")
    disks.slow_disk(counted.strike)
    cluster.run(0.4)
    assert counted.kinds == ["slow-disk"]


def test_a_clock_that_is_set_wrong_is_wrong(cluster: Cluster) -> None:
    """Every skew changes what a running node reads; only one machine is ever off by hours."""
    far = set()
    for dice in range(60):
        before = {number: host.skew_ns for number, host in cluster.hosts.items()}
        counted = Counted(cluster, "clock-skew", dice)
        processes.skew(counted.strike)
        (changed,) = [
            host for host in cluster.hosts.values() if host.skew_ns != before[host.number]
        ]
        assert changed.skew_ns
        if changed.skew_ns in processes.FAR_NS:
            far.add(changed.number)
        changed._wall_ns()
        changed._wall_ns()
        assert counted.kinds == ["clock-skew"]
    assert len(far) == 1
