"""Which node to try next.

Redirects first, then every address in turn, with a growing pause between rounds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import TypeVar

from client.connection import Address, LoginFailedError, RedirectedError
from client.errors import NotConnectedError
from client.timing import ClientTiming

Found = TypeVar("Found")
_REDIRECTS_IN_A_ROW = 4


class LeaderFinder:
    """Walks over the cluster's addresses until one of them lets us in."""

    def __init__(self, addresses: Sequence[Address], timing: ClientTiming, random: Random) -> None:
        """Try `addresses`, in this order at first; `random` is for the jitter of the pauses."""
        if not addresses:
            raise ValueError("a client needs the address of at least one node")
        self._addresses = deque(addresses)
        self._timing = timing
        self._random = random

    def prefer(self, address: Address) -> None:
        """Try `address` first, known or not."""
        if address in self._addresses:
            self._addresses.remove(address)
        self._addresses.appendleft(address)

    def avoid(self) -> None:
        """Try the address that was tried last only after all others."""
        self._addresses.rotate(-1)

    async def find(self, log_in: Callable[[Address], Awaitable[Found]], seconds: float) -> Found:
        """Return what `log_in` returns at the first node where it works.

        Raises NotConnectedError when none did within `seconds`; errors of `log_in` other than
        LoginFailedError and RedirectedError pass through.
        """
        reason = "nothing was tried"
        try:
            async with asyncio.timeout(seconds):
                pause = self._timing.backoff_least
                while True:
                    for _ in range(len(self._addresses)):
                        try:
                            return await self._follow(log_in)
                        except LoginFailedError as error:
                            reason = str(error)
                            self.avoid()
                    await asyncio.sleep(pause * self._random.uniform(0.5, 1.0))
                    pause = min(pause * self._timing.backoff_growth, self._timing.backoff_most)
        except TimeoutError as error:
            raise NotConnectedError(f"no node let us in within {seconds} s: {reason}") from error

    async def _follow(self, log_in: Callable[[Address], Awaitable[Found]]) -> Found:
        """Try the first address, and where it redirects to."""
        for _ in range(_REDIRECTS_IN_A_ROW):
            try:
                return await log_in(self._addresses[0])
            except RedirectedError as redirect:
                if redirect.leader is None:
                    raise LoginFailedError("the node knows no leader") from redirect
                self.prefer(redirect.leader)
        raise LoginFailedError(f"{_REDIRECTS_IN_A_ROW} redirects in a row")
