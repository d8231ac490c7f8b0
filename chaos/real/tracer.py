"""strace at work on a running node: chosen system calls fail, are late, or are the last ones.

Needs root; attaches and detaches without the node's help.
"""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from chaos.real.belongings import Belongings
from chaos.real.cluster_nodes import UnsuitableError
from chaos.real.site import owned_environment

_INJECTED: Final = b"(INJECTED)"
_DELAYED: Final = b"(DELAYED)"
_POLL_SECONDS: Final = 0.02
_ATTACH_SECONDS: Final = 5.0
_DETACH_SECONDS: Final = 10.0


class Tracer:
    """One strace process and what it has written."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        """Watch `process`, which writes to `output`."""
        self._process = process
        self._output = output

    @property
    def injected(self) -> int:
        """How many calls have been tampered with so far."""
        content = self._output.read_bytes() if self._output.exists() else b""
        return content.count(_INJECTED) + content.count(_DELAYED)

    async def await_injection(self, seconds: float) -> bool:
        """Wait until a call has been tampered with; return whether one was within `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not self.injected and loop.time() < deadline:  # noqa: ASYNC110 - a file
            await asyncio.sleep(_POLL_SECONDS)
        return bool(self.injected)

    async def attached(self, pid: int) -> None:
        """Return once the node is traced. Raises UnsuitableError when it is not soon."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _ATTACH_SECONDS
        while not _is_traced(pid):
            if self._process.poll() is not None or loop.time() > deadline:
                raise UnsuitableError("the node cannot be traced just now")
            await asyncio.sleep(_POLL_SECONDS)

    async def detach(self) -> None:
        """Let the node go."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        await asyncio.to_thread(self._process.wait, _DETACH_SECONDS)


@asynccontextmanager
async def tampering(
    pid: int, injection: str, folder: Path, belongings: Belongings
) -> AsyncIterator[Tracer]:
    """Tamper with a process's calls meanwhile; `injection` is what strace's `-e inject=` takes."""
    output = folder / f"strace-{pid}.txt"
    output.unlink(missing_ok=True)
    calls = injection.partition(":")[0]
    started: list[subprocess.Popen[bytes]] = []
    ticket = belongings.add(f"strace of process {pid}", lambda: _end(started))
    started.append(_attach(pid, calls, injection, output))
    tracer = Tracer(started[0], output)
    try:
        await tracer.attached(pid)
        yield tracer
    finally:
        await tracer.detach()
        belongings.remove(ticket)
        output.unlink(missing_ok=True)


def _attach(pid: int, calls: str, injection: str, output: Path) -> "subprocess.Popen[bytes]":
    words = ["strace", "-f", "-qq", "-p", str(pid), "-o", str(output)]
    words += ["-e", f"trace={calls}", "-e", "signal=none", "-e", f"inject={injection}"]
    return subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=owned_environment(),
    )


def _is_traced(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    return any(line.startswith("TracerPid:") and line.split()[1] != "0" for line in lines)


def _end(started: "list[subprocess.Popen[bytes]]") -> None:
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait(_DETACH_SECONDS)
