"""Pauses that must not depose a leader: SIGSTOP of a node under load, and what followed.

A pause is as long as it really was, not as long as it was meant to be. What the machine adds (a
node that was continued and waits for a core, a core that the host took away) makes the leader's
silence longer than its pause. An election that follows such an overshot pause says nothing about
the cluster: it is counted, and not held against it.
"""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from chaos.measure.arena import arena, await_caught_up, terms
from chaos.measure.effort import Effort
from chaos.measure.machine import load, stolen_ms, waited_ms
from chaos.measure.trader import Trader
from chaos.measure.traffic import audit, under_load
from cluster.deployment import Deployment

RATE: Final = 1_000
LIMIT_MS: Final = 100
_LEAST_MS: Final = 50
_MARGIN_MS: Final = 1
"""Below the limit: what a sleep takes longer than it was asked to."""
_SWEEP_MS: Final = (120, 140, 160, 180, 200, 225, 250, 300, 350)
_RESUME_SECONDS: Final = 0.05
"""After which a continued node has had its chance to say that it lives."""
_SETTLE_SECONDS: Final = 0.5
"""Longer than the longest election timer: what a pause has started shows by then."""


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause, and whether the cluster elected because of it."""

    node: int
    led: bool
    real_ms: float
    machine_ms: float
    """What the machine can have added to it.

    The longest that a node waited for a core just afterwards, and what the host took away.
    """
    elected: bool

    @property
    def overshot(self) -> bool:
        """Return whether the silence may have been longer than the limit."""
        return self.real_ms + self.machine_ms > LIMIT_MS


def measure(effort: Effort) -> None:
    """Pause nodes for up to the limit, then leaders for longer, and report who elected."""
    times = effort.times(200, 20)
    each = 2 if effort.quick else 6
    with arena() as deployment:
        before = load()

        def act(_traders: Sequence[Trader]) -> tuple[list[Pause], dict[int, list[Pause]]]:
            return _pause_shortly(effort, deployment, times), _sweep(effort, deployment, each)

        (short, longer), traders = under_load(effort, deployment, RATE, act)
        _report_short(effort, short, f"load {before} before, {load()} after")
        _report_sweep(effort, longer)
        audit(effort, deployment, traders)


def _pause_shortly(effort: Effort, deployment: Deployment, times: int) -> list[Pause]:
    random = Random(effort.seed)
    pauses = []
    for number in range(times):
        leader = await_caught_up(deployment).node
        others = [member.number for member in deployment.members if member.number != leader]
        node = leader if number % 2 == 0 else random.choice(others)
        wanted_ms = random.uniform(_LEAST_MS, LIMIT_MS - _MARGIN_MS)
        pauses.append(_pause(effort, deployment, node, node == leader, wanted_ms))
        if number % 20 == 19:
            effort.say(f"{number + 1} of {times} pauses of up to {LIMIT_MS} ms")
    return pauses


def _sweep(effort: Effort, deployment: Deployment, each: int) -> dict[int, list[Pause]]:
    found: dict[int, list[Pause]] = {}
    for wanted_ms in _SWEEP_MS:
        for _ in range(each):
            leader = await_caught_up(deployment).node
            pause = _pause(effort, deployment, leader, True, wanted_ms)  # noqa: FBT003 - it leads
            found.setdefault(wanted_ms, []).append(pause)
        elected = sum(pause.elected for pause in found[wanted_ms])
        effort.say(
            f"{elected} of {each} pauses of the leader for {wanted_ms} ms led to an election"
        )
    return found


def _pause(
    effort: Effort,
    deployment: Deployment,
    node: int,
    led: bool,  # noqa: FBT001 - a fact about the node, not a switch
    wanted_ms: float,
) -> Pause:
    processes = [deployment.running(member.number) for member in deployment.members]
    running = [process for process in processes if process is not None]
    target = deployment.running(node)
    assert target is not None, f"node {node} was seen running"
    before = max(terms(deployment).values())
    stolen = stolen_ms()
    stopped_ns = time.perf_counter_ns()
    os.kill(target, signal.SIGSTOP)
    try:
        effort.wait(wanted_ms / 1_000)
    finally:
        waited = [waited_ms(process) for process in running]
        os.kill(target, signal.SIGCONT)
    continued_ns = time.perf_counter_ns()
    effort.wait(_RESUME_SECONDS)
    delays_ms = [waited_ms(process) - ms for process, ms in zip(running, waited, strict=True)]
    machine_ms = max(delays_ms) + stolen_ms() - stolen
    effort.wait(_SETTLE_SECONDS)
    elected = max(terms(deployment).values()) > before
    real_ms = (continued_ns - stopped_ns) / 1e6
    effort.count(f"SIGSTOP of {'the leader' if led else 'a follower'}")
    effort.moment(f"node {node}", "pause", f"{real_ms:.0f} ms", stopped_ns, continued_ns)
    if elected:
        effort.moment("cluster", "election", f"after {real_ms:.0f} ms of node {node}")
    return Pause(node, led, real_ms, machine_ms, elected)


def _report_short(effort: Effort, pauses: Sequence[Pause], machine: str) -> None:
    counted = [pause for pause in pauses if not (pause.elected and pause.overshot)]
    overshot = [pause for pause in pauses if pause.overshot]
    false = [pause for pause in counted if pause.elected]
    led = sum(pause.led for pause in pauses)
    said = (
        f"{len(false)} in {len(pauses)} pauses ({led} of the leader), the longest "
        f"{max(pause.real_ms for pause in pauses):.0f} ms; in {len(overshot)} the machine may have "
        f"made the silence longer than {LIMIT_MS} ms, of which {len(pauses) - len(counted)} led to "
        f"an election and are not counted; {machine}"
    )
    effort.checked("no false election", len(counted))
    effort.figure(f"false elections, pauses up to {LIMIT_MS} ms", said, "none", met=not false)


def _report_sweep(effort: Effort, found: dict[int, list[Pause]]) -> None:
    pauses = [pause for longer in found.values() for pause in longer]
    shortest = min((pause.real_ms for pause in pauses if pause.elected), default=None)
    shares = ", ".join(
        f"{wanted_ms} ms: {sum(pause.elected for pause in longer)}/{len(longer)}"
        for wanted_ms, longer in found.items()
    )
    said = f"{shortest:.0f} ms" if shortest is not None else "never"
    effort.figure(
        "shortest pause of the leader that led to an election",
        f"{said} ({shares})",
        f"above {LIMIT_MS} ms",
        met=shortest is None or shortest > LIMIT_MS,
    )
