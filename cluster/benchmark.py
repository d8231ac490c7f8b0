"""Throughput and latency of a cluster of three, with the load generator on the same machine."""

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import uvloop

from cluster.demonstration import free_base_port
from cluster.deployment import Deployment, Plan, create_deployment
from cluster.flow import Flow
from cluster.processes import await_leader, start_node, stop_all
from cluster.replaying import Pace, ReplayResult, replay_flow

MANY_CONNECTIONS: Final = 8
OPEN_LOOP_RATE: Final = 5_000
OPEN_LOOP_SECONDS: Final = 4


@dataclass(frozen=True, slots=True)
class Load:
    """One way to drive the cluster."""

    name: str
    pace: Pace
    rows: int | None = None
    """How much of the flow is sent; None is all of it."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The runs of one load: medians are over the runs, not over commands."""

    load: Load
    results: tuple[ReplayResult, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return {
            "load": self.load.name,
            "connections": self.load.pace.connections,
            "rate": self.load.pace.rate,
            "window": self.load.pace.window,
            "commands": self.results[0].commands,
            "per_second": [result.per_second for result in self.results],
            "median_per_second": int(median(result.per_second for result in self.results)),
            "median_p50_ns": self._latency("p50_ns"),
            "median_p99_ns": self._latency("p99_ns"),
            "median_p999_ns": self._latency("p999_ns"),
            "median_most_ns": self._latency("most_ns"),
        }

    def _latency(self, name: str) -> int:
        return int(median(getattr(result.latency, name) for result in self.results))


LOADS: Final = (
    Load("pipelined, one connection", Pace()),
    Load(
        f"pipelined, {MANY_CONNECTIONS} connections",
        Pace(connections=MANY_CONNECTIONS, window=2_048),
    ),
    Load(
        f"open loop, {OPEN_LOOP_RATE} a second",
        Pace(rate=OPEN_LOOP_RATE),
        OPEN_LOOP_RATE * OPEN_LOOP_SECONDS,
    ),
)


def measure_cluster(flow: Flow, runs: int, say: Callable[[str], None]) -> list[Measurement]:
    """Drive a fresh cluster of three with every load, `runs` times each."""
    measurements = []
    for load in LOADS:
        with temporary_cluster() as deployment:
            sent = Flow(flow.name, flow.runners, flow.rows[: load.rows])
            results = []
            for number in range(runs):
                result = uvloop.run(replay_flow(deployment, sent, load.pace))
                say(f"{load.name}, run {number + 1}: {result.per_second:,} a second")
                results.append(result)
        measurements.append(Measurement(load, tuple(results)))
    return measurements


@contextmanager
def temporary_cluster(nodes: int = 3) -> Iterator[Deployment]:
    """Run a cluster that is gone afterwards, data and all."""
    with TemporaryDirectory(prefix="quorumbook-bench-") as folder:
        deployment = create_deployment(
            Path(folder) / "cluster", Plan(nodes, free_base_port(), "default")
        )
        try:
            for member in deployment.members:
                start_node(deployment, member.number)
            await_leader(deployment)
            yield deployment
        finally:
            stop_all(deployment)


def machine() -> dict[str, Any]:
    """Describe this machine as far as the figures depend on it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
