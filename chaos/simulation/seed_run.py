"""One seed from start to judgement."""

import gc
from bisect import bisect
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from chaos.invocation import invocation
from chaos.report.run_report import Moment
from chaos.simulation.cluster import START_NS, Cluster
from chaos.simulation.fault_plan import PlannedFault, draw_plan
from chaos.simulation.faults.registry import FAULTS
from chaos.simulation.faults.strike import Strike
from chaos.simulation.invariants.registry import INVARIANTS

LEAST_SECONDS: Final = 0.6
MOST_SECONDS: Final = 1.4
_ENDS_OF_LEADERS: Final = ("kill-leader", "power-loss-leader")
REST_SECONDS: Final = 12.0
"""Progress is owed within so much of all faults having ended."""


class Case(NamedTuple):
    """What decides a run, to the last byte of its trace."""

    seed: int
    nodes: int = 3
    seconds: float = 0.0
    """How long faults strike; 0 lets the seed draw it."""
    kinds: tuple[str, ...] | None = None
    """The kinds of faults; None means all."""
    kept: tuple[int, ...] | None = None
    """The numbers of the planned faults that strike; None means all."""

    @property
    def is_whole(self) -> bool:
        """Whether all kinds of faults may strike, and all that are planned."""
        return self.kinds is None and self.kept is None

    @property
    def duration(self) -> float:
        """How long faults strike, in seconds."""
        if self.seconds:
            return self.seconds
        return round(Random(self.seed).uniform(LEAST_SECONDS, MOST_SECONDS), 3)

    def plan(self) -> list[PlannedFault]:
        """Return the faults that strike."""
        drawn = draw_plan(self.seed, self.duration, self.kinds)
        return [one for one in drawn if self.kept is None or one.number in self.kept]

    def command(self) -> str:
        """Return the command that runs exactly this."""
        words = ["sim", "--seeds", str(self.seed), "--nodes", str(self.nodes)]
        if self.seconds:
            words += ["--seconds", f"{self.seconds:g}"]
        if self.kinds is not None:
            words += ["--faults", ",".join(self.kinds) or "none"]
        if self.kept is not None:
            words += ["--keep", ",".join(map(str, self.kept)) or "none"]
        return invocation(*words, "--timeline")


@dataclass(slots=True)
class SeedResult:
    """What came of one case."""

    case: Case
    invariant: str = ""
    """The invariant that did not hold; "" when all did."""
    what: str = ""
    trace_hash: str = ""
    simulated_seconds: float = 0.0
    acknowledged: int = 0
    rejected: int = 0
    unknown: int = 0
    reads: int = 0
    work: dict[str, int] = field(default_factory=dict)
    """How much of what was simulated, by name."""
    faults: dict[str, int] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)
    failovers_ms: list[float] = field(default_factory=list)
    timeline: list[Moment] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether every invariant held."""
        return not self.invariant


def run_case(
    case: Case,
    *,
    record: bool = False,
    on_cluster: Callable[[Cluster], None] = lambda _cluster: None,
) -> SeedResult:
    """Run one case. With `record`, keep its timeline; `on_cluster` sees the cluster first."""
    collecting = gc.isenabled()
    gc.disable()  # Dead processes must not wake up to be collected in the middle of a run.
    cluster: Cluster | None = None
    try:
        cluster = Cluster(case.seed, case.nodes, INVARIANTS, record=record)
        on_cluster(cluster)
        faults = _schedule(cluster, case.plan())
        cluster.run(case.duration)
        cluster.stop_clients()
        cluster.note("cluster", "heal", "all faults end")
        cluster.heal()
        cluster.come_to_rest(REST_SECONDS)
        cluster.judge()
        return _result(case, cluster, faults)
    except Exception as error:  # noqa: BLE001 - one seed must not end a campaign
        return SeedResult(case, "the run itself goes to its end", repr(error))
    finally:
        if cluster is not None:
            _bury(cluster)
        if collecting:
            gc.enable()


def _bury(cluster: Cluster) -> None:
    """End all processes, then give up what they were waiting for."""
    for loop in cluster.network.loops:
        loop.kill()
    for loop in cluster.network.loops:
        loop.bury()


def _schedule(cluster: Cluster, plan: list[PlannedFault]) -> dict[str, int]:
    counts: dict[str, int] = {}

    def count(kind: str) -> None:
        counts[kind] = counts.get(kind, 0) + 1
        if kind in _ENDS_OF_LEADERS:
            cluster.leaders_ended_at_ns.append(cluster.scheduler.now_ns)

    def strike(planned: PlannedFault) -> None:
        FAULTS[planned.kind].strike(Strike(cluster, planned.kind, planned.dice, count))

    for planned in plan:
        at_ns = START_NS + round(planned.at_ms * 1e6)
        cluster.scheduler.at(at_ns, lambda planned=planned: strike(planned))
    return counts


def _result(case: Case, cluster: Cluster, faults: dict[str, int]) -> SeedResult:
    violation = cluster.violation
    result = SeedResult(
        case,
        violation.invariant if violation is not None else "",
        violation.what if violation is not None else "",
        cluster.trace_hash,
        cluster.now_ms / 1e3,
        work=cluster.work,
        faults=faults,
        checks={one.name: one.checked for one in cluster.invariants},
        timeline=cluster.timeline,
    )
    for client in cluster.clients:
        result.acknowledged += len(client.history)
        result.rejected += sum(1 for one in client.history if one.code)
        result.unknown += client.outstanding
    result.reads = sum(reader.answers for reader in cluster.readers)
    result.failovers_ms = _failovers_ms(cluster)
    return result


def _failovers_ms(cluster: Cluster) -> list[float]:
    """Return how long clients heard nothing around each end of a leader, in virtual ms."""
    heard = cluster.acknowledged_at_ns
    gaps = []
    for ended_ns in cluster.leaders_ended_at_ns:
        at = bisect(heard, ended_ns)
        if 0 < at < len(heard):
            gaps.append((heard[at] - heard[at - 1]) / 1e6)
    return gaps


def kinds_named(names: Collection[str]) -> tuple[str, ...]:
    """Return the fault kinds of these names, in the order of the registry. Raises KeyError."""
    for name in names:
        FAULTS[name]
    return tuple(name for name in FAULTS if name in names)
