"""The nodes of a cluster as processes of this machine: start, signal, watch."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from cluster.deployment import Deployment, DeploymentError
from cluster.status import NodeStatus, fetch_status, poll_status

POLL_SECONDS: Final = 0.05
START_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 15.0
_children: "Final[list[subprocess.Popen[bytes]]]" = []
"""Nodes started by this process: reaped when they end, left alone when it does."""


def start_node(deployment: Deployment, number: int, *, recover: bool = False) -> int:
    """Start one node, detached from this terminal, and return its process id once it serves.

    Its standard error goes to `log/stderr.log`. Raises DeploymentError when it runs already or ends
    at once.
    """
    holder = deployment.running(number)
    if holder is not None:
        raise DeploymentError(f"node {number} runs already, as process {holder}")
    process = spawn_node(deployment, number, recover=recover)
    deadline = time.monotonic() + START_SECONDS_MAX
    member = deployment.member(number)
    while deployment.running(number) != process.pid or fetch_status(member) is None:
        code = process.poll()
        if code is not None:
            raise DeploymentError(
                f"node {number} ended with code {code}: {last_words(deployment, number)}"
            )
        if time.monotonic() > deadline:
            process.kill()
            raise DeploymentError(f"node {number} did not start within {START_SECONDS_MAX:.0f} s")
        time.sleep(POLL_SECONDS)
    return process.pid


def spawn_node(
    deployment: Deployment, number: int, *, recover: bool = False
) -> "subprocess.Popen[bytes]":
    """Start one node's process and return it at once."""
    folder = deployment.folder(number)
    command = [sys.executable, "-m", "node", "--config", str(deployment.config_file(number))]
    if recover:
        command.append("--recover")
    with (folder / "log" / "stderr.log").open("ab") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
    _children.append(process)
    return process


def last_words(deployment: Deployment, number: int) -> str:
    """Return the last line that a node wrote to standard error."""
    file = deployment.folder(number) / "log" / "stderr.log"
    lines = file.read_text(errors="replace").strip().splitlines() if file.exists() else []
    return lines[-1] if lines else f"it said nothing; see {file.parent}"


def signal_node(deployment: Deployment, number: int, number_of_signal: signal.Signals) -> int:
    """Send a signal to a running node and return its process id.

    DeploymentError when it does not run.
    """
    holder = deployment.running(deployment.member(number).number)
    if holder is None:
        raise DeploymentError(f"node {number} does not run")
    os.kill(holder, number_of_signal)
    return holder


def await_stopped(
    deployment: Deployment, numbers: Iterable[int], seconds: float = STOP_SECONDS_MAX
) -> list[int]:
    """Wait until the nodes have let go of their folders.

    Return those that still have not after `seconds`.
    """
    deadline = time.monotonic() + seconds
    left = list(numbers)
    while left and time.monotonic() < deadline:
        left = [number for number in left if deployment.running(number) is not None]
        if left:
            time.sleep(POLL_SECONDS)
    _children[:] = [child for child in _children if child.poll() is None]
    return left


def stop_all(deployment: Deployment) -> list[int]:
    """Stop every running node, gracefully and then by force; return their numbers."""
    numbers = [
        member.number
        for member in deployment.members
        if deployment.running(member.number) is not None
    ]
    for number in numbers:
        _signal_if_running(deployment, number, signal.SIGTERM)
    for number in await_stopped(deployment, numbers):
        _signal_if_running(deployment, number, signal.SIGKILL)
    await_stopped(deployment, numbers)
    return numbers


def await_leader(
    deployment: Deployment, seconds: float = START_SECONDS_MAX, needed: Iterable[int] = ()
) -> NodeStatus:
    """Wait until a node leads and takes commands, and return its status.

    Raises DeploymentError after `seconds`, or as soon as a node of `needed` has ended.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for number in needed:
            if deployment.running(number) is None:
                raise DeploymentError(f"node {number} ended: {last_words(deployment, number)}")
        polled = poll_status(deployment.members).values()
        leaders = [one for one in polled if one is not None and one.role == "leader" and one.ready]
        if leaders:
            return max(leaders, key=lambda status: status.term)
        time.sleep(POLL_SECONDS)
    raise DeploymentError(
        f"no node led within {seconds:.0f} s; `quorumbook status` shows which run, and "
        f"{deployment.root}/node-*/log/ says why"
    )


def end_on_sigterm() -> None:
    """Make SIGTERM unwind this process like an error, so that whoever started nodes stops them."""

    def end(_number: int, _frame: FrameType | None) -> None:
        sys.exit(1)

    signal.signal(signal.SIGTERM, end)


@dataclass(slots=True)
class Watch:
    """Notices nodes that die or come back, whoever started them; says each change once."""

    deployment: Deployment
    say: Callable[[str], None]
    known: dict[int, int | None] = field(default_factory=dict)

    def look(self) -> int:
        """Say what changed since the last look; return how many nodes run."""
        for member in self.deployment.members:
            holder = self.deployment.running(member.number)
            before = self.known.get(member.number)
            if before is not None and holder is None:
                self.say(
                    f"node {member.number} (process {before}) has ended; "
                    f"`quorumbook node start {member.number}` starts it again"
                )
            elif holder is not None and before is None and member.number in self.known:
                self.say(f"node {member.number} runs again, as process {holder}")
            self.known[member.number] = holder
        return sum(holder is not None for holder in self.known.values())


def _signal_if_running(
    deployment: Deployment, number: int, number_of_signal: signal.Signals
) -> None:
    holder = deployment.running(number)
    if holder is not None:
        try:
            os.kill(holder, number_of_signal)
        except ProcessLookupError:
            return  # It ended in between: what was wanted.
