"""What the simulation stands on: virtual time, sockets as TCP has them, disks that forget."""

import asyncio
import errno
from pathlib import Path
from random import Random

import pytest

from chaos.simulation.disk import SimulatedDisk
from chaos.simulation.link import CUT, Trouble
from chaos.simulation.network import Network
from chaos.simulation.scheduler import Scheduler
from chaos.simulation.virtual_loop import VirtualLoop, new_loop

ONE, OTHER = "10.0.0.1", "10.0.0.2"
PORT = 7000
FILE = Path("/disk/file")


class World:
    """Two machines, a network, and what went wrong."""

    def __init__(self, seed: int = 1) -> None:
        self.scheduler = Scheduler(0)
        self.network = Network(self.scheduler, Random(seed), lambda *_arrival: None)
        self.errors: list[object] = []
        self.loops = [self.loop(ONE), self.loop(OTHER)]

    def loop(self, host: str) -> VirtualLoop:
        """Start a process on `host`."""
        return new_loop(self.scheduler, self.network, host, lambda: 1_000, self.errors.append)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.scheduler.run_until(self.scheduler.now_ns + round(seconds * 1e9))


class Talker(asyncio.Protocol):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self.lost: list[Exception | None] = []
        self.stream: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.stream = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


def connected(world: World) -> tuple[Talker, Talker]:
    """Connect the first machine to the second."""
    ends: list[Talker] = []

    def accept() -> Talker:
        ends.append(Talker())
        return ends[-1]

    async def listen() -> None:
        await world.loops[1].create_server(accept, OTHER, PORT)

    async def dial() -> None:
        _stream, talker = await world.loops[0].create_connection(Talker, OTHER, PORT)
        ends.append(talker)

    world.loops[1].create_task(listen())
    world.run(0.01)
    world.loops[0].create_task(dial())
    world.run(0.1)
    server, client = ends
    return client, server


@pytest.mark.parametrize("seed", range(8))
def test_bytes_arrive_in_order_whatever_the_link_does(seed: int) -> None:
    """Delays, losses and cuts change when bytes arrive, never which or in what order."""
    world = World(seed)
    client, server = connected(world)
    link = world.network.link(ONE, OTHER)
    sent = b""
    for number in range(200):
        end = link.suffer(
            Trouble(
                cut=number % 50 > 40,
                slow_ns=(number % 7) * 1_000_000,
                loss=0.2 if number % 3 else 0.0,
            )
        )
        client.stream.write(b"%d," % number)
        sent += b"%d," % number
        world.run(0.001)
        if not 40 < number % 50 < 49:
            end()
    link.heal()
    world.run(2.0)

    assert server.heard == sent
    assert not world.errors


def test_a_cut_is_silence_and_a_kill_is_a_reset() -> None:
    """Behind a cut nobody hears of the end; an end that can be told is told at once."""
    world = World()
    client, server = connected(world)
    world.network.link(ONE, OTHER).suffer(CUT)
    client.stream.write(b"lost in the cable")
    world.run(1.0)
    assert (server.heard, server.lost) == (b"", [])

    world.network.end_process(world.loops[0], silent=False)
    world.loops[0].kill()
    world.run(1.0)
    assert server.lost == []
    world.network.link(ONE, OTHER).heal()
    world.run(1.0)
    assert len(server.lost) == 1
    assert client.lost == []


def test_a_machine_without_power_is_missed_only_by_who_speaks_to_it() -> None:
    """It answers nothing; once it is up again it resets what belongs to nobody."""
    world = World()
    client, server = connected(world)
    world.loops[1].kill()
    world.network.end_process(world.loops[1], silent=True)
    client.stream.write(b"are you there?")
    world.run(1.0)
    assert client.lost == []

    world.network.power_up(OTHER)
    client.stream.write(b"and now?")
    world.run(1.0)
    assert len(client.lost) == 1
    assert server.heard == b""


def test_nobody_there_refuses_and_no_power_keeps_silent() -> None:
    """A port without a listener is a ConnectionRefusedError; a dark host is a timeout."""
    world = World()
    told: list[str] = []

    async def dial() -> None:
        try:
            async with asyncio.timeout(0.5):
                await world.loops[0].create_connection(Talker, OTHER, PORT)
        except (ConnectionRefusedError, TimeoutError) as error:
            told.append(type(error).__name__)

    world.loops[0].create_task(dial())
    world.run(1.0)
    world.network.end_process(world.loops[1], silent=True)
    world.loops[0].create_task(dial())
    world.run(1.0)

    assert told == ["ConnectionRefusedError", "TimeoutError"]


def test_a_slow_reader_pauses_its_writer() -> None:
    """What the other end has not read counts against the writer until it is read."""
    world = World()
    client, server = connected(world)
    paused: list[str] = []
    client.pause_writing = lambda: paused.append("pause")  # type: ignore[method-assign]
    client.resume_writing = lambda: paused.append("resume")  # type: ignore[method-assign]
    client.stream.set_write_buffer_limits(high=1_000)
    server.stream.pause_reading()
    client.stream.write(bytes(2_000))
    world.run(1.0)
    assert paused == ["pause"]
    assert client.stream.get_write_buffer_size() == 2_000

    server.stream.resume_reading()
    world.run(1.0)
    assert paused == ["pause", "resume"]
    assert len(server.heard) == 2_000


def test_a_paused_process_does_later_what_was_due() -> None:
    """Nothing runs while it is stopped, everything afterwards, in order."""
    world = World()
    done: list[object] = []
    loop = world.loops[0]
    loop.call_later(0.1, done.append, 1)
    loop.call_later(0.2, done.append, 2)
    loop.pause()
    world.run(1.0)
    assert done == []
    loop.resume()
    world.run(0.1)
    assert done == [1, 2]


def test_a_killed_process_never_runs_again() -> None:
    """Not its timers, not its threads, not the `finally` of what it was doing."""
    world = World()
    done: list[object] = []
    loop = world.loops[0]

    async def work() -> None:
        try:
            await asyncio.sleep(1)
        finally:
            done.append("finally")

    loop.create_task(work())
    loop.call_later(0.5, done.append, "timer")
    loop.run_in_executor(None, done.append, "thread")
    loop.kill()
    world.run(3.0)

    assert done == []
    loop.bury()


def test_a_disk_keeps_what_was_synced_and_perhaps_more() -> None:
    """Synced bytes under a synced name survive; others may, in part, and never change places."""
    survived = set()
    for seed in range(60):
        disk = SimulatedDisk(Random(seed))
        descriptor = disk.create(FILE)
        disk.write(descriptor, [b"a" * 100])
        disk.sync_data(descriptor)
        disk.sync_directory(FILE.parent)
        disk.write(descriptor, [b"b" * 200])
        disk.lose_power()
        content = disk.read(FILE)
        assert content[:100] == b"a" * 100
        assert set(content[100:]) <= {0, ord("b")}
        survived.add(len(content))
    assert min(survived) < 150 < max(survived)


def test_a_name_lasts_only_once_its_directory_was_synced() -> None:
    """Without that, a power loss may take the whole file, and sometimes does."""
    kept = 0
    for seed in range(40):
        disk = SimulatedDisk(Random(seed))
        descriptor = disk.create(FILE)
        disk.write(descriptor, [b"synced"])
        disk.sync_data(descriptor)
        disk.lose_power()
        kept += disk.exists(FILE)
    assert 0 < kept < 40


def test_a_disk_fails_as_it_is_told_to() -> None:
    """Syncs fail with their errno, writes to a full disk with ENOSPC, until it is repaired."""
    disk = SimulatedDisk(Random(1))
    descriptor = disk.create(FILE)
    disk.sync_error = errno.EIO
    with pytest.raises(OSError, match="failed"):
        disk.sync_data(descriptor)
    disk.full = True
    with pytest.raises(OSError, match="no space"):
        disk.write(descriptor, [b"more"])
    disk.repair()
    disk.write(descriptor, [b"more"])
    disk.sync_data(descriptor)
    assert disk.read(FILE) == b"more"


def test_a_disk_that_keeps_no_names_still_keeps_what_is_in_files() -> None:
    """Cutting a file and syncing a directory fail, and that is told; writes and syncs go on."""
    disk = SimulatedDisk(Random(1))
    place = Path("/journal/segment-1")
    felt: list[int] = []
    descriptor = disk.create(place)
    disk.fail_names(errno.EIO, lambda: felt.append(1))
    disk.write(descriptor, [b"abc"])
    disk.sync_data(descriptor)
    with pytest.raises(OSError, match="keep a name"):
        disk.sync_directory(place.parent)
    with pytest.raises(OSError, match="keep a name"):
        disk.truncate(place, 1)

    assert (disk.read(place), disk.is_durable(place), len(felt)) == (b"abc", False, 2)
    disk.repair()
    disk.sync_directory(place.parent)
    assert disk.is_durable(place)


def test_a_full_disk_takes_no_new_file() -> None:
    """As little as it takes another byte of an old one."""
    disk = SimulatedDisk(Random(1))
    disk.fill_up(lambda: None)
    with pytest.raises(OSError, match="no space"):
        disk.create(Path("/journal/segment-1"))
    disk.repair()
    disk.create(Path("/journal/segment-1"))
