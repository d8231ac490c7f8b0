"""The client processes of one round: started, killed, flooding, stopped."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from nacl.signing import SigningKey

from chaos.real.belongings import Belongings
from chaos.real.client_process import ClientSettings
from chaos.real.progress import Progress, ProgressFile
from chaos.real.site import CLIENTS_HOST, Site, owned_environment
from cluster.deployment import Deployment, write_key

_POLL_SECONDS: Final = 0.05
_FOUND_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 25.0
_TRADERS: Final = 2
BROKERS: Final = 8


class TradingFailedError(Exception):
    """A client did not do its part; the message says what it said."""


class _ClientProcess:
    """One process of the clients."""

    def __init__(self, process: "subprocess.Popen[bytes]", progress: Path, errors: Path) -> None:
        self.process: Final = process
        self.progress: Final = ProgressFile(progress)
        self.errors: Final = errors


class Trading:
    """Two client processes: the founder, which is never killed, and the mortal one."""

    def __init__(
        self,
        deployment: Deployment,
        site: Site,
        belongings: Belongings,
        folder: Path,
        seed: str,
        rate: int,
    ) -> None:
        """Prepare in `folder`, which must exist; nothing is started yet."""
        self.recordings: Final = folder / "recordings"
        self.recordings.mkdir()
        self._deployment = deployment
        self._site = site
        self._belongings = belongings
        self._folder = folder
        self._seed = seed
        self._rate = rate
        self._clients: list[_ClientProcess] = []
        self._brokers: list[Path] = []
        self.lost = 0
        """Commands that sessions gave up, once all clients are stopped."""

    async def found(self) -> None:
        """Start the founder, and the mortal client once the stage is made.

        Raises TradingFailedError.
        """
        self._make_keys()
        founder = self._start(founds=True)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _FOUND_SECONDS
        while not self._stage.exists():
            if founder.process.poll() is not None or loop.time() > deadline:
                raise TradingFailedError(f"the stage was not made: {_said(founder)}")
            await asyncio.sleep(_POLL_SECONDS)
        self._start(founds=False)

    @property
    def _stage(self) -> Path:
        return self._folder / "stage.json"

    def _make_keys(self) -> None:
        for name in ["trader", *(f"broker-{number}" for number in range(BROKERS))]:
            file = self._deployment.key_file(name)
            write_key(file, SigningKey.generate())
            if name != "trader":
                self._brokers.append(file)

    def _start(self, *, founds: bool) -> _ClientProcess:
        number = len(self._clients) + 1
        settings = self._settings(number, founds=founds)
        file = self._folder / f"client-{number}.json"
        file.write_bytes(msgspec.json.encode(settings))
        errors = self._folder / f"client-{number}.log"
        words = [sys.executable, "-m", "chaos.real.client_process", str(file)]
        started: list[subprocess.Popen[bytes]] = []
        self._belongings.add(f"client process {number}", lambda: _end(started))
        with errors.open("ab") as said:
            process = subprocess.Popen(
                self._site.command(CLIENTS_HOST, words),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                env=owned_environment(),
            )
        started.append(process)
        client = _ClientProcess(process, Path(settings.progress), errors)
        self._clients.append(client)
        return client

    def _settings(self, number: int, *, founds: bool) -> ClientSettings:
        deployment = self._deployment
        settings = ClientSettings(
            [(member.host, member.client_port) for member in deployment.members],
            number,
            f"{self._seed} client {number}",
            _TRADERS,
            self._rate // 2,
            str(self.recordings),
            str(self._folder / f"client-{number}.progress"),
            str(self._stage),
            str(self._brokers[number % BROKERS]),
        )
        if founds:
            settings.operator_key = str(deployment.root / "operator.key")
            settings.trader_key = str(deployment.key_file("trader"))
            settings.broker_keys = [str(file) for file in self._brokers]
        return settings

    # Meanwhile.

    def progress(self) -> Progress:
        """Return how far all clients are, those that were killed included."""
        totals = [client.progress.total() for client in self._clients]
        return Progress(
            sum(one.acknowledged for one in totals),
            max((one.last_ns for one in totals), default=0),
            sum(one.lost for one in totals),
            sum(one.reconnections for one in totals),
        )

    async def kill_mortal(self) -> None:
        """Kill the mortal client with whatever it has under way."""
        process = self._clients[-1].process
        process.kill()
        await asyncio.to_thread(process.wait)

    def start_mortal(self) -> None:
        """Start another mortal client, with sessions of its own."""
        self._start(founds=False)

    def flood(self, *, on: bool) -> None:
        """Make the founder's first trader send as much as it can, or end that."""
        with suppress(ProcessLookupError):
            os.kill(self._clients[0].process.pid, signal.SIGUSR1 if on else signal.SIGUSR2)

    async def start_pest(self, kind: str, number: int) -> int:
        """Start a client that does harm to a node, and return its ticket once it is at work."""
        member = self._deployment.member(number)
        words = [sys.executable, "-m", "chaos.real.pest_process", kind, member.host]
        words += [str(member.client_port), str(self._brokers[-1])]
        started: list[subprocess.Popen[bytes]] = []
        ticket = self._belongings.add(f"{kind} client", lambda: _end(started))
        started.append(self._start_pest(words))
        await asyncio.to_thread(_await_word, started[0])
        return ticket

    def _start_pest(self, words: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._site.command(CLIENTS_HOST, words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=owned_environment(),
        )

    def end_pest(self, ticket: int) -> None:
        """End a client that does harm."""
        self._belongings.remove(ticket)

    # The end.

    async def stop(self) -> list[str]:
        """Stop all clients; return what went wrong with those that were not killed on purpose."""
        living = [client for client in self._clients if client.process.poll() is None]
        for client in living:
            client.process.terminate()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _STOP_SECONDS
        wrong = []
        for client in living:
            while client.process.poll() is None and loop.time() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(_POLL_SECONDS)
            if client.process.poll() is None:
                client.process.kill()
                wrong.append(f"a client did not end within {_STOP_SECONDS:.0f} s")
            if client.process.wait():
                wrong.append(f"a client failed: {_said(client)}")
        died = [client for client in self._clients if client.process.returncode not in {0, -9}]
        wrong += [f"a client died: {_said(client)}" for client in died if client not in living]
        self.lost = self.progress().lost
        for client in self._clients:
            client.progress.close()
        return wrong


def _end(started: "Sequence[subprocess.Popen[bytes]]") -> None:
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def _await_word(process: "subprocess.Popen[bytes]") -> None:
    """Wait until a process says something, or ends."""
    assert process.stdout is not None
    with process.stdout as said:
        said.readline()


def _said(client: _ClientProcess) -> str:
    lines = client.errors.read_text(errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "it said nothing"
