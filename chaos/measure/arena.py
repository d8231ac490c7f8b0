"""A cluster to measure: made for one measurement, gone afterwards whatever happened."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cluster.demonstration import free_base_port
from cluster.deployment import Deployment, Plan, create_deployment
from cluster.flow_stage import execute
from cluster.processes import POLL_SECONDS, await_leader, signal_node, start_node, stop_all
from cluster.replaying import operator_session
from cluster.status import NodeStatus, poll_status
from node.domain.limits import Limit

CATCH_UP_SECONDS: Final = 60.0
CATCH_UP_ENTRIES: Final = 200
"""A follower that lacks no more entries than this, of a log that grows, has caught up."""
KEEP_JOURNAL: Final = "[storage]\njournal_margin_bytes = 17179869184\n"
"""Cut nothing off the journal: an audit then finds every command since genesis."""


class UnusableError(Exception):
    """The cluster did not do what any measurement needs; the message says what."""


class LaggingError(UnusableError):
    """A node did not catch up: the message says how far each came meanwhile."""


@contextmanager
def arena(
    *, nodes: int = 3, settings: str = KEEP_JOURNAL, started: bool = True
) -> Iterator[Deployment]:
    """Run a cluster on loopback; `settings` is TOML that every node's file ends with.

    On the way out every node is stopped, paused ones too, and all files are removed.
    """
    with TemporaryDirectory(prefix="quorumbook-measure-") as folder:
        deployment = create_deployment(
            Path(folder) / "cluster", Plan(nodes, free_base_port(), "default")
        )
        for member in deployment.members:
            with deployment.config_file(member.number).open("a") as file:
                file.write("\n" + settings)
        try:
            if started:
                start_all(deployment)
            yield deployment
        finally:
            wake_all(deployment)
            stop_all(deployment)


def start_all(deployment: Deployment) -> NodeStatus:
    """Start every node that does not run; return the leader once it takes commands."""
    for member in deployment.members:
        if deployment.running(member.number) is None:
            start_node(deployment, member.number)
    return await_leader(deployment)


def wake_all(deployment: Deployment) -> None:
    """Continue every node that is paused."""
    for member in deployment.members:
        holder = deployment.running(member.number)
        if holder is not None:
            with suppress(ProcessLookupError):
                signal_node(deployment, member.number, signal.SIGCONT)


async def set_limit(deployment: Deployment, limit: Limit, value: int) -> None:
    """Have the venue set one of its limits."""
    async with operator_session(deployment) as operator:
        await execute(operator, lambda out: out.configure(limit, value))


def await_caught_up(deployment: Deployment, seconds: float = CATCH_UP_SECONDS) -> NodeStatus:
    """Wait until every node runs and lacks next to nothing; return the leader.

    Raises LaggingError after `seconds`.
    """
    deadline = time.monotonic() + seconds
    first: dict[int, int] = {}
    while True:
        polled = poll_status(deployment)
        for number, status in polled.items():
            if status is not None:
                first.setdefault(number, status.applied_index)
        found = [status for status in polled.values() if status is not None]
        leaders = [status for status in found if status.role == "leader" and status.ready]
        if len(found) == len(deployment.members) and len(leaders) == 1:
            least = min(status.applied_index for status in found)
            if leaders[0].commit_index - least <= CATCH_UP_ENTRIES:
                return leaders[0]
        if time.monotonic() > deadline:
            said = ", ".join(
                f"node {number} "
                + (
                    f"{status.words}, from {first[number]} to {status.applied_index}"
                    if status is not None
                    else "does not answer"
                )
                for number, status in polled.items()
            )
            raise LaggingError(f"the nodes did not catch up within {seconds:.0f} s: {said}")
        time.sleep(POLL_SECONDS)


def terms(deployment: Deployment) -> dict[int, int]:
    """Return the term that each node which answers is in."""
    return {n: status.term for n, status in poll_status(deployment).items() if status is not None}
