"""A cluster of real nodes whose data lies on one disk, and the switch that cuts its power."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from chaos.disks.power import PowerDisk
from cluster.deployment import Deployment, Plan, create_deployment, genesis_limits
from cluster.status import NodeStatus, poll_status
from node.domain.genesis import Genesis
from node.domain.limits import Limit

CHECKPOINT_BYTES: Final = 256 << 10
SEGMENT_BYTES: Final = 256 << 10
_POLL_SECONDS: Final = 0.02
_SOURCES: Final = Path(__file__).resolve().parents[2]
_SETTINGS: Final = f"""
[storage]
journal_segment_bytes = {SEGMENT_BYTES}
"""


class NodesFailedError(Exception):
    """Nodes ended by themselves or did not come to serve; the message has their last words."""


class PoweredCluster:
    """Nodes on a disk. Their logs lie elsewhere, so that a power loss leaves its witnesses."""

    def __init__(
        self, disk: PowerDisk, logs: Path, plan: Plan, *, without_fdatasync: bool = False
    ) -> None:
        """Make the cluster's files, durably; checkpoints and segments are small and many."""
        self._disk = disk
        self._logs = logs
        self._module = "chaos.disks.without_fdatasync" if without_fdatasync else "node"
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.deployment: Final[Deployment] = create_deployment(disk.path / "cluster", plan)
        limits = list(genesis_limits(plan.profile))
        limits[Limit.CHECKPOINT_BYTES] = CHECKPOINT_BYTES
        operator = bytes(self.deployment.operator_key().verify_key)
        cluster_id = bytes.fromhex(self.deployment.cluster_id)
        self.genesis: Final = Genesis(cluster_id, 0, operator, tuple(limits))
        for number in self.numbers:
            self._finish(number)
        sync_tree(disk.path)

    def _finish(self, number: int) -> None:
        folder = self.deployment.folder(number)
        (folder / "genesis.bin").write_bytes(self.genesis.encode())
        with self.deployment.config_file(number).open("a") as settings:
            settings.write(_SETTINGS)
        log = self._logs / f"node-{number}"
        log.mkdir(parents=True)
        (folder / "log").rmdir()
        (folder / "log").symlink_to(log)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the nodes."""
        return [member.number for member in self.deployment.members]

    @property
    def folders(self) -> list[Path]:
        """The data folders of the nodes."""
        return [self.deployment.folder(number) for number in self.numbers]

    def start(self, random: Random) -> None:
        """Start all nodes at once, in an order that `random` chooses, and do not wait."""
        for number in random.sample(self.numbers, len(self.numbers)):
            config = self.deployment.config_file(number)
            with (self._logs / f"stderr-{number}").open("ab") as errors:
                self._processes[number] = subprocess.Popen(
                    [sys.executable, "-m", self._module, "--config", str(config)],
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                    start_new_session=True,
                    cwd=_SOURCES,
                )

    def await_serving(self, seconds: float) -> list[NodeStatus]:
        """Wait until all nodes answer and one leads; return what they say.

        Raises NodesFailedError as soon as one has ended, or after `seconds`.
        """
        return self._await(
            seconds,
            lambda statuses: any(one.role == "leader" and one.ready for one in statuses),
            "served",
        )

    def await_agreement(self, seconds: float) -> list[NodeStatus]:
        """Wait until all nodes have applied the same log to the same digest; errors as above."""
        return self._await(
            seconds,
            lambda statuses: len({(one.applied_index, one.chain_digest) for one in statuses}) == 1,
            "agreed",
        )

    def _await(
        self, seconds: float, reached: Callable[[list[NodeStatus]], bool], what: str
    ) -> list[NodeStatus]:
        deadline = time.monotonic() + seconds
        while True:
            for number, process in self._processes.items():
                if process.poll() is not None:
                    raise NodesFailedError(
                        f"node {number} ended with code {process.returncode}: "
                        f"{self._last_words(number)}"
                    )
            polled = poll_status(self.deployment)
            statuses = [status for status in polled.values() if status is not None]
            if len(statuses) == len(self.numbers) and reached(statuses):
                return statuses
            if time.monotonic() > deadline:
                said = {number: status and status.words for number, status in polled.items()}
                raise NodesFailedError(f"the nodes have not {what} within {seconds:.0f} s: {said}")
            time.sleep(_POLL_SECONDS)

    def cut_power(self) -> object:
        """Take the power of all nodes at one instant, and give it back to the disk.

        Returns what the disk says that it lost.
        """
        self._disk.lose_power()
        self.kill()
        return self._disk.restore_power()

    def kill(self) -> None:
        """End every node at once, with no chance to say anything."""
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
        for process in self._processes.values():
            process.wait()
        self._processes = {}

    def stop(self, seconds: float) -> None:
        """Stop every node gracefully; kill those that take longer than `seconds`."""
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + seconds
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = {}

    def copy_to(self, target: Path) -> None:
        """Copy what is on the disk, and the nodes' logs, to the new folder `target`."""
        shutil.copytree(self.deployment.root, target / "cluster", symlinks=True)
        shutil.copytree(self._logs, target / "logs")

    def _last_words(self, number: int) -> str:
        lines = (self._logs / f"stderr-{number}").read_text(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it said nothing")


def sync_tree(root: Path) -> None:
    """Make every file and every name below `root` durable."""
    for path in sorted(root.rglob("*"), reverse=True):
        if not path.is_symlink():
            _sync(path)
    _sync(root)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
