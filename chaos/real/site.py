"""Where a run takes place: which addresses hosts have, and how to start and ask something there."""

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from chaos.real.belongings import OWNER_VARIABLE
from cluster.demonstration import free_base_port
from cluster.deployment import LOCAL_HOST, PORTS_PER_NODE
from config import Member

_T = TypeVar("_T")
CLIENTS_HOST: Final = 9
"""The host of all clients; nodes have the hosts of their own numbers."""
_ASKERS: Final = 8


class Site(Protocol):
    """A place for the hosts of one cluster and its clients."""

    def member(self, number: int) -> Member:
        """Return where a node listens."""

    def command(self, host: int, words: list[str]) -> list[str]:
        """Return the command that runs `words` on a host, as the process that is started."""

    async def ask(self, host: int, question: Callable[[], _T]) -> _T:
        """Call `question` in a thread whose sockets are on a host."""


def owned_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process that belongs to this run."""
    return {**os.environ, OWNER_VARIABLE: str(os.getpid()), **(more or {})}


class LoopbackSite:
    """All hosts are this machine: no root needed, and no network to break."""

    def __init__(self) -> None:
        """Draw ports that are free now."""
        self._base_port = free_base_port()
        self._askers = ThreadPoolExecutor(_ASKERS, thread_name_prefix="asker")

    def member(self, number: int) -> Member:
        """Return where a node listens."""
        first = self._base_port + PORTS_PER_NODE * number
        return Member(number, LOCAL_HOST, first, first + 1, first + 2)

    def command(self, host: int, words: list[str]) -> list[str]:
        """Return `words`."""
        del host
        return words

    async def ask(self, host: int, question: Callable[[], _T]) -> _T:
        """Call `question` in a thread."""
        del host
        return await asyncio.get_running_loop().run_in_executor(self._askers, question)
