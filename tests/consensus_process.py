"""A replica in a process of its own with the simplest state machine: a list of groups.

Run it as `python -m tests.consensus_process NODE DIRECTORY PEER_PORT... CLIENT_PORT`, with three
peer ports; clients speak lines of JSON.
"""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any, NamedTuple

import uvloop
from blake3 import blake3

from node.consensus.replica import Replica
from node.consensus.timing import Timing

SNAPSHOT_EVERY = 100
TIMING = Timing(margin_bytes=20_000, gossip=0.05)


class Position(NamedTuple):
    """Where a snapshot ends."""

    index: int  # type: ignore[assignment]  # a field here, not tuple's method
    term: int
    stamp_ns: int = 0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class ListSnapshots:
    """The groups up to one index, in a file: position, then one group a line."""

    def __init__(self, directory: Path) -> None:
        """Keep it in `directory`."""
        self.path = directory / "state"

    def latest(self) -> Position | None:
        """Return where it ends."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            return Position(*map(int, file.readline().split()))

    def load(self) -> list[bytes]:
        """Return the groups in it."""
        return self.path.read_bytes().split(b"\n")[1:-1] if self.path.exists() else []

    def commit(self, position: Position, groups: list[bytes]) -> None:
        """Replace it, durably."""
        new = self.path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(b"%d %d %d\n" % position)
            file.writelines(group + b"\n" for group in groups)
            file.flush()
            os.fsync(file.fileno())
        self._rename(new)

    def _rename(self, new: Path) -> None:
        new.rename(self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def copy(self) -> tuple[Path, bytes, int]:
        """Return a copy for a peer."""
        data = self.path.read_bytes()
        target = self.path.with_suffix(f".copy{blake3(data).hexdigest()[:8]}{os.urandom(4).hex()}")
        target.write_bytes(data)
        return target, blake3(data).digest(), len(data)

    def install(self, file: Path, blake3: bytes, size: int) -> Position:
        """Replace it by a peer's."""
        assert file.stat().st_size == size
        assert len(blake3) == 32
        self._rename(file)
        latest = self.latest()
        assert latest is not None
        return latest


class ListMachine:
    """Applies groups to a list, and hands groups that wait to the leader."""

    def __init__(self, directory: Path) -> None:
        """Start from the snapshot in `directory`."""
        self.snapshots = ListSnapshots(directory)
        self.groups = self.snapshots.load()
        self.waiting: list[bytes] = []
        self.asked: dict[bytes, asyncio.Future[int]] = {}
        self.since_snapshot = 0
        self.replica: Replica
        self.digests: dict[int, bytes] = {}
        self.divergences = 0

    def apply(self, index: int, term: int, group: bytes) -> None:
        """Append the group."""
        self.groups.append(group)
        asked = self.asked.pop(group, None)
        if asked is not None and not asked.done():
            asked.set_result(len(self.groups))
        self.since_snapshot += 1
        if self.since_snapshot >= SNAPSHOT_EVERY:
            self.since_snapshot = 0
            self.snapshots.commit(Position(index, term), self.groups)
            asyncio.get_running_loop().call_soon(self.replica.snapshot_committed, index)

    def restore_from(self, snapshot_file: Path) -> None:
        """Load what was installed."""
        del snapshot_file
        self.groups = self.snapshots.load()

    def take_group(self, max_bytes: int) -> bytes | None:
        """Hand out what waits, one by one."""
        del max_bytes
        return self.waiting.pop(0) if self.waiting else None

    def digest(self) -> str:
        """Return a digest of all groups."""
        return blake3(b"\n".join(self.groups)).hexdigest()

    async def propose(self, group: bytes) -> int:
        """Return the place of `group` once it is applied here."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.asked[group] = future
        self.waiting.append(group)
        self.replica.kick()
        return await future


def make_replica(
    node: int,
    directory: Path,
    ports: list[int],
    machine: ListMachine,
    *,
    recovering: bool = False,
    **more: Any,
) -> Replica:
    """Return a replica of a cluster on the loopback, not started."""
    options: dict[str, Any] = {
        "genesis_hash": b"g" * 32,
        "cluster_key": b"k" * 32,
        "timing": TIMING,
        **more,
    }
    machine.replica = Replica(
        node=node,
        members={number: ("127.0.0.1", port) for number, port in enumerate(ports, 1)},
        directory=directory,
        machine=machine,
        source=machine,
        snapshots=machine.snapshots,
        recovering=recovering,
        **options,
    )
    return machine.replica


async def _answer(machine: ListMachine, words: dict[str, Any]) -> dict[str, Any]:
    replica = machine.replica
    if words["ask"] == "propose":
        if not replica.ready:
            return {"error": "not leader", "leader": replica.leader}
        async with asyncio.timeout(1):
            return {"place": await machine.propose(words["group"].encode())}
    if words["ask"] == "groups":
        return {"groups": [group.decode() for group in machine.groups]}
    return {
        "ready": replica.ready,
        "applied": replica.applied_index,
        "count": len(machine.groups),
        "digest": machine.digest(),
        "recovering": replica.recovering,
    }


async def main() -> None:
    """Serve until killed."""
    node, directory, ports = int(sys.argv[1]), Path(sys.argv[2]), list(map(int, sys.argv[3:6]))
    directory.mkdir(parents=True, exist_ok=True)
    machine = ListMachine(directory)
    replica = make_replica(node, directory, ports, machine, recovering="--recovering" in sys.argv)
    await replica.start()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            try:
                answer = await _answer(machine, json.loads(line))
            except TimeoutError:
                answer = {"error": "unknown"}
            writer.write(json.dumps(answer).encode() + b"\n")
        writer.close()

    await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[6]), limit=1 << 26)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
