"""Power losses, one after the other: trade, cut, look at what survived, start again, compare.

A cluster goes through several losses before it is judged as a whole and a new one takes its place.
Where the journal's fdatasync is taken away the first loss of an acknowledgement ends a cluster.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Final

from chaos.checkers.judgement import judge
from chaos.disks.ext4_disk import Ext4Disk
from chaos.disks.forgetful_disk import ForgetfulDisk
from chaos.disks.forgetful_files import PowerLoss
from chaos.disks.power import PowerDisk
from chaos.disks.powered_cluster import NodesFailedError, PoweredCluster
from chaos.disks.survivors import Survivors, inspect_survivors
from chaos.disks.traders import TraderError, Traders
from chaos.history import write_history
from chaos.report.run_report import Moment, Operations
from cluster.demonstration import free_base_port
from cluster.deployment import Plan

LOSSES_PER_CLUSTER: Final = 10
SERVE_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 30.0
_SYNC_MS: Final = (0, 0, 2, 10)
_TRADE_SECONDS: Final = (0.05, 0.45)
_START_SECONDS: Final = (0.1, 1.5)
_START_CUT_SHARE: Final = 0.15
"""How often the power goes again while the nodes start."""
_CHECKPOINT_SHARE: Final = 0.4
"""How often a checkpoint is asked for just before the power goes."""


class DiskKind(StrEnum):
    """On what the nodes' data lies."""

    FUSE = "fuse"
    EXT4 = "ext4"


class Outcome(StrEnum):
    """How one time ended."""

    HELD = "held"
    LOST = "lost"
    """Something acknowledged was not there afterwards, or not as it was told."""
    THIN = "too few"
    """All of it was there, and some on no majority of the disks."""
    REFUSED = "refused"
    """A node did not start from what survived, or the cluster did not go on."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to happen."""

    disk: DiskKind
    nodes: int
    seed: int
    without_fdatasync: bool = False


@dataclass(slots=True)
class Tally:
    """What happened in all times so far."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    findings: list[tuple[int, str, list[str]]] = field(default_factory=list)
    """The time, in one sentence what was wrong, and details."""
    faults: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    operations: Operations = field(default_factory=Operations)
    recoveries_ms: list[float] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def times(self) -> int:
        """How often the power was cut and everything looked at."""
        return sum(self.outcomes.values())


class PowerLosses:
    """Runs a scene as often as it is told to, in a folder that somebody else takes down."""

    def __init__(
        self, scene: Scene, folder: Path, evidence: Path, say: Callable[[str], None]
    ) -> None:
        """Work in `folder`; copy what shows a violation to `evidence`; `say` each time's result."""
        self._scene = scene
        self._folder = folder
        self._evidence = evidence
        self._say = say
        self._random = Random(scene.seed)
        self._clusters = 0
        self._began = 0.0
        self.tally: Final = Tally()

    def run(self, times: int) -> Tally:
        """Cut the power so many times. Raises DiskUnavailableError when there is no such disk."""
        self._began = time.monotonic()
        while self.tally.times < times:
            self._clusters += 1
            left = min(LOSSES_PER_CLUSTER, times - self.tally.times)
            with ExitStack() as stack:
                place = self._folder / f"cluster-{self._clusters}"
                place.mkdir()
                _Cluster(self._scene, place, stack, self._random, self).live(left)
            shutil.rmtree(place)
        self.tally.seconds = time.monotonic() - self._began
        return self.tally

    def note(self, lane: str, kind: str, text: str) -> None:
        """Put a moment on the timeline."""
        self.tally.moments.append(Moment(self._now_ms(), lane, kind, text))

    def _now_ms(self) -> float:
        return (time.monotonic() - self._began) * 1_000

    def end_time(self, outcome: Outcome, began: float, what: str) -> None:
        """Count one time and say what it came to."""
        self.tally.outcomes[outcome] += 1
        seconds = time.monotonic() - began
        self._say(f"{self.tally.times:4}  {outcome:8} {seconds:5.1f} s  {what}")

    def violate(self, what: str, details: list[str], evidence: Path) -> None:
        """Take down what was wrong, and keep what shows it."""
        number = self.tally.times + 1
        self.note("clients", "violation", what)
        if not self._scene.without_fdatasync:
            target = self._evidence / f"{self._scene.disk}-{self._scene.seed}-{number}"
            shutil.copytree(evidence, target, symlinks=True, dirs_exist_ok=True)
            details = [*details, f"what survived is in {target}"]
        self.tally.findings.append((number, what, details))


class _Cluster:
    """One cluster on one disk, through several power losses."""

    def __init__(
        self, scene: Scene, place: Path, stack: ExitStack, random: Random, run: PowerLosses
    ) -> None:
        self._random = random
        self._run = run
        self._tally = run.tally
        self._evidence = place / "evidence"
        self._evidence.mkdir()
        self._seed = random.getrandbits(32)
        self._forgetful: ForgetfulDisk | None = None
        disk: PowerDisk
        if scene.disk is DiskKind.FUSE:
            self._forgetful = ForgetfulDisk(place / "disk", seed=self._seed)
            disk = stack.enter_context(self._forgetful)
        else:
            disk = stack.enter_context(Ext4Disk(place / "disk", place / "image", seed=self._seed))
        self._cluster = PoweredCluster(
            disk,
            place / "logs",
            Plan(scene.nodes, free_base_port(), "default"),
            without_fdatasync=scene.without_fdatasync,
        )
        stack.callback(self._cluster.kill)
        self._traders = stack.enter_context(Traders(self._cluster.deployment, self._seed))

    def live(self, times: int) -> None:
        """Go through `times` losses, fewer when something is lost, and be judged."""
        began = time.monotonic()
        try:
            self._cluster.start(self._random)
            self._cluster.await_serving(SERVE_SECONDS)
            self._traders.prepare()
        except (NodesFailedError, TraderError) as error:
            self._keep("never-started")
            self._run.violate("a new cluster did not start", [str(error)], self._evidence)
            self._run.end_time(Outcome.REFUSED, began, str(error))
            return
        for number in range(times):
            began = time.monotonic()
            outcome, what = self._one_time()
            self._run.end_time(outcome, began, what)
            if outcome is not Outcome.HELD:
                self._count_operations()
                return
            if self._traders.is_exhausted and number + 1 < times:
                break
        self._cluster.stop(SETTLE_SECONDS)
        self._judge()

    def _one_time(self) -> tuple[Outcome, str]:
        """Trade, cut, look, start again, compare; return how it ended, in words too."""
        self._trade_and_cut()
        survivors = self._look()
        if survivors.findings:
            return self._fail(survivors)
        while self._random.random() < _START_CUT_SHARE:
            self._cut_while_starting()
            survivors = self._look()
            if survivors.findings:
                return self._fail(survivors)
        self._keep("survived")
        try:
            self._start_again()
        except (NodesFailedError, TraderError) as error:
            self._keep("started-again")
            what = "the cluster did not go on after a power loss"
            self._run.violate(what, [str(error)], self._evidence)
            return Outcome.REFUSED, str(error)
        return Outcome.HELD, (
            f"{survivors.acknowledged:,} acknowledged so far, {survivors.commands:,} in the log, "
            f"{survivors.torn_tails} torn tails"
        )

    def _keep(self, name: str) -> None:
        """Copy the nodes' data as it is now, in place of an earlier copy of that name."""
        target = self._evidence / name
        if target.exists():
            shutil.rmtree(target)
        self._cluster.copy_to(target)

    def _trade_and_cut(self) -> None:
        if self._forgetful is not None:
            # The longer a sync takes, the more often the power goes in the middle of one.
            self._forgetful.slow_down(self._random.choice(_SYNC_MS))
        self._traders.trade()
        time.sleep(self._random.uniform(*_TRADE_SECONDS))
        if self._random.random() < _CHECKPOINT_SHARE:
            self._traders.ask_for_checkpoint()
            time.sleep(self._random.uniform(0.0, 0.1))
        self._cut("power loss")
        self._traders.hold()

    def _cut_while_starting(self) -> None:
        self._cluster.start(self._random)
        time.sleep(self._random.uniform(*_START_SECONDS))
        self._cut("power loss while starting")

    def _cut(self, kind: str) -> None:
        loss = self._cluster.cut_power()
        self._tally.faults[kind] += 1
        self._run.note("disk", "power", kind)
        if isinstance(loss, PowerLoss):
            self._tally.faults["files with lost bytes"] += loss.files_torn
            self._tally.faults["lost changes of names"] += loss.names_lost

    def _look(self) -> Survivors:
        """Look at the disk as the power loss left it."""
        survivors = inspect_survivors(
            self._cluster.folders, self._cluster.genesis, self._traders.operations()
        )
        self._tally.checks["acknowledgements looked for"] += survivors.acknowledged
        self._tally.checks["journals read after a loss"] += len(self._cluster.folders)
        self._tally.faults["torn journal tails"] += survivors.torn_tails
        return survivors

    def _fail(self, survivors: Survivors) -> tuple[Outcome, str]:
        operations = self._tally.operations
        operations.lost += survivors.lost
        operations.altered += survivors.altered
        lost = survivors.lost or survivors.altered
        what = (
            f"{survivors.lost} of {survivors.acknowledged} acknowledged commands are lost, "
            f"{survivors.altered} altered"
            if lost
            else survivors.findings[0]
        )
        self._keep("survived")
        self._run.violate(what, survivors.findings, self._evidence)
        if lost:
            return Outcome.LOST, what
        return (Outcome.REFUSED if survivors.refused else Outcome.THIN), what

    def _start_again(self) -> None:
        """Start from what survived: all nodes serve and agree, all clients get their replies."""
        before = self._traders.repeated  # A client may be back before we see that nodes serve.
        began = time.monotonic()
        self._cluster.start(self._random)
        self._cluster.await_serving(SERVE_SECONDS)
        self._tally.recoveries_ms.append((time.monotonic() - began) * 1_000)
        self._run.note("nodes", "serving", "all nodes serve again")
        self._traders.settle(SETTLE_SECONDS)
        self._cluster.await_agreement(SETTLE_SECONDS)
        self._tally.checks["replies asked for again"] += self._traders.repeated - before
        self._tally.checks["nodes that agree after a loss"] += len(self._cluster.folders)

    def _judge(self) -> None:
        """Judge the stopped nodes by everything that the clients saw."""
        history = self._evidence / "history.jsonl"
        write_history(history, self._traders.operations())
        judgement = judge([history], self._cluster.folders, genesis=self._cluster.genesis)
        for name in Operations.__struct_fields__:
            value = getattr(self._tally.operations, name) + getattr(judgement.operations, name)
            setattr(self._tally.operations, name, value)
        for invariant, count in judgement.checks.items():
            self._tally.checks[invariant] += count
        if judgement.findings:
            self._keep("stopped")
        for finding in judgement.findings:
            self._run.violate(finding.invariant, [finding.what], self._evidence)

    def _count_operations(self) -> None:
        for operation in self._traders.operations():
            counts = self._tally.operations
            if operation.log_index and not operation.code:
                counts.acknowledged += 1
            elif operation.log_index:
                counts.rejected += 1
            else:
                counts.unknown += 1
