"""How long a node takes to come back: killed, with a million commands behind its snapshot."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from chaos.measure.arena import UnusableError, arena, set_limit
from chaos.measure.effort import Effort
from chaos.measure.machine import core_seconds, load
from chaos.measure.percentile import percentile, spread
from cluster.demonstration import await_agreement
from cluster.deployment import Deployment
from cluster.flow_generator import generate_flow
from cluster.flow_stage import execute
from cluster.processes import await_leader, await_stopped, signal_node, spawn_node, stop_nodes
from cluster.replaying import Pace, operator_session, replay_flow
from cluster.status import NodeStatus, fetch_status, poll_status
from node._pure import build_form
from node.domain.limits import Limit

COMMANDS: Final = 1_000_000
QUICK_COMMANDS: Final = 100_000
LIMIT_SECONDS: Final = 5.0
_NEVER_BYTES: Final = 1 << 40
BUSY: Final = Pace(connections=4, window=4_096)
"""Groups of some thousand commands: what a leader under full load makes of them."""
QUIET: Final = Pace(connections=4, window=16)
"""The smallest windows there are, never more than 64 commands under way: many small groups."""
_LOOK_SECONDS: Final = 0.05
"""A look costs a node a millisecond of its core: a hundred a second would slow the replay down."""
_PATIENCE_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """One start of a killed node, in ms from the start of its process."""

    answered_ms: float
    """Until it said anything: the data directory is open, clients may connect."""
    applied_ms: float
    """Until it had applied all that the cluster had committed."""
    core_seconds: float
    """For how long it had a core until then: on a machine that others use, less than it took."""


def measure(effort: Effort) -> None:
    """Kill a node that has a million commands to replay, start it, and watch; several times.

    Then again with as many commands in small groups: what is done for each group then weighs more.
    """
    _measure(effort, BUSY, "")
    _measure(effort, QUIET, " from small groups")


def _measure(effort: Effort, pace: Pace, which: str) -> None:
    commands = QUICK_COMMANDS if effort.quick else COMMANDS
    times = effort.times(5, 2)
    with arena() as deployment:
        groups = uvloop.run(_fill(effort, deployment, commands, pace))
        before = load()
        recoveries = [_recover(effort, deployment, number, times) for number in range(times)]
        machine = f"load {before} before, {load()} after"
        follower = _a_follower(deployment)
        stop_nodes(deployment, [follower])
        alone = _replay_alone(deployment.folder(follower))
    what = f"{commands:,} commands in {groups:,} groups; {build_form()} form; {machine}"
    _report(effort, recoveries, alone, which, what)


async def _fill(effort: Effort, deployment: Deployment, commands: int, pace: Pace) -> int:
    """Have every node save a snapshot, then send `commands`; return in how many groups they are."""
    await set_limit(deployment, Limit.CHECKPOINT_BYTES, _NEVER_BYTES)
    async with operator_session(deployment) as operator:
        index = (await execute(operator, lambda out: out.checkpoint()))[0]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(_saved(status) < index for status in poll_status(deployment).values()):
        if time.monotonic() > deadline:
            raise UnusableError(f"no snapshot at index {index} on every node")
        time.sleep(_LOOK_SECONDS)  # noqa: ASYNC251 - nothing else is to be done meanwhile
    effort.say(f"sending {commands:,} commands behind the snapshot at index {index}")
    flow = generate_flow(commands, seed=effort.seed)
    result = await replay_flow(deployment, flow, pace)
    effort.report.operations.acknowledged += result.commands
    effort.say(f"sent at {result.per_second:,} a second")
    return await_agreement(deployment)[0].applied_index - index


def _saved(status: NodeStatus | None) -> int:
    return status.checkpoint.index if status is not None else 0


def _a_follower(deployment: Deployment) -> int:
    leader = await_leader(deployment).node
    return max(member.number for member in deployment.members if member.number != leader)


def _recover(effort: Effort, deployment: Deployment, number: int, times: int) -> Recovery:
    """Kill a follower and start it again."""
    agreed = await_agreement(deployment)
    node = _a_follower(deployment)
    index = max(status.applied_index for status in agreed)
    signal_node(deployment, node, signal.SIGKILL)
    effort.count("kill -9 of a follower")
    await_stopped(deployment, [node])
    started_ns = time.perf_counter_ns()
    process = spawn_node(deployment, node)
    answered_ms = 0.0
    while True:
        status = fetch_status(deployment, deployment.member(node))
        now_ms = (time.perf_counter_ns() - started_ns) / 1e6
        if status is not None:
            answered_ms = answered_ms or now_ms
            if status.applied_index >= index:
                break
        if process.poll() is not None or now_ms > _PATIENCE_SECONDS * 1_000:
            raise UnusableError(f"node {node} did not come back; see {deployment.root}")
        time.sleep(_LOOK_SECONDS)
    ended_ns, had_seconds = time.perf_counter_ns(), core_seconds(process.pid)
    effort.moment(f"node {node}", "recovery", "killed, started, caught up", started_ns, ended_ns)
    effort.report.recoveries_ms.append(now_ms)
    effort.say(
        f"start {number + 1} of {times}: node {node} answered after {answered_ms:.0f} ms and had "
        f"applied everything after {now_ms:.0f} ms, with a core for {had_seconds:.1f} s of them"
    )
    return Recovery(answered_ms, now_ms, had_seconds)


def _replay_alone(folder: Path) -> tuple[float, float, float]:
    """Return the seconds of reading a stopped node's journal, of applying it, and with a core."""
    from node.audit.directory import open_node, read_journal
    from node.audit.replay import Replay

    with TemporaryDirectory(prefix="quorumbook-measure-") as scratch:
        genesis = open_node(folder, Path(scratch)).genesis
    began, had = time.perf_counter(), time.process_time()
    _, entries = read_journal(folder / "journal")
    read = time.perf_counter()
    Replay(genesis).feed(entries)
    return read - began, time.perf_counter() - read, time.process_time() - had


def _report(
    effort: Effort,
    recoveries: list[Recovery],
    alone: tuple[float, float, float],
    which: str,
    what: str,
) -> None:
    applied = [recovery.applied_ms for recovery in recoveries]
    answered = percentile([recovery.answered_ms for recovery in recoveries], 0.5)
    median_s = percentile(applied, 0.5) / 1_000
    had = percentile([recovery.core_seconds for recovery in recoveries], 0.5)
    effort.figure(
        f"recovery{which}, from the start of the process to serving with everything applied",
        f"{median_s:.2f} s ({spread(applied)}; first answer after {answered:.0f} ms; with a core "
        f"for {had:.1f} s; {what})",
        f"up to {LIMIT_SECONDS:.0f} s",
        met=median_s <= LIMIT_SECONDS,
    )
    read_s, apply_s, alone_had = alone
    effort.figure(
        f"replay{which} alone",
        f"{apply_s:.2f} s to apply, {read_s:.2f} s to read and check the journal; with a core for "
        f"{alone_had:.2f} s",
        f"up to {LIMIT_SECONDS:.0f} s together",
        met=read_s + apply_s <= LIMIT_SECONDS,
    )
