"""The nodes of a cluster as processes of this machine: start, signal, watch."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from cluster.deployment import Deployment, DeploymentError
from cluster.status import NodeStatus, fetch_status, find_strangers, poll_status
from config import Endpoint

POLL_SECONDS: Final = 0.05
START_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 15.0
_children: "Final[list[tuple[Path, int, subprocess.Popen[bytes]]]]" = []
"""Nodes started by this process, by cluster and number; left alone when it ends."""


def start_node(deployment: Deployment, number: int, *, recover: bool = False) -> int:
    """Start one node, detached from this terminal, and return its process id once it serves.

    Its standard error goes to `log/stderr.log`. Raises DeploymentError when it runs already, when
    one of its addresses is in use, or when it ends before it serves.
    """
    holder = deployment.running(number)
    if holder is not None:
        raise DeploymentError(f"node {number} runs already, as process {holder}")
    _require_folder(deployment, number)
    taken = addresses_in_use(deployment, number)
    if taken:
        raise DeploymentError(f"node {number} cannot start: {'; '.join(taken)}")
    said_before = _stderr_size(deployment, number)
    process = spawn_node(deployment, number, recover=recover)
    deadline = time.monotonic() + START_SECONDS_MAX
    member = deployment.member(number)
    while deployment.running(number) != process.pid or fetch_status(deployment, member) is None:
        code = process.poll()
        if code is not None:
            reason = last_words(deployment, number, said_before)
            raise DeploymentError(f"node {number} ended with code {code}: {reason}")
        if time.monotonic() > deadline:
            process.kill()
            raise DeploymentError(f"node {number} did not start within {START_SECONDS_MAX:.0f} s")
        time.sleep(POLL_SECONDS)
    return process.pid


def _require_folder(deployment: Deployment, number: int) -> None:
    folder = deployment.folder(number)
    if not deployment.config_file(number).exists():
        raise DeploymentError(
            f"{folder} is gone or has no node.toml: put genesis.bin, cluster.key and node.toml of "
            f"another node there (with number = {number}), then `quorumbook node start {number} "
            "--recover`"
        )
    (folder / "log").mkdir(mode=0o700, exist_ok=True)


def spawn_node(
    deployment: Deployment, number: int, *, recover: bool = False
) -> "subprocess.Popen[bytes]":
    """Start one node's process and return it at once."""
    command = [sys.executable, "-m", "node", "--config", str(deployment.config_file(number))]
    if recover:
        command.append("--recover")
    with _stderr_file(deployment, number).open("ab") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
    _children.append((deployment.root, number, process))
    return process


def addresses_in_use(deployment: Deployment, number: int) -> list[str]:
    """Return, in words, which of a node's addresses somebody else listens at, and who if known."""
    member = deployment.member(number)
    roles = (("clients", member.client), ("peers", member.peer), ("HTTP", member.http))
    taken = [f"its address for {role}, {end}, is in use" for role, end in roles if not is_free(end)]
    return taken + (find_strangers(deployment) if taken else [])


def is_free(end: Endpoint) -> bool:
    """Return whether this machine can listen at `end`.

    An address that is wrong in another way counts as free: the node itself says so best.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(end)
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def last_words(deployment: Deployment, number: int, since: int = 0) -> str:
    """Return the last line that a node wrote to standard error behind its first `since` bytes."""
    file = _stderr_file(deployment, number)
    content = file.read_bytes()[since:] if file.exists() else b""
    lines = content.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it said nothing; see {file.parent}"


def _stderr_file(deployment: Deployment, number: int) -> Path:
    return deployment.folder(number) / "log" / "stderr.log"


def _stderr_size(deployment: Deployment, number: int) -> int:
    file = _stderr_file(deployment, number)
    return file.stat().st_size if file.exists() else 0


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
    _children[:] = [one for one in _children if one[2].poll() is None]
    return left


def stop_all(deployment: Deployment) -> list[int]:
    """Stop every running node, gracefully and then by force; return their numbers."""
    return stop_nodes(deployment, [member.number for member in deployment.members])


def stop_nodes(deployment: Deployment, wanted: Iterable[int]) -> list[int]:
    """Stop those of the nodes that run, gracefully and then by force; return their numbers.

    No Ctrl-C cuts it short. A node that this process has just started, and that does not hold its
    folder yet, ends too.
    """
    chosen = list(wanted)
    with _undisturbed():
        young = [
            child
            for root, number, child in _children
            if root == deployment.root and number in chosen and child.poll() is None
        ]
        numbers = [number for number in chosen if deployment.running(number) is not None]
        for child in young:
            child.terminate()
        for number in numbers:
            _signal_if_running(deployment, number, signal.SIGTERM)
        for number in await_stopped(deployment, numbers):
            _signal_if_running(deployment, number, signal.SIGKILL)
        await_stopped(deployment, numbers)
        for child in young:
            _reap(child)
    return numbers


def _reap(child: "subprocess.Popen[bytes]") -> None:
    try:
        child.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def _undisturbed() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Signals come to the main thread.
        return
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(kind, signal.SIG_IGN) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


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
        polled = poll_status(deployment).values()
        leaders = [one for one in polled if one is not None and one.role == "leader" and one.ready]
        if leaders:
            return max(leaders, key=lambda status: status.term)
        time.sleep(POLL_SECONDS)
    strangers = find_strangers(deployment)
    if strangers:
        raise DeploymentError("; ".join(strangers))
    raise DeploymentError(
        f"no node led within {seconds:.0f} s; `quorumbook status` shows which run, and "
        f"{deployment.root}/node-*/log/ says why"
    )


def end_on_sigterm() -> None:
    """Make SIGTERM and a closed terminal unwind this process like an error.

    So whoever started nodes stops them.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        unwind(SystemExit(1))

    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # As `nohup` has it.
        signal.signal(signal.SIGHUP, end)


def unwind(reason: BaseException) -> None:
    """Raise SystemExit or KeyboardInterrupt from a signal handler so that it does not get lost.

    A signal may strike while a transport's callback runs, and uvloop takes what comes out of one
    for the end of that connection only: a loop that runs is ended in a turn of its own instead.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise reason from None
    loop.call_soon_threadsafe(_throw, reason)


def _throw(reason: BaseException) -> None:
    raise reason


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
