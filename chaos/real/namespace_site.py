"""Hosts as network namespaces, joined by the userspace switch. Needs root."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from chaos.real.belongings import MARK, Belongings
from chaos.real.site import CLIENTS_HOST, owned_environment
from chaos.real.switch_process import DEVICE, MTU, enter_namespace, mac_address
from chaos.real.tool import ToolFailedError, run_tool
from chaos.real.wire import Wire
from config import Member

_T = TypeVar("_T")
_FIRST_PORT: Final = 7_410
_NETWORK: Final = "10.77.0"
_SECONDS: Final = 20.0


def namespace_name(owner: int, host: int) -> str:
    """Return the name of a host's namespace: it tells whose it is."""
    return f"{MARK}-{owner}-h{host}"


def delete_namespace(name: str) -> None:
    """Delete a network namespace, if there is one of that name."""
    if Path(f"/run/netns/{name}").exists():
        run_tool("ip", "netns", "delete", name)


class NamespaceSite:
    """The hosts of one cluster and its clients, and the wire between them."""

    def __init__(self, nodes: int, seed: str, owner: int, belongings: Belongings) -> None:
        """Make the namespaces and start the switch. Raises ToolFailedError."""
        self.hosts: Final = [*range(1, nodes + 1), CLIENTS_HOST]
        self._names = {host: namespace_name(owner, host) for host in self.hosts}
        for name in self._names.values():
            belongings.add(f"namespace {name}", partial(delete_namespace, name))
            delete_namespace(name)
            run_tool("ip", "netns", "add", name)
        self.wire: Final = Wire(self._start_switch(seed, belongings))
        for host in self.hosts:
            self._configure(host)
        self._askers = {
            host: ThreadPoolExecutor(2, f"host-{host}", enter_namespace, (name,))
            for host, name in self._names.items()
        }
        belongings.add("threads in namespaces", self._let_go)

    def _start_switch(self, seed: str, belongings: Belongings) -> "subprocess.Popen[bytes]":
        hosts = [f"{host}={name}" for host, name in self._names.items()]
        started: list[subprocess.Popen[bytes]] = []
        belongings.add("the switch", lambda: _stop(started))
        process = subprocess.Popen(
            [sys.executable, "-m", "chaos.real.switch_process", seed, *hosts],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=owned_environment(),
        )
        started.append(process)
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise ToolFailedError("the switch did not start")
        return process

    def _configure(self, host: int) -> None:
        lines = [
            f"link set {DEVICE} address {mac_address(host)} mtu {MTU}",
            f"addr add {_NETWORK}.{host}/24 dev {DEVICE}",
            f"link set {DEVICE} up",
            "link set lo up",
        ]
        # Fixed, so that only the switch decides who reaches whom: a lost question for an address
        # would stop a host for a second.
        lines += [
            f"neigh replace {_NETWORK}.{other} lladdr {mac_address(other)} dev {DEVICE} "
            "nud permanent"
            for other in self.hosts
            if other != host
        ]
        run_tool("ip", "-n", self._names[host], "-batch", "-", given="\n".join(lines) + "\n")

    def _let_go(self) -> None:
        for asker in self._askers.values():
            asker.shutdown(wait=False, cancel_futures=True)

    def member(self, number: int) -> Member:
        """Return where a node listens."""
        return Member(number, f"{_NETWORK}.{number}", _FIRST_PORT, _FIRST_PORT + 1, _FIRST_PORT + 2)

    def command(self, host: int, words: list[str]) -> list[str]:
        """Return the command that becomes `words` in a host's namespace."""
        return ["nsenter", f"--net=/run/netns/{self._names[host]}", "--", *words]

    async def ask(self, host: int, question: Callable[[], _T]) -> _T:
        """Call `question` in a thread that lives in a host's namespace."""
        return await asyncio.get_running_loop().run_in_executor(self._askers[host], question)


def _stop(started: "list[subprocess.Popen[bytes]]") -> None:
    for process in started:
        if process.stdin is not None:
            process.stdin.close()
        if process.stdout is not None:
            process.stdout.close()
        process.kill()
        process.wait(_SECONDS)
