"""How long clients wait when the leader is killed: kill -9 under load, again and again."""

import signal
import time
from collections.abc import Sequence
from random import Random
from typing import Final

from chaos.measure.arena import LaggingError, UnusableError, arena, await_caught_up, set_limit
from chaos.measure.effort import Effort
from chaos.measure.machine import load
from chaos.measure.percentile import percentile, spread
from chaos.measure.trader import Gap, Trader
from chaos.measure.traffic import audit, under_load
from cluster.deployment import Deployment
from cluster.processes import await_stopped, signal_node, start_node
from node.domain.limits import Limit

RATE: Final = 5_000
P50_MS: Final = 300
P99_MS: Final = 1_000
_CHECKPOINT_BYTES: Final = 16 << 20
"""So that checkpoints are taken during the run, as in a long life."""
_SERVICE_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.002


def measure(effort: Effort) -> None:
    """Kill the leader as often as wanted, and put the gaps that the clients saw into the report."""
    import uvloop

    times = effort.times(50, 5)
    with arena() as deployment:
        uvloop.run(set_limit(deployment, Limit.CHECKPOINT_BYTES, _CHECKPOINT_BYTES))
        before = load()

        def act(traders: Sequence[Trader]) -> list[list[Gap]]:
            return _kill_leaders(effort, deployment, traders, times)

        rounds, traders = under_load(effort, deployment, RATE, act)
        _report(effort, rounds, traders, f"load {before} before, {load()} after")
        audit(effort, deployment, traders)


def _kill_leaders(
    effort: Effort, deployment: Deployment, traders: Sequence[Trader], times: int
) -> list[list[Gap]]:
    random = Random(effort.seed)
    rounds = []
    for number in range(times):
        leader = await_caught_up(deployment).node
        effort.wait(random.uniform(0.2, 0.6))
        seen = [len(trader.gaps) for trader in traders]
        killed_ns = time.perf_counter_ns()
        signal_node(deployment, leader, signal.SIGKILL)
        effort.count("kill -9 of the leader")
        gaps = _await_gaps(effort, traders, seen)
        rounds.append(gaps)
        last, first = _of_all(gaps)
        effort.moment(f"node {leader}", "kill", "kill -9 of the leader", killed_ns)
        effort.moment("clients", "silence", f"failover {number + 1}", last, first)
        effort.say(f"failover {number + 1} of {times}: {(first - last) / 1e6:.0f} ms")
        await_stopped(deployment, [leader])
        started_ns = time.perf_counter_ns()
        start_node(deployment, leader)
        try:
            await_caught_up(deployment)
        except LaggingError as error:  # What was measured until then is worth its report.
            effort.figure("killed nodes that caught up", str(error), "all", met=False)
            break
        ended_ns = time.perf_counter_ns()
        effort.report.recoveries_ms.append((ended_ns - started_ns) / 1e6)
        effort.moment(f"node {leader}", "recovery", "started and caught up", started_ns, ended_ns)
    return rounds


def _await_gaps(effort: Effort, traders: Sequence[Trader], seen: Sequence[int]) -> list[Gap]:
    """Return the silence of each trader, once all are served again."""
    deadline = time.monotonic() + _SERVICE_SECONDS
    while any(len(trader.gaps) == known for trader, known in zip(traders, seen, strict=True)):
        for trader in traders:
            if trader.failure is not None:
                raise trader.failure
        if time.monotonic() > deadline:
            raise UnusableError(
                f"a client got no reply within {_SERVICE_SECONDS:.0f} s of the leader's end"
            )
        effort.wait(_LOOK_SECONDS)
    return [trader.gaps[known] for trader, known in zip(traders, seen, strict=True)]


def _of_all(gaps: Sequence[Gap]) -> Gap:
    """Return the cluster's silence: from anybody's last old reply to anybody's first new one."""
    return Gap(max(gap.last_ns for gap in gaps), min(gap.first_ns for gap in gaps))


def _report(
    effort: Effort, rounds: Sequence[Sequence[Gap]], traders: Sequence[Trader], machine: str
) -> None:
    gaps_ms = [_of_all(gaps).ms for gaps in rounds]
    worst_ms = [max(gap.ms for gap in gaps) for gaps in rounds]
    effort.report.failovers_ms += gaps_ms
    for name, values in (
        ("failover", gaps_ms),
        (f"failover as the slowest of {len(traders)} clients saw it", worst_ms),
    ):
        p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
        effort.say(f"{name}: {spread(values)}")
        said = f"{p50:.0f} ms of {len(values)} kills; {machine}"
        effort.figure(f"{name}, p50", said, f"up to {P50_MS} ms", met=p50 <= P50_MS)
        effort.figure(f"{name}, p99", f"{p99:.0f} ms", f"up to {P99_MS} ms", met=p99 <= P99_MS)
    unasked = sum(len(trader.gaps) for trader in traders) - sum(map(len, rounds))
    effort.report.checks["connections lost without a kill"] = unasked
