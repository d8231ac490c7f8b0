"""The attack on decoders: processes that feed them, watched from outside, slice by slice."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chaos.attack.fuzz_state import FuzzState, Progress, save_finding, save_state
from chaos.attack.target import Target
from chaos.attack.targets import all_targets, inputs_of
from chaos.invocation import invocation
from chaos.report.run_report import Violation

HANG_SECONDS: Final = 30.0
"""A batch takes tens of milliseconds: without a word for so long, an input has hung its decoder."""
_SLICE_SECONDS_MAX: Final = 30.0
_SLICE_SECONDS_LEAST: Final = 0.2
_START_SECONDS: Final = 0.7
"""About what a process takes before its first input."""


@dataclass(slots=True)
class Running:
    """One process that feeds one decoder, and what it has said so far."""

    target: Target
    process: "subprocess.Popen[bytes]"
    heard: float
    batch: int
    rest: bytes = b""
    executions: int = 0
    cpu_seconds: float = 0.0
    rss_kib: int = 0
    ended: bool = False
    findings: list[dict[str, Any]] = field(default_factory=list)

    def take(self, data: bytes, now: float) -> None:
        """Note what the process said."""
        self.heard = now
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "finding" in said:
                self.findings.append(said)
                continue
            self.batch = said["batch"]
            self.executions = said["executions"]
            self.cpu_seconds = said["cpu_seconds"]
            self.rss_kib = said["rss_kib"]
            self.ended = said["ended"]


class Fuzzing:
    """One run of the attack: slices of every target in turn, until time or count is reached."""

    def __init__(self, state: FuzzState, folder: Path, say: Callable[[str], None]) -> None:
        """Go on from `state`, which is kept in `folder` after every slice."""
        self.state = state
        self.violations: list[Violation] = []
        self._folder = folder
        self._say = say
        self.executions = 0
        """Of this run."""
        self.cpu_seconds = 0.0
        self.elapsed_seconds = 0.0

    def run(self, names: list[str], seconds: float, executions: int, jobs: int) -> None:
        """Attack the targets called `names` for `seconds`, or until `executions` were made."""
        targets = all_targets()
        started = time.monotonic()
        each = seconds * jobs / len(names) - _START_SECONDS
        slice_seconds = min(_SLICE_SECONDS_MAX, max(_SLICE_SECONDS_LEAST, each))
        rounds = 0
        try:
            while rounds == 0 or time.monotonic() - started < seconds:
                for first in range(0, len(names), jobs):
                    left = max(seconds - (time.monotonic() - started), _SLICE_SECONDS_LEAST)
                    wanted = executions - self.executions
                    if wanted <= 0 or len(self.violations) >= len(names):
                        return
                    chosen = [targets[name] for name in names[first : first + jobs]]
                    self._slice(chosen, min(left, slice_seconds), -(-wanted // len(chosen)))
                rounds += 1
        finally:
            self.elapsed_seconds = time.monotonic() - started
            save_state(self._folder, self.state)

    def _slice(self, chosen: list[Target], seconds: float, executions: int) -> None:
        """Feed each of `chosen` in a process of its own, and take what they found."""
        with selectors.DefaultSelector() as selector:
            with self._started(chosen, seconds, executions) as running:
                for one in running:
                    assert one.process.stdout is not None
                    selector.register(one.process.stdout, selectors.EVENT_READ, one)
                _listen(selector)
            for one in running:
                self._conclude(one)
        save_state(self._folder, self.state)

    @contextmanager
    def _started(
        self, chosen: list[Target], seconds: float, executions: int
    ) -> Iterator[list[Running]]:
        running: list[Running] = []
        try:
            for target in chosen:
                batch = self.state.of(target.name, target.digest()).next_batch
                process = feeder(target.name, self.state.seed, str(batch), seconds, executions)
                running.append(Running(target, process, time.monotonic(), batch))
            yield running
        finally:
            for one in running:
                one.process.kill()
                one.process.wait()
                assert one.process.stdout is not None
                one.process.stdout.close()

    def _conclude(self, one: Running) -> None:
        progress = self.state.of(one.target.name, one.target.digest())
        progress.executions += one.executions
        progress.next_batch = max(progress.next_batch, one.batch)
        progress.cpu_seconds += one.cpu_seconds
        progress.rss_kib = max(progress.rss_kib, one.rss_kib)
        self.executions += one.executions
        self.cpu_seconds += one.cpu_seconds
        for said in one.findings:
            self._found(
                one.target, progress, said["batch"], bytes.fromhex(said["finding"]), said["how"]
            )
        if not one.ended and not one.findings:
            self._killed(one, progress)
        name, total = one.target.name, progress.executions
        self._say(f"{name}: {one.executions:,} executions, {total:,} in all")

    def _killed(self, one: Running, progress: Progress) -> None:
        """Find the input that ended or hung a process, feeding the last batches one by one."""
        code = one.process.returncode
        how = "hung" if code == -9 else f"ended its process with code {code}"
        for batch in range(one.batch, one.batch + 400):
            place = killing_input(one.target.name, self.state.seed, batch)
            if place is not None:
                data = inputs_of(one.target, self.state.seed, batch)[place]
                self._found(one.target, progress, batch, data, how)
                progress.next_batch = batch + 1
                return
        self._found(one.target, progress, one.batch, b"", f"{how}, but not when fed again")
        progress.next_batch = one.batch + 400

    def _found(self, target: Target, progress: Progress, batch: int, data: bytes, how: str) -> None:
        progress.findings += 1
        file = save_finding(self._folder, target.name, batch, data)
        self.violations.append(
            Violation(
                f"parsers: {target.name}",
                f"{how} (input of {len(data)} bytes: {data[:32].hex()}...)",
                invocation("attack", "fuzz", "--target", target.name, "--replay", str(file)),
            )
        )
        self._say(f"{target.name}: FOUND {how}")


def feeder(
    name: str, seed: str, first: str, seconds: float, executions: int
) -> "subprocess.Popen[bytes]":
    """Start a process that feeds the target called `name`."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "chaos.attack.fuzz_process",
            name,
            seed,
            first,
            str(seconds),
            str(executions),
        ],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )


def _listen(selector: selectors.BaseSelector) -> None:
    """Hear all processes out; kill one that says nothing for too long."""
    while selector.get_map():
        for key, _ in selector.select(timeout=1.0):
            data = os.read(key.fd, 1 << 20)
            if data:
                key.data.take(data, time.monotonic())
            else:
                selector.unregister(key.fileobj)
                key.data.process.wait()
        for key in list(selector.get_map().values()):
            if time.monotonic() - key.data.heard > HANG_SECONDS:
                key.data.process.kill()


def killing_input(name: str, seed: str, batch: int) -> int | None:
    """Return the place of the input in a batch that ends or hangs its process, or None."""
    process = feeder(name, seed, f"={batch}", 0, 0)
    try:
        output, _ = process.communicate(timeout=HANG_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    if process.returncode == 0:
        return None
    said = [line for line in output.split(b"\n") if line.startswith(b"{")]
    return int(json.loads(said[-1])["input"]) if said else None
