"""One node of a run as a process: start, signal, watch; it restarts only when told."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from chaos.real.belongings import Belongings
from chaos.real.site import Site, owned_environment
from cluster.deployment import Deployment
from cluster.status import NodeStatus, fetch_status

_POLL_SECONDS: Final = 0.02
_KILL_SECONDS: Final = 10.0
START_SECONDS_MAX: Final = 45.0


class NodeFailedError(Exception):
    """A node did something that it should not; the message says what."""


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
        said = self._errors_size()
        self.spawn(recover=recover)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS_MAX
        while await self.status() is None:
            if self.exit_code is not None:
                words = self.last_words(said)
                raise NodeFailedError(
                    f"node {self.number} ended with code {self.exit_code}: {words}"
                )
            if loop.time() > deadline:
                raise NodeFailedError(
                    f"node {self.number} did not answer within {START_SECONDS_MAX:.0f} s"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def start_or_refuse(self) -> str:
        """Start the node; return "" once it answers, or its last words when it refuses to run."""
        try:
            await self.start()
        except NodeFailedError:
            if self.exit_code is None:
                raise
            return self.last_words()
        return ""

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

    def last_words(self, since: int = 0) -> str:
        """Return the last line on standard error behind its first `since` bytes."""
        file = self._errors_file()
        content = file.read_bytes()[since:] if file.exists() else b""
        # A power cut may leave the end of a file that was not synced as zeroes.
        lines = content.replace(b"\0", b"").decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _errors_file(self) -> Path:
        return self.folder / "log" / "stderr.log"

    def _errors_size(self) -> int:
        file = self._errors_file()
        return file.stat().st_size if file.exists() else 0
