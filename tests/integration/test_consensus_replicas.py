"""Three replicas in one loop, over real sockets and files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

from node.consensus.errors import ConsensusError, GenesisMismatchError, NotLeaderError
from node.consensus.file_system import FileSystem
from node.consensus.journal import read_entries
from node.consensus.journal_recovery import recover
from node.consensus.peer_transport import MAX_STRANGERS
from node.consensus.recovery_marker import RECOVERING_MARKER
from node.consensus.replica import Replica
from tests.consensus_process import TIMING, ListMachine, free_ports, make_replica

DEADLINE = 20.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.005)


class Three:
    """The cluster."""

    def __init__(self, root: Path) -> None:
        """Keep every node under `root`."""
        self.root = root
        self.ports = free_ports(3)
        self.machines: dict[int, ListMachine] = {}

    async def start(self, node: int, **options: Any) -> Replica:
        """Start one node."""
        directory = self.root / str(node)
        directory.mkdir(exist_ok=True)
        machine = ListMachine(directory)
        replica = make_replica(node, directory, self.ports, machine, **options)
        self.machines[node] = machine
        await replica.start()
        return replica

    async def stop(self, node: int) -> None:
        """Stop one node."""
        await self.machines.pop(node).replica.stop()

    async def leader(self) -> ListMachine:
        """Return the leader, once there is one that is ready."""
        await until(lambda: any(machine.replica.ready for machine in self.machines.values()))
        return next(machine for machine in self.machines.values() if machine.replica.ready)

    async def level(self) -> None:
        """Wait until all nodes have applied the same."""
        await until(lambda: len({machine.digest() for machine in self.machines.values()}) == 1)


@asynccontextmanager
async def three(root: Path) -> AsyncIterator[Three]:
    """Run three nodes."""
    cluster = Three(root)
    for node in (1, 2, 3):
        await cluster.start(node)
    try:
        yield cluster
    finally:
        for node in list(cluster.machines):
            await cluster.stop(node)


def run(scenario: Callable[[Three], Awaitable[None]], root: Path) -> None:
    """Run a scenario on a fresh cluster."""

    async def play() -> None:
        async with three(root) as cluster:
            await scenario(cluster)

    uvloop.run(play())


def test_groups_reach_all_nodes_in_one_order_and_survive_a_restart(tmp_path: Path) -> None:
    """What was acknowledged outlives all nodes, and can be read offline from any journal."""

    async def scenario(cluster: Three) -> None:
        leader = await cluster.leader()
        places = await asyncio.gather(
            *(leader.propose(b"group %d" % number) for number in range(50))
        )
        assert places == list(range(1, 51))
        await cluster.level()
        for node in (1, 2, 3):
            await cluster.stop(node)
        for node in (1, 2, 3):
            await cluster.start(node)
        leader = await cluster.leader()
        await leader.propose(b"after")
        await cluster.level()
        assert leader.groups == [*(b"group %d" % number for number in range(50)), b"after"]

    run(scenario, tmp_path)
    for node in (1, 2, 3):
        entries = list(read_entries(tmp_path / str(node) / "journal"))
        assert [entry.payload for entry in entries if entry.kind == 0][-1] == b"after"
        assert not recover(FileSystem(), tmp_path / str(node) / "journal").exposed


def test_a_group_of_the_largest_size_passes(tmp_path: Path) -> None:
    """8 MiB go through journal, wire and machine whole."""

    async def scenario(cluster: Three) -> None:
        leader = await cluster.leader()
        await leader.propose(b"x" * (8 << 20))
        await cluster.level()

    run(scenario, tmp_path)


def test_a_read_barrier_answers_on_the_leader_only(tmp_path: Path) -> None:
    """It covers what was acknowledged before it."""

    async def scenario(cluster: Three) -> None:
        leader = await cluster.leader()
        await leader.propose(b"one")
        assert await leader.replica.read_barrier() >= leader.replica.commit_index - 1
        follower = next(m for m in cluster.machines.values() if m is not leader)
        with pytest.raises(NotLeaderError):
            await follower.replica.read_barrier()

    run(scenario, tmp_path)


def test_leadership_can_be_handed_over(tmp_path: Path) -> None:
    """The target leads, and the old leader says so."""

    async def scenario(cluster: Three) -> None:
        leader = await cluster.leader()
        target = leader.replica.node % 3 + 1
        assert leader.replica.transfer_leadership(target)
        await until(lambda: cluster.machines[target].replica.ready)
        await until(lambda: leader.replica.leader == target)

    run(scenario, tmp_path)


def test_a_node_that_lost_its_disk_is_rebuilt_and_votes_again(tmp_path: Path) -> None:
    """It gets a snapshot and the log behind it, under load, and forgets that it was recovering."""

    async def scenario(cluster: Three) -> None:
        leader = await cluster.leader()
        lost = leader.replica.node % 3 + 1
        await cluster.stop(lost)
        for number in range(350):
            await leader.propose(b"group %d" % number + b"x" * 200)
        assert leader.replica.first_index > 100
        for file in sorted((tmp_path / str(lost)).rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        rebuilt = await cluster.start(lost, recovering=True)
        assert rebuilt.recovering
        await leader.propose(b"meanwhile")
        await cluster.level()
        assert rebuilt.first_index > 100
        await until(lambda: not rebuilt.recovering)
        assert not (tmp_path / str(lost) / RECOVERING_MARKER).exists()
        assert not list((tmp_path / str(lost)).glob("*incoming*"))

    run(scenario, tmp_path)


def test_a_node_whose_journal_lost_its_newest_terms_recovers_before_it_votes(
    tmp_path: Path,
) -> None:
    """A snapshot of a newer term gives the loss away; the marker outlives that start."""

    async def scenario(cluster: Three) -> None:
        leader = await cluster.leader()
        lost = leader.replica.node % 3 + 1
        for number in range(120):
            await leader.propose(b"group %d" % number)
        await cluster.level()
        await cluster.stop(lost)
        directory = tmp_path / str(lost)
        for segment in (directory / "journal").iterdir():
            segment.unlink()
        again = await cluster.start(lost)
        assert again.forgetful
        assert again.recovering
        assert (directory / RECOVERING_MARKER).exists()
        await until(lambda: not again.recovering)
        assert not (directory / RECOVERING_MARKER).exists()
        await cluster.level()
        await cluster.stop(lost)
        assert not (await cluster.start(lost)).forgetful

    run(scenario, tmp_path)


def test_strangers_cannot_use_up_the_descriptors(tmp_path: Path) -> None:
    """The oldest connection without a handshake makes room for the newest; the cluster works on."""

    async def scenario(cluster: Three) -> None:
        strangers = [
            await asyncio.open_connection("127.0.0.1", cluster.ports[0])
            for _ in range(MAX_STRANGERS + 10)
        ]
        async with asyncio.timeout(TIMING.handshake / 2):
            for reader, _writer in strangers[:10]:
                with suppress(ConnectionResetError):
                    await reader.read()
        assert not any(reader.at_eof() for reader, _writer in strangers[10:])
        await cluster.stop(3)
        await cluster.start(3)
        await until(lambda: cluster.machines[3].replica.connected_peers == [1, 2])
        for _reader, writer in strangers:
            writer.close()

    run(scenario, tmp_path)


def test_a_node_of_another_cluster_is_refused_by_name(tmp_path: Path) -> None:
    """Both sides report the two genesis hashes, and the cluster goes on without the stranger."""

    async def scenario(cluster: Three) -> None:
        await cluster.stop(3)
        refused: list[ConsensusError] = []
        await cluster.start(3, genesis_hash=b"other genesis".ljust(32), on_refusal=refused.append)
        await until(lambda: len(refused) > 1)
        assert all(isinstance(error, GenesisMismatchError) for error in refused)
        leader = await cluster.leader()
        await leader.propose(b"without the stranger")
        assert cluster.machines[3].replica.connected_peers == []

    run(scenario, tmp_path)


def test_a_connection_that_does_not_authenticate_is_closed(tmp_path: Path) -> None:
    """Silence and garbage both end within the handshake's deadline."""

    async def scenario(cluster: Three) -> None:
        for words in (b"", b"GET / HTTP/1.1\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", cluster.ports[0])
            writer.write(words)
            async with asyncio.timeout(DEADLINE):
                assert await reader.read() == b""
            writer.close()

    run(scenario, tmp_path)
