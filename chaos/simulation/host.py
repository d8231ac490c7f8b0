"""One machine of a simulated cluster: its disk, its clock, and the node process that runs on it."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NoReturn, Protocol

from chaos.simulation.disk import SimulatedDisk
from chaos.simulation.durable_log import DurableLog
from chaos.simulation.network import Network
from chaos.simulation.scheduler import Action, Scheduler
from chaos.simulation.setting import Setting
from chaos.simulation.state_store import SimulatedStore
from chaos.simulation.virtual_loop import ProcessEndedError, VirtualLoop, new_loop
from node.assembly import Assembly, Ground
from node.consensus.errors import ConsensusError
from node.consensus.journal import Flush
from node.consensus.journal_recovery import Entry, recover
from node.consensus.recovery_marker import RECOVERING_MARKER
from node.engine.snapshot_error import SnapshotError
from node.storage.errors import StorageError
from node.surroundings import Surroundings

ROOT = Path("/node")
JOURNAL = ROOT / "journal"
DAMAGED = -1
"""In place of an errno: the disk was damaged at rest, and the node must refuse it."""
_PREEMPTED_NS = 400_000


class Watcher(Protocol):
    """Who is told what happens to hosts."""

    def note(self, lane: str, kind: str, text: str) -> None:
        """Hear of something for the timeline."""

    def started(self, host: "Host") -> None:
        """Hear that a node runs, before anything happens in it."""

    def stopped_itself(self, host: "Host", event: str, error: BaseException | None) -> None:
        """Hear that a node has ended its own process."""

    def broke_promise(self, host: "Host", what: str) -> None:
        """Hear that something counts as durable and is not, or goes on behind a failed disk."""

    def refused_to_start(self, host: "Host", error: Exception) -> None:
        """Hear that a node found its disk unusable."""

    def uncaught(self, host: "Host", report: dict[str, Any]) -> None:
        """Hear of an exception that nobody has caught."""


class VirtualDiskThread:
    """Runs flushes one after the other, each as long as the host's disk takes."""

    def __init__(
        self,
        host: "Host",
        done: Callable[[Flush, int], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Report to the loop of the process that `host` runs now."""
        self._host = host
        self._loop = host.loop
        self._done = done
        self._failed = failed
        self.running: Flush | None = None

    def submit(self, flush: Flush) -> None:
        """Start the flush; the journal never has two."""
        assert self.running is None
        self.running = flush
        took_ns = self._host.sync_ns()
        self._host.scheduler.after(took_ns, lambda: self._run(flush, took_ns))

    def _run(self, flush: Flush, took_ns: int) -> None:
        if not self._loop.alive or self.running is not flush:
            return  # It ended with its process, or `stop` has run it.
        self.running = None
        self._loop.run_inside(lambda: self._finish(flush, took_ns))

    def _finish(self, flush: Flush, took_ns: int) -> None:
        try:
            flush.run()
        except OSError as error:
            self._failed(error)  # Which ends the process.
        self._host.look_at_journal()
        self._host.durable_log.take(flush._records)  # noqa: SLF001 - what is on the disk now
        self._loop.call_soon(self._done, flush, took_ns)

    def stop(self) -> None:
        """Run what was submitted at once."""
        flush, self.running = self.running, None
        if flush is not None:
            self._finish(flush, 0)


class Host:
    """A machine that outlives its processes."""

    def __init__(
        self,
        number: int,
        setting: Setting,
        scheduler: Scheduler,
        network: Network,
        random: Random,
        watcher: Watcher,
    ) -> None:
        """Own an empty disk; nothing runs."""
        self.number = number
        self.setting = setting
        self.scheduler = scheduler
        self.network = network
        self.random = random
        self.watcher = watcher
        self.address = setting.address(number)
        self.disk = SimulatedDisk(random)
        self.store = SimulatedStore(ROOT, self.disk)
        self.durable_log = DurableLog(self.disk, JOURNAL)
        self.loop = self._new_loop()
        self.loop.alive = False
        self.node: Assembly | None = None
        self.lives = 0
        self.skew_ns = 0
        self.was_far_off = False
        """Whether its wall clock was ever wrong by hours."""
        self._skew_seen: Action | None = None
        self._slowness: dict[int, tuple[int, Action]] = {}
        self._slowed = 0
        self.held_once: dict[int, int] = {}
        """Terms by index of what a disk held durably and lost since: its promises were true."""
        self.snapshot_held = 0
        """Up to here, a snapshot that was lost since held everything."""
        self.excused = 0
        """The errno with which a node of this machine may end, or refuse to start; 0 for none."""
        self.recover_next = False
        self._last_read_ns = 0
        self._thread: VirtualDiskThread | None = None

    @property
    def lane(self) -> str:
        """The host's line in a timeline."""
        return f"node {self.number}"

    @property
    def alive(self) -> bool:
        """Whether a node runs here."""
        return self.loop.alive

    def _new_loop(self) -> VirtualLoop:
        return new_loop(
            self.scheduler,
            self.network,
            self.address,
            self._work_ns,
            lambda report: self.watcher.uncaught(self, report),
        )

    # What the node sees.

    def _work_ns(self) -> int:
        return 200_000 + self.random.randrange(5_000_000)

    def sync_ns(self) -> int:
        """Draw how long one sync takes: longer by all that slows the disk down."""
        took_ns = self.random.choice((150_000, 200_000, 500_000, 4_000_000))
        for slow_ns, felt in self._slowness.values():
            took_ns += slow_ns
            felt()
        return took_ns

    def _monotonic_ns(self) -> int:
        """Return a clock that creeps with each look, and now and then as if preempted."""
        step = _PREEMPTED_NS if self.random.random() < 0.02 else 500
        read_ns = self._last_read_ns + step
        now_ns = self.scheduler.now_ns
        self._last_read_ns = read_ns = max(now_ns, read_ns)
        return read_ns

    def _wall_ns(self) -> int:
        if self._skew_seen is not None:
            self._skew_seen()
            self._skew_seen = None
        return self.setting.epoch_ns + self.scheduler.now_ns + self.skew_ns

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            self._monotonic_ns, self._wall_ns, self.random.randbytes, Random(self.random.random())
        )

    def _make_disk(
        self, done: Callable[[Flush, int], None], failed: Callable[[BaseException], None]
    ) -> VirtualDiskThread:
        self._thread = VirtualDiskThread(self, done, failed)
        return self._thread

    def _stop(self, event: str, error: BaseException | None = None, **_facts: object) -> NoReturn:
        loop = self.loop
        if loop.alive:
            self._end_process(silent=False)
            self.disk.kill()
            self.watcher.stopped_itself(self, event, error)
        raise ProcessEndedError(event)

    # Life.

    def start(self) -> None:
        """Start a node process on what the disk holds."""
        if self.alive:
            return
        self.lives += 1
        self.network.power_up(self.address)
        self.loop = self._new_loop()
        self._last_read_ns = 0
        self.store.reopen()
        recovering, self.recover_next = self.recover_next, False
        self.loop.run_inside(lambda: self._assemble(recovering=recovering))

    def _assemble(self, *, recovering: bool) -> None:
        ground = Ground(
            ROOT, self.store, self.disk, self._make_disk, self._surroundings(), self._stop
        )
        setting = self.setting
        try:
            self.node = Assembly(
                setting.config(self.number),
                setting.genesis,
                setting.cluster_key,
                ground,
                setting.timing,
                recovering=recovering,
            )
        except (ConsensusError, SnapshotError, StorageError, OSError) as error:
            self._end_process(silent=False)
            self.disk.kill()
            self.watcher.refused_to_start(self, error)
            return
        self.durable_log.forget()
        self.watcher.started(self)
        self.loop.create_task(self.node.start())

    def _end_process(self, *, silent: bool) -> None:
        self.loop.kill()
        self.network.end_process(self.loop, silent=silent)
        self.node = None
        self.durable_log.forget()

    def look_at_journal(self) -> None:
        """Hold a flush that is about to count as durable against what the disk has."""
        for path in self.disk.paths(JOURNAL):
            if not self.disk.is_durable(path):
                self.watcher.broke_promise(self, f"{path.name} counts as durable and is not")

    def set_clock(self, skew_ns: int, seen: Action | None = None) -> None:
        """Set the wall clock wrong by `skew_ns`; `seen` hears when a node first looks at it."""
        self.skew_ns = skew_ns
        self._skew_seen = seen

    def slow_disk_down(self, slow_ns: int, felt: Action) -> Action:
        """Have syncs take longer until the returned action is called; other slowness stays.

        `felt` hears of every sync that took longer.
        """
        self._slowed = number = self._slowed + 1
        self._slowness[number] = slow_ns, felt

        def end() -> None:
            self._slowness.pop(number, None)

        return end

    def heal(self) -> None:
        """End all faults of the machine, and start what does not run."""
        self.repair()
        self._slowness.clear()
        self.set_clock(0)
        if self.loop.paused:
            self.loop.resume()
        self.start()

    def repair(self) -> None:
        """End the failures of the disk; from now on nothing excuses a node that ends itself."""
        self.disk.repair()
        self.excused = 0

    def kill(self) -> None:
        """End the process, in the middle of a flush perhaps: the kernel keeps what was written."""
        running = self._thread.running if self._thread is not None else None
        self._end_process(silent=False)
        self._stop_inside(running)
        self.disk.kill()

    def lose_power(self) -> None:
        """End the process; what was not synced is lost, in the middle of a flush perhaps."""
        running = self._thread.running if self._thread is not None else None
        self._end_process(silent=True)
        self._stop_inside(running)
        self.disk.lose_power()

    def _stop_inside(self, flush: Flush | None) -> None:
        """Let a flush that was under way get as far as it may have got."""
        if flush is not None and self.random.random() < 0.7:
            self.disk.operations_left = self.random.randint(0, 4)
            with contextlib.suppress(OSError):
                flush.run()

    def note_holdings(self) -> None:
        """Remember how far the disk reaches, before it is damaged."""
        entries: list[Entry] = []
        if self.node is not None:
            journal = self.node.replica.journal
            entries = [one for one in journal.entries if one[1] <= journal.synced_index]
        else:
            with contextlib.suppress(ConsensusError):
                entries = recover(self.disk, JOURNAL).entries
        self.held_once.update((index, term) for _payload, index, term in entries)
        latest = self.store.latest()
        if latest is not None:
            self.snapshot_held = max(self.snapshot_held, latest.index)

    def lose_disk(self) -> None:
        """Replace the disk by an empty one; the next start recovers, as an operator would."""
        self.note_holdings()
        self.disk.wipe()
        self.durable_log.forget()
        self.store.lose()
        self.recover_next = True

    # What is on the disk.

    @property
    def misses_promises(self) -> bool:
        """Whether a node here does not vote, or will not when it starts: it must catch up first."""
        if self.recover_next or self.disk.exists(ROOT / RECOVERING_MARKER):
            return True
        latest = self.store.latest()
        if latest is None:
            return False
        if self.node is not None:
            journal = self.node.replica.journal
            return journal.term < latest.term or not journal.term_is_durable
        try:
            return recover(self.disk, JOURNAL).term < latest.term
        except ConsensusError:
            return True  # The next start says so.

    def holds(self, index: int, term: int) -> bool:
        """Tell whether a power loss now would leave the entry of `term` at `index` here."""
        if index <= self.snapshot_held or self.held_once.get(index) == term:
            return True
        latest = self.store.latest()
        if latest is not None and latest.index >= index:
            return True
        return self.durable_log.holds(index, term)
