"""One damaged node, started beside its sound peers: what it did about the damage."""

import json
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from chaos.disks.damage import SNAPSHOT_NAME, Damage, DamageKind, Duty
from cluster.deployment import Deployment
from cluster.processes import await_stopped, last_words, spawn_node
from cluster.status import fetch_status

_EXIT_FAILED: Final = 70
_LOOK_SECONDS: Final = 0.02
_AGREE_SECONDS: Final = 120.0
"""Far more than a start takes: on a crowded machine, patience is what tells slow from wrong."""
_SHUT_OUT_SECONDS: Final = 3.0
"""After which a node that its peers refuse is not waited for."""
_TYPED: Final = re.compile(r"^(\w+Error): .{20,}")
_TELLING: Final = ("journal_tail_dropped", "journal_behind_snapshot", "state_replaced")


class Ending(StrEnum):
    """How a trial ended."""

    REFUSED = "refused to start, and said why"
    UNTOUCHED = "started, without effect"
    REPAIRED = "said so, repaired from peers"
    CAUGHT_UP = "repaired from peers"
    SHUT_OUT = "shut out by its peers"
    CRASHED = "ended without a typed error"
    ABSENT = "not back in time"
    WRONG = "differs from its peers"


STARTED: Final = (Ending.UNTOUCHED, Ending.REPAIRED, Ending.CAUGHT_UP)


@dataclass(frozen=True, slots=True)
class Trial:
    """What was done to a node, and what came of it."""

    damage: Damage
    variant: str
    ending: Ending
    said: str
    """The kind of error, or what the log told."""

    @property
    def fault(self) -> str:
        """Return what was damaged and how, in a few words."""
        return f"{self.damage.kind}: {family(self.damage.file)}"

    @property
    def accounted(self) -> bool:
        """Return whether the damage was detected, repaired, or without effect, as is owed."""
        if self.damage.kind is DamageKind.REMOVED and self.damage.file.name == SNAPSHOT_NAME:
            # Without a snapshot only a replay from the genesis can end where the peers are.
            return self.ending in {Ending.REFUSED, Ending.UNTOUCHED}
        return self.ending in _ALLOWED[self.damage.duty]


_ALLOWED: Final = {
    Duty.REFUSE: {Ending.REFUSED},
    Duty.TELL: {Ending.REFUSED, Ending.REPAIRED, Ending.UNTOUCHED},
    Duty.CATCH_UP: {Ending.REFUSED, Ending.REPAIRED, Ending.CAUGHT_UP, Ending.UNTOUCHED},
    Duty.START: {Ending.REFUSED, Ending.UNTOUCHED},
}


def family(file: Path) -> str:
    """Return what kind of file it is, whatever its number."""
    if file.name.startswith("began-"):
        return "mark"
    return "journal segment" if file.suffix == ".journal" else file.name


def restore(pristine: Path, folder: Path) -> None:
    """Make the stopped node's `folder` what it was."""
    shutil.rmtree(folder)
    shutil.copytree(pristine, folder)


def contents(folder: Path) -> tuple[Any, ...] | None:
    """Return what a stopped node's journal promises, None when it cannot be read."""
    from node.audit.directory import read_journal
    from node.audit.verify import UNREADABLE

    try:
        summary, entries = read_journal(folder / "journal")
    except UNREADABLE:
        return None
    hashed = blake3()
    for entry in entries:
        hashed.update(b"%d %d %d " % (entry.index, entry.term, entry.kind))
        hashed.update(entry.payload)
    return (summary.base_index, summary.term, summary.vote, hashed.digest())


class Bench:
    """Where damaged nodes are started: one node's place in a cluster whose other nodes run."""

    def __init__(self, deployment: Deployment, node: int) -> None:
        """Start trials as `node` of the cluster."""
        self.deployment = deployment
        self.node = node
        self._folder = deployment.folder(node)
        self._logs = [
            deployment.folder(member.number) / "log" / "node.jsonl" for member in deployment.members
        ]

    def attempt(self, damage: Damage, variant: str, before: tuple[Any, ...] | None) -> Trial:
        """Start the damaged node, wait for what becomes of it, and end it.

        `before` is what its journal promised before the damage.
        """
        after = contents(self._folder)
        sizes = [log.stat().st_size if log.exists() else 0 for log in self._logs]
        errors = self._folder / "log" / "stderr.log"
        said_before = errors.stat().st_size if errors.exists() else 0
        process = spawn_node(self.deployment, self.node)
        try:
            agreed = self._await(process, sizes)
        finally:
            process.kill()
            process.wait()
            await_stopped(self.deployment, [self.node])
        if agreed is None:
            words = last_words(self.deployment, self.node, said_before)
            typed = _TYPED.match(words)
            if process.returncode == _EXIT_FAILED and typed:
                return Trial(damage, variant, Ending.REFUSED, typed[1])
            return Trial(damage, variant, Ending.CRASHED, f"code {process.returncode}: {words}")
        events = self._events(sizes)
        if not agreed:
            if "peer_refused" in events:
                return Trial(damage, variant, Ending.SHUT_OUT, "peer_refused")
            ending = Ending.WRONG if self._compare() is False else Ending.ABSENT
            return Trial(damage, variant, ending, self._standing())
        told = [event for event in _TELLING if event in events]
        if told:
            return Trial(damage, variant, Ending.REPAIRED, ", ".join(told))
        ending = Ending.UNTOUCHED if after == before is not None else Ending.CAUGHT_UP
        return Trial(damage, variant, ending, "")

    def _await(self, process: "subprocess.Popen[bytes]", sizes: list[int]) -> bool | None:
        """Return whether the node came to agree with its peers; None when it ended."""
        began = time.monotonic()
        while time.monotonic() - began < _AGREE_SECONDS:
            if process.poll() is not None:
                return None
            if self.agrees():
                return True
            late = time.monotonic() - began > _SHUT_OUT_SECONDS
            if late and "peer_refused" in self._events(sizes):
                return False
            time.sleep(_LOOK_SECONDS)
        return False

    def agrees(self) -> bool:
        """Return whether the node has applied as much as the leader, to the same digest."""
        return self._compare() is True

    def _compare(self) -> bool | None:
        """Return whether node and leader, at one index, have one digest; None when they are not."""
        own = fetch_status(self.deployment, self.deployment.member(self.node))
        if own is None:
            return None
        for member in self.deployment.members:
            if member.number != self.node:
                peer = fetch_status(self.deployment, member)
                if peer is not None and peer.role == "leader":
                    if own.applied_index != peer.applied_index:
                        return None
                    return own.chain_digest == peer.chain_digest
        return None

    def rebuild(self) -> str:
        """Start the damaged node with `--recover`; return "" once it agrees and votes again.

        Otherwise what kept it from that.
        """
        process = spawn_node(self.deployment, self.node, recover=True)
        member = self.deployment.member(self.node)
        began = time.monotonic()
        try:
            while time.monotonic() - began < _AGREE_SECONDS:
                if process.poll() is not None:
                    return f"code {process.returncode}: {last_words(self.deployment, self.node)}"
                status = fetch_status(self.deployment, member)
                if status is not None and not status.recovering and self.agrees():
                    return ""
                time.sleep(_LOOK_SECONDS)
            return f"not within {_AGREE_SECONDS:.0f} s: {self._standing()}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            await_stopped(self.deployment, [self.node])

    def _standing(self) -> str:
        status = fetch_status(self.deployment, self.deployment.member(self.node))
        if status is None:
            return "it does not answer"
        return f"{status.words}, at {status.applied_index} with {status.chain_digest[:16]}"

    def _events(self, sizes: list[int]) -> set[str]:
        """Return the names of the events that the nodes have logged behind `sizes`."""
        found = set()
        for log, size in zip(self._logs, sizes, strict=True):
            if not log.exists():
                continue
            with log.open("rb") as file:
                file.seek(size)
                for line in file:
                    try:
                        found.add(str(json.loads(line).get("event")))
                    except ValueError:
                        continue  # A line that is being written.
        return found
