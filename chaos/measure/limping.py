"""What clients notice of one node that limps: a slow disk, or too little of a core.

Healthy and limping phases alternate in one run, so that each limping one is compared with a healthy
one of the same minute. The figure is the median of the ratios of their p99.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from chaos.measure.arena import UnusableError, arena, await_caught_up, start_all, terms
from chaos.measure.effort import Effort
from chaos.measure.machine import load
from chaos.measure.percentile import percentile
from chaos.measure.slow_disk import NoCompilerError, SlowDisk, build_library
from chaos.measure.trader import Trader
from chaos.measure.traffic import audit, under_load
from cluster.deployment import Deployment
from cluster.processes import start_node
from cluster.status import fetch

RATE: Final = 1_000
RATIO_MAX: Final = 2.0
SYNC_MS: Final = 100
STOPPED_MS: Final = 20
RUNNING_MS: Final = 5
_CORE: Final = f"{RUNNING_MS} ms of {STOPPED_MS + RUNNING_MS}"
_SYNCS: Final = "quorumbook_fsync_seconds"
_PHASE_SECONDS: Final = 3.0
_SETTLE_SECONDS: Final = 0.5
"""Between phases: what the one before has left is not the next one's."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two phases, a healthy and a limping one, as (begin, end) in ns."""

    healthy: tuple[int, int]
    limping: tuple[int, int]
    elected: bool
    """Whether leadership changed while the node limped."""
    sync_ms: float
    """What a sync of the limping node's journal took, in the mean, as the node itself measured."""


@dataclass(frozen=True, slots=True)
class Limp:
    """One way to limp: who, how, and whether the figure is about it."""

    name: str
    leads: bool
    by_disk: bool


LIMPS: Final = (
    Limp(f"a follower's syncs take {SYNC_MS} ms longer", leads=False, by_disk=True),
    Limp(f"a follower has a core {_CORE}", leads=False, by_disk=False),
    Limp(f"the leader's syncs take {SYNC_MS} ms longer", leads=True, by_disk=True),
    Limp(f"the leader has a core {_CORE}", leads=True, by_disk=False),
)


def measure(effort: Effort) -> None:
    """Let a node limp in each way, and compare what clients wait then and otherwise."""
    times = effort.times(10, 2)
    with TemporaryDirectory(prefix="quorumbook-measure-") as name, arena(started=False) as cluster:
        disks = _start(effort, cluster, Path(name))
        before = load()
        everyone: list[Trader] = []
        for limp in LIMPS:
            if limp.by_disk and not disks:
                continue
            effort.say(f"{limp.name}: {times} times, healthy and limping in turn")
            pairs, traders = under_load(
                effort, cluster, RATE, _phases_of(effort, cluster, disks, limp, times)
            )
            everyone += traders
            _report(effort, limp, pairs, traders, f"load {before} before, {load()} after")
        audit(effort, cluster, everyone)


def _start(effort: Effort, cluster: Deployment, folder: Path) -> dict[int, SlowDisk]:
    """Start every node on a disk of its own that can be slowed; none without a compiler."""
    try:
        library = build_library(folder)
    except NoCompilerError as error:
        effort.report.left_out["slow disk"] = str(error)
        effort.say(f"left out: slow disk: {error}")
        start_all(cluster)
        return {}
    disks = {}
    for member in cluster.members:
        disk = SlowDisk(folder, library, member.number)
        with disk.preloaded():
            start_node(cluster, member.number)
        disks[member.number] = disk
    start_all(cluster)
    return disks


def _phases_of(
    effort: Effort, cluster: Deployment, disks: dict[int, SlowDisk], limp: Limp, times: int
) -> Callable[[Sequence[Trader]], list[Pair]]:
    def act(_traders: Sequence[Trader]) -> list[Pair]:
        pairs = []
        for number in range(times):
            leader = await_caught_up(cluster).node
            others = [member.number for member in cluster.members if member.number != leader]
            node = leader if limp.leads else others[number % len(others)]
            healthy = _phase(effort.wait)
            term = max(terms(cluster).values())
            with _limping(effort, cluster, disks, limp, node) as wait:
                wait(_SETTLE_SECONDS)  # Syncs that began before were not slow.
                syncs = _syncs(cluster, node)
                limping = _phase(wait)
                sync_ms = _mean_ms(syncs, _syncs(cluster, node))
            effort.wait(_SETTLE_SECONDS)
            elected = max(terms(cluster).values()) > term
            pairs.append(Pair(healthy, limping, elected, sync_ms))
            if limp.by_disk and sync_ms < SYNC_MS / 2:  # A page may miss the last of its syncs.
                raise UnusableError(f"the slow disk of node {node} syncs in {sync_ms:.1f} ms")
            effort.count(limp.name)
            effort.moment(f"node {node}", "limping", limp.name, *limping)
        return pairs

    return act


def _syncs(cluster: Deployment, node: int) -> tuple[float, float]:
    """Return how often the node has synced its journal, and the seconds that this took in all."""
    page = (fetch(cluster.member(node), "/metrics") or b"").decode()
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    return float(values.get(f"{_SYNCS}_count", 0)), float(values.get(f"{_SYNCS}_sum", 0))


def _mean_ms(before: tuple[float, float], after: tuple[float, float]) -> float:
    return 1_000 * (after[1] - before[1]) / max(1.0, after[0] - before[0])


def _phase(wait: Callable[[float], None]) -> tuple[int, int]:
    wait(_SETTLE_SECONDS)
    begin_ns = time.perf_counter_ns()
    wait(_PHASE_SECONDS)
    return begin_ns, time.perf_counter_ns()


@contextmanager
def _limping(
    effort: Effort, cluster: Deployment, disks: dict[int, SlowDisk], limp: Limp, node: int
) -> Iterator[Callable[[float], None]]:
    """Let a node limp while one waits with what is yielded, and no longer."""
    process = cluster.running(node)
    assert process is not None, f"node {node} was seen running"

    def wait(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            os.kill(process, signal.SIGSTOP)
            effort.wait(STOPPED_MS / 1_000)
            os.kill(process, signal.SIGCONT)
            effort.wait(RUNNING_MS / 1_000)

    try:
        if limp.by_disk:
            disks[node].delay(SYNC_MS)
        yield effort.wait if limp.by_disk else wait
    finally:
        if limp.by_disk:
            disks[node].delay(0)
        os.kill(process, signal.SIGCONT)


def _p99(traders: Sequence[Trader], phase: tuple[int, int]) -> float:
    return percentile([ms for trader in traders for ms in trader.latencies_ms(*phase)], 0.99)


def _report(
    effort: Effort, limp: Limp, pairs: Sequence[Pair], traders: Sequence[Trader], machine: str
) -> None:
    healthy = [_p99(traders, pair.healthy) for pair in pairs]
    limping = [_p99(traders, pair.limping) for pair in pairs]
    ratios = [slow / well for slow, well in zip(limping, healthy, strict=True)]
    middle = percentile(ratios, 0.5)
    elections = sum(pair.elected for pair in pairs)
    said = (
        f"{middle:.2f} times the healthy p99 (median of {len(pairs)}, {min(ratios):.2f} to "
        f"{max(ratios):.2f}); p99 {percentile(healthy, 0.5):.1f} ms healthy, "
        f"{percentile(limping, 0.5):.1f} ms limping (medians), a sync then took "
        f"{percentile([pair.sync_ms for pair in pairs], 0.5):.0f} ms; "
        f"{elections} changes of leadership; {machine}"
    )
    goal = f"up to {RATIO_MAX:.0f} times" + (" (reported only: it leads)" if limp.leads else "")
    effort.figure(limp.name, said, goal, met=limp.leads or middle <= RATIO_MAX)
