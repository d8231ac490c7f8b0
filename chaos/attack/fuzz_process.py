"""A process that feeds batches to one decoder: what ends or hangs it does not end the attack.

`python -m chaos.attack.fuzz_process TARGET SEED FIRST SECONDS EXECUTIONS`: one JSON line when a
batch begins to count (twice a second at most), one for each finding, one at the end. With FIRST as
`=N` it feeds batch N alone, saying each input before it is fed: that names an input which kills.
"""

import ctypes
import json
import logging
import resource
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog

from chaos.attack.target import Target
from chaos.attack.targets import all_targets, inputs_of

MEMORY_BYTES_MAX: Final = 1 << 30
"""What a process may take beyond what it has before the first input."""
FINDINGS_MAX: Final = 5
_SAY_SECONDS: Final = 0.5
_PR_SET_PDEATHSIG: Final = 1


def main(arguments: Sequence[str]) -> None:
    """Run as the module says."""
    name, seed, first, seconds, executions = arguments
    confine()
    target = all_targets()[name]
    if first.startswith("="):
        _one_by_one(target, inputs_of(target, seed, int(first[1:])))
        return
    _run(target, seed, int(first), float(seconds), int(executions))


def confine() -> None:
    """Die with the parent, log nothing, and raise MemoryError where an input asks for a lot."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - no path, the kernel's word
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY_BYTES_MAX, hard))


def failing_input(target: Target, inputs: Sequence[bytes]) -> tuple[bytes, str] | None:
    """Return the first input that breaks a promise, and how; None when none does alone."""
    for data in inputs:
        try:
            target.judge([data])
        except Exception as error:  # noqa: BLE001 - what comes out of it is the finding
            return data, f"{type(error).__name__}: {error}"
    return None


def _run(target: Target, seed: str, first: int, seconds: float, most: int) -> None:
    started = time.monotonic()
    said = 0.0
    batch, done, findings = first, 0, 0
    while done < most and time.monotonic() - started < seconds and findings < FINDINGS_MAX:
        now = time.monotonic()
        if now - said > _SAY_SECONDS:
            said = now
            _say(target, batch, done)
        inputs = inputs_of(target, seed, batch)
        try:
            target.judge(inputs)
        except Exception as error:  # noqa: BLE001 - what comes out of it is the finding
            found = failing_input(target, inputs)
            data, how = found or (b"".join(inputs), f"only as a batch: {error!r}")
            _write({"finding": data.hex(), "how": how, "batch": batch})
            findings += 1
        done += len(inputs)
        batch += 1
    _say(target, batch, done, ended=True)


def _one_by_one(target: Target, inputs: Sequence[bytes]) -> None:
    for place, data in enumerate(inputs):
        _write({"input": place})
        failing_input(target, [data])


def _say(target: Target, batch: int, done: int, *, ended: bool = False) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _write(
        {
            "target": target.name,
            "batch": batch,
            "executions": done,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "rss_kib": usage.ru_maxrss,
            "ended": ended,
        }
    )


def _write(fields: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
