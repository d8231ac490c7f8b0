"""Three real processes and kill -9: nothing acknowledged is lost, nothing differs."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

from tests.consensus_process import free_ports

ROUNDS = int(os.environ.get("CONSENSUS_KILLS", "4"))
WORKERS = 8
DEADLINE = 30.0


class Processes:
    """The cluster, and what clients were told."""

    def __init__(self, root: Path) -> None:
        """Keep every node under `root`."""
        self.root = root
        self.peer_ports = free_ports(6)
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.acknowledged: dict[str, int] = {}
        self.stopping = False

    def start(self, node: int) -> None:
        """Start a process."""
        words = [
            sys.executable,
            "-m",
            "tests.consensus_process",
            str(node),
            str(self.root / str(node)),
        ]
        words += [str(port) for port in self.peer_ports[:3]] + [str(self.peer_ports[2 + node])]
        with (self.root / f"{node}.errors").open("ab") as errors:
            self.running[node] = subprocess.Popen(words, stderr=errors)

    def kill(self, node: int) -> None:
        """Kill -9."""
        process = self.running.pop(node)
        process.send_signal(signal.SIGKILL)
        process.wait()

    async def ask(self, node: int, **words: Any) -> dict[str, Any]:
        """Ask on a connection of its own; OSError or TimeoutError when there is no answer."""
        async with asyncio.timeout(3):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self.peer_ports[2 + node], limit=1 << 26
            )
            try:
                writer.write(json.dumps(words).encode() + b"\n")
                line = await reader.readline()
                if not line:
                    raise ConnectionResetError
                answer: dict[str, Any] = json.loads(line)
                return answer
            finally:
                writer.close()

    async def work(self, worker: int) -> None:
        """Propose until told to stop, at whichever node leads."""
        node, number = 1, 0
        while not self.stopping:
            number += 1
            group = f"{worker}-{number}-{'x' * 200}"
            try:
                answer = await self.ask(node, ask="propose", group=group)
            except (OSError, TimeoutError):
                answer = {}
            if "place" in answer:
                self.acknowledged[group] = answer["place"]
            else:
                node = answer.get("leader") or node % 3 + 1
                await asyncio.sleep(0.01)

    async def leader(self) -> int:
        """Return the node that leads."""
        async with asyncio.timeout(DEADLINE):
            while True:
                for node in list(self.running):
                    try:
                        if (await self.ask(node, ask="status"))["ready"]:
                            return node
                    except (OSError, TimeoutError):
                        pass
                await asyncio.sleep(0.02)

    async def level(self) -> None:
        """Wait until all nodes hold the same."""
        async with asyncio.timeout(DEADLINE):
            while True:
                states = [await self.ask(node, ask="status") for node in (1, 2, 3)]
                if len({state["digest"] for state in states}) == 1:
                    return
                await asyncio.sleep(0.05)

    async def more_acknowledged(self, count: int) -> None:
        """Wait for progress."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(DEADLINE):
            while len(self.acknowledged) < wanted:
                await asyncio.sleep(0.01)


async def kill_and_check(cluster: Processes, random: Random) -> None:
    """Kill under load, restart, and compare what every node holds with what was acknowledged."""
    for node in (1, 2, 3):
        cluster.start(node)
    await cluster.leader()
    workers = [asyncio.create_task(cluster.work(number)) for number in range(WORKERS)]
    for round_number in range(ROUNDS):
        await cluster.more_acknowledged(100)
        victims = [await cluster.leader() if random.random() < 0.6 else random.choice((1, 2, 3))]
        if round_number == ROUNDS - 1:
            victims = [1, 2, 3]
        for victim in victims:
            cluster.kill(victim)
        if len(victims) == 1:
            await cluster.more_acknowledged(100)
        for victim in victims:
            cluster.start(victim)
    await cluster.more_acknowledged(100)
    cluster.stopping = True
    await asyncio.gather(*workers)
    await cluster.leader()
    await cluster.level()
    groups = (await cluster.ask(1, ask="groups"))["groups"]
    assert len(set(groups)) == len(groups)
    wrong = [group for group, place in cluster.acknowledged.items() if groups[place - 1] != group]
    assert not wrong


def test_killed_processes_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """Leaders, followers, all at once: every acknowledged group is in its place everywhere."""
    cluster = Processes(tmp_path)
    try:
        asyncio.run(kill_and_check(cluster, Random(11)))
    finally:
        for node in list(cluster.running):
            cluster.kill(node)
    for node in (1, 2, 3):
        errors = (tmp_path / f"{node}.errors").read_text()
        assert not errors, errors
