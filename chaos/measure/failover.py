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
from chaos.measure.trader import Trader
from chaos.measure.traffic import audit, under_load
from chaos.silence import Silence, of_all
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
    """Kill the leader as often as wanted, and put the clients' silences into the report."""
    import uvloop

    times = effort.times(50, 5)
    with arena() as deployment:
        uvloop.run(set_limit(deployment, Limit.CHECKPOINT_BYTES, _CHECKPOINT_BYTES))
        before = load()

        def act(traders: Sequence[Trader]) -> list[list[Silence]]:
            return _kill_leaders(effort, deployment, traders, times)

        rounds, traders = under_load(effort, deployment, RATE, act)
        _report(effort, rounds, traders, f"load {before} before, {load()} after")
        audit(effort, deployment, traders)


def _kill_leaders(
    effort: Effort, deployment: Deployment, traders: Sequence[Trader], times: int
) -> list[list[Silence]]:
    random = Random(effort.seed)
    rounds = []
    for number in range(times):
        leader = await_caught_up(deployment).node
        effort.wait(random.uniform(0.2, 0.6))
        seen = [len(trader.silences) for trader in traders]
        killed_ns = time.perf_counter_ns()
        signal_node(deployment, leader, signal.SIGKILL)
        effort.count("kill -9 of the leader")
        silences = _await_silences(effort, traders, seen)
        rounds.append(silences)
        last, first = of_all(silences)
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


def _await_silences(
    effort: Effort, traders: Sequence[Trader], seen: Sequence[int]
) -> list[Silence]:
    """Return the silence of each trader, once all are served again."""
    deadline = time.monotonic() + _SERVICE_SECONDS
    while any(len(trader.silences) == known for trader, known in zip(traders, seen, strict=True)):
        for trader in traders:
            if trader.failure is not None:
                raise trader.failure
        if time.monotonic() > deadline:
            raise UnusableError(
                f"a client got no reply within {_SERVICE_SECONDS:.0f} s of the leader's end"
            )
        effort.wait(_LOOK_SECONDS)
    return [trader.silences[known] for trader, known in zip(traders, seen, strict=True)]


def _report(
    effort: Effort, rounds: Sequence[Sequence[Silence]], traders: Sequence[Trader], machine: str
) -> None:
    together_ms = [of_all(silences).ms for silences in rounds]
    worst_ms = [max(one.ms for one in silences) for silences in rounds]
    effort.report.failovers_ms += together_ms
    for name, values in (
        ("failover", together_ms),
        (f"failover as the slowest of {len(traders)} clients saw it", worst_ms),
    ):
        p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
        effort.say(f"{name}: {spread(values)}")
        said = f"{p50:.0f} ms of {len(values)} kills; {machine}"
        effort.figure(f"{name}, p50", said, f"up to {P50_MS} ms", met=p50 <= P50_MS)
        effort.figure(f"{name}, p99", f"{p99:.0f} ms", f"up to {P99_MS} ms", met=p99 <= P99_MS)
    unasked = sum(len(trader.silences) for trader in traders) - sum(map(len, rounds))
    effort.report.checks["connections lost without a kill"] = unasked
