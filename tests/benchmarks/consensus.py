"""How fast three durable replicas in three processes agree on opaque groups.

`python -m tests.benchmarks.consensus [GROUP_BYTES OUTSTANDING]` prints one line of JSON a case.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import uvloop

from node.consensus.replica import Replica
from node.consensus.timing import Timing
from tests.consensus_process import ListSnapshots, free_ports

CASES = ((100, 1), (32 << 10, 8), (256 << 10, 4), (1 << 20, 3))
SECONDS = 4.0


class Load:
    """State machine and source of groups in one: each group applied makes room for the next."""

    def __init__(self, size: int, outstanding: int) -> None:
        """Keep `outstanding` groups of `size` bytes on their way, once `left` is raised."""
        self._group = b"x" * size
        self._outstanding = outstanding
        self._left = 0
        self._sent: deque[float] = deque()
        self._ends = 0.0
        self.latencies: list[float] = []
        self.done = asyncio.Event()

    def begin(self) -> None:
        """Start the clock."""
        self._ends = time.perf_counter() + SECONDS
        self._left = self._outstanding

    def take_group(self, max_bytes: int) -> bytes | None:
        """Return the next group."""
        del max_bytes
        if not self._left:
            return None
        self._left -= 1
        self._sent.append(time.perf_counter())
        return self._group

    def apply(self, index: int, term: int, group: bytes) -> None:
        """Count the group."""
        del index, term, group
        if not self._sent:
            return
        now = time.perf_counter()
        self.latencies.append(now - self._sent.popleft())
        if now < self._ends:
            self._left += 1
        elif not self._sent:
            self.done.set()

    def restore_from(self, snapshot_file: Path) -> None:
        """There is none."""


async def run_node(node: int, root: Path, size: int, outstanding: int, ports: list[int]) -> None:
    """Run one replica; the one that leads measures and prints."""
    load = Load(size, outstanding)
    replica = Replica(
        node=node,
        members={number: ("127.0.0.1", port) for number, port in enumerate(ports, 1)},
        directory=root / str(node),
        machine=load,
        source=load,
        snapshots=ListSnapshots(root),
        genesis_hash=bytes(32),
        cluster_key=bytes(32),
        timing=Timing(groups_in_flight=max(4, outstanding)),
    )
    await replica.start()
    await asyncio.sleep(1.5)
    if replica.ready:
        started = time.perf_counter()
        load.begin()
        replica.kick()
        await load.done.wait()
        print(describe(load, replica, size, outstanding, time.perf_counter() - started))
    else:
        await asyncio.sleep(SECONDS + 0.5)
    sys.stdout.flush()
    os._exit(0)


def describe(load: Load, replica: Replica, size: int, outstanding: int, elapsed: float) -> str:
    """Return the figures as a line."""
    latencies = sorted(load.latencies)
    count = len(latencies)
    stats = replica.stats
    return json.dumps(
        {
            "group_bytes": size,
            "outstanding": outstanding,
            "groups_per_second": round(count / elapsed),
            "megabytes_per_second": round(count * size / elapsed / 1e6, 1),
            "p50_ms": round(latencies[count // 2] * 1e3, 2),
            "p99_ms": round(latencies[count * 99 // 100] * 1e3, 2),
            "flush_ms_mean": round(stats.flush_ns / max(1, stats.flushes) / 1e6, 2),
        }
    )


def main() -> None:
    """Run the cases, each on a fresh cluster."""
    words = list(map(int, sys.argv[1:3]))
    for size, outstanding in [(words[0], words[1])] if words else CASES:
        with tempfile.TemporaryDirectory() as root:
            ports = free_ports(3)
            command = [sys.executable, "-m", "tests.benchmarks.consensus", "node", root]
            processes = [
                subprocess.Popen([*command, *map(str, (node, size, outstanding, *ports))])
                for node in (1, 2, 3)
            ]
            for process in processes:
                process.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["node"]:
        number, case_size, case_outstanding, *peer_ports = map(int, sys.argv[3:])
        uvloop.run(run_node(number, Path(sys.argv[2]), case_size, case_outstanding, peer_ports))
    else:
        main()
