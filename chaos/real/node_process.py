"""One node of a run as a process: start, signal, watch; it restarts only when told."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from chaos.real.belongings import Belongings
from chaos.real.site import Site, owned_environment
from cluster.deployment import Deployment
from cluster.status import NodeStatus, fetch_status

_POLL_SECONDS: Final = 0.02
_KILL_SECONDS: Final = 10.0
START_SECONDS_MAX: Final = 45.0

STOPPED: Final = 0
FAIL_STOPPED: Final = 70
"""It cannot go on, or refuses to begin, and says why."""
KILLED: Final = -signal.SIGKILL
ANY_END: Final = range(-signal.NSIG, 256)
"""For a node whose machine is gone: how its process ends says nothing."""
_LINES_MOST: Final = 3
_LINE_CHARACTERS_MOST: Final = 400


class NodeFailedError(Exception):
    """A node did something that it should not; the message says what."""


class End(NamedTuple):
    """How a node's process ended, and what it said last."""

    code: int
    words: str


class NodeProcess:
    """A node whose process this run owns."""

    def __init__(
        self, deployment: Deployment, number: int, site: Site, belongings: Belongings
    ) -> None:
        """Prepare; nothing is started yet."""
        self.number: Final = number
        self.deployment: Final = deployment
        self.folder: Final = deployment.folder(number)
        self.environment: dict[str, str] = {}
        """More of it for the next start."""
        self._site = site
        self._belongings = belongings
        self._process: subprocess.Popen[bytes] | None = None
        self._ticket = 0
        self._said_before = 0
        """How long the file of what it says was when the process started."""
        self._ends: list[End] = []
        self._taken: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; 0 when it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else 0

    @property
    def exit_code(self) -> int | None:
        """How the last process ended; None while it runs."""
        return self._process.poll() if self._process is not None else 0

    # Starting.

    def spawn(self, *, recover: bool = False) -> None:
        """Start the process and return at once."""
        assert not self.pid, f"node {self.number} runs already"
        words = [sys.executable, "-m", "node", "--config", str(self.folder / "node.toml")]
        if recover:
            words.append("--recover")
        self._note_end()
        self._said_before = self._errors_size()
        self._belongings.remove(self._ticket)
        self._ticket = self._belongings.add(f"process of node {self.number}", self._end)
        with self._errors_file().open("ab") as errors:
            self._process = subprocess.Popen(
                self._site.command(self.number, words),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
                env=owned_environment(self.environment),
            )

    async def start(self, *, recover: bool = False) -> None:
        """Start the node and return once it answers. Raises NodeFailedError when it does not."""
        self.spawn(recover=recover)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS_MAX
        while await self.status() is None:
            if self.exit_code is not None:
                raise NodeFailedError(
                    f"node {self.number} ended with code {self.exit_code}: {self.last_words()}"
                )
            if loop.time() > deadline:
                raise NodeFailedError(
                    f"node {self.number} did not answer within {START_SECONDS_MAX:.0f} s"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def start_or_refuse(self) -> End | None:
        """Start the node; return None once it answers, or its end when it refuses to run.

        Its words are those of this start only. Raises NodeFailedError when it does neither.
        """
        try:
            await self.start()
        except NodeFailedError:
            code = self.exit_code
            if code is None:
                raise
            return End(code, self.last_words())
        return None

    # Ending.

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if the node runs."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self, seconds: float) -> int | None:
        """Wait until the process has ended and return its code; None when it still runs then."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self.exit_code is None and loop.time() < deadline:  # noqa: ASYNC110 - a process
            await asyncio.sleep(_POLL_SECONDS)
        return self.exit_code

    async def kill(self) -> None:
        """End the process at once: it gets to say and to write nothing more."""
        self.signal(signal.SIGKILL)
        await self.ended(_KILL_SECONDS)

    async def stop(self, seconds: float = 20.0) -> int | None:
        """Ask the node to stop and return its code; None when it had to be killed after `seconds`.

        A paused one is woken up first.
        """
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        code = await self.ended(seconds)
        if code is None:
            await self.kill()
        return code

    def take_ends(self) -> list[End]:
        """Return how its processes have ended since this was last asked, each once."""
        self._note_end()
        ends, self._ends = self._ends, []
        return ends

    def _note_end(self) -> None:
        process = self._process
        if process is None or process is self._taken or process.poll() is None:
            return
        self._taken = process
        self._ends.append(End(process.returncode, self._last_lines()))

    def _end(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait(_KILL_SECONDS)

    # Looking.

    async def status(self) -> NodeStatus | None:
        """Return what the node says of itself; None when it does not answer."""
        member = self.deployment.member(self.number)
        return await self._site.ask(self.number, lambda: fetch_status(self.deployment, member))

    def last_words(self) -> str:
        """Return the last line that the process, or the last one, has said on standard error."""
        lines = _lines(self._errors_file(), self._said_before)
        return lines[-1] if lines else "it said nothing"

    def _last_lines(self) -> str:
        """Return the ends of what the process said and of the node's log."""
        said = _lines(self._errors_file(), self._said_before)[-_LINES_MOST:]
        logged = _lines(self.folder / "log" / "node.jsonl", 0)[-_LINES_MOST:]
        lines = [*(said or ["it said nothing"]), *logged]
        return " / ".join(line[:_LINE_CHARACTERS_MOST] for line in lines)

    def _errors_file(self) -> Path:
        return self.folder / "log" / "stderr.log"

    def _errors_size(self) -> int:
        file = self._errors_file()
        return file.stat().st_size if file.exists() else 0


def _lines(file: Path, since: int) -> list[str]:
    """Return the lines of `file` behind its first `since` bytes, as far as they can be read."""
    try:
        content = file.read_bytes()[since:]
    except OSError:  # Its disk may be without power.
        return []
    # A power cut may leave the end of a file that was not synced as zeroes.
    return content.replace(b"\0", b"").decode(errors="replace").strip().splitlines()
