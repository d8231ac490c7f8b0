"""The nodes of one round: who leads, who is whole, and until when a majority was connected."""

import asyncio
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic_ns
from typing import Final

from chaos.real.node_process import NodeFailedError, NodeProcess
from cluster.status import NodeStatus

_POLL_SECONDS: Final = 0.1
_CATCH_UP_SECONDS: Final = 20.0
ARCHIVIST: Final = 1
"""The node whose disk is never damaged and whose log is kept from the first entry: the auditor's
witness."""


class UnsuitableError(Exception):
    """The scene does not fit a fault just now: no node is left for it, say."""


class UnfeltError(Exception):
    """A fault was tried and healed, and did not strike: the call to fail never came, say."""


class ClusterNodes:
    """All nodes, and what faults have done to them."""

    def __init__(self, nodes: Iterable[NodeProcess]) -> None:
        """Take over `nodes`."""
        self.nodes: Final = {node.number: node for node in nodes}
        self.recoveries_ms: list[float] = []
        self.failed = False
        """Whether a node did what it should not: then nothing more is broken in this round."""
        self.unclaimed_ends: list[str] = []
        """Of processes: those that no fault at work on the node had declared."""
        self._claimed: set[int] = set()
        self._may_end: dict[int, Container[int]] = {}
        """With which exit codes, by node on which a fault works."""
        self._hurt: list[frozenset[int]] = []
        self._majority_since_ns = monotonic_ns()
        self._damaged: set[int] = set()
        self._connected = True

    # Who may be broken.

    @property
    def numbers(self) -> frozenset[int]:
        """All node numbers."""
        return frozenset(self.nodes)

    @property
    def damageable(self) -> frozenset[int]:
        """Whose disks a round may damage: a minority, and always the same in one round."""
        return frozenset(sorted(self.nodes)[len(self.nodes) // 2 + 1 :])

    async def leader(self) -> NodeProcess:
        """Return who leads, if no other fault works on it. Raises UnsuitableError."""
        number = await self.leader_number()
        if not number or number in self._claimed:
            raise UnsuitableError("nobody leads, or the leader is broken already")
        return self.nodes[number]

    async def follower(self) -> list[NodeProcess]:
        """Return followers that no fault works on, at least one. Raises UnsuitableError."""
        leader = await self.leader_number()
        found = [self.nodes[number] for number in sorted(self.free - {leader})]
        if not leader or not found:
            raise UnsuitableError("no follower is whole")
        return found

    @property
    def free(self) -> frozenset[int]:
        """Nodes on which no fault works."""
        return self.numbers - self._claimed

    async def statuses(self) -> dict[int, NodeStatus]:
        """Return what every node that answers says of itself."""
        answers = await asyncio.gather(*(node.status() for node in self.nodes.values() if node.pid))
        return {answer.node: answer for answer in answers if answer is not None}

    async def leader_number(self) -> int:
        """Return the number of the leader that takes commands; 0 without one."""
        leaders = [
            status
            for status in (await self.statuses()).values()
            if status.role == "leader" and status.ready
        ]
        return max(leaders, key=lambda status: status.term).node if leaders else 0

    # Claims.

    @contextmanager
    def crippling(self, *numbers: int, ends: Container[int] = ()) -> Iterator[None]:
        """Keep other faults off these nodes meanwhile, and expect nothing of them.

        With `ends` their processes may end, with one of these exit codes; with none otherwise.
        """
        taken = self._claimed & set(numbers)
        if taken:
            raise UnsuitableError(f"nodes {sorted(taken)} are broken already")
        self.look_for_ends()  # What ended before is not this fault's doing.
        self._claimed |= set(numbers)
        self._may_end.update(dict.fromkeys(numbers, ends))
        try:
            with self.hurting(*numbers):
                yield
        finally:
            self.look_for_ends()
            self._claimed -= set(numbers)
            for number in numbers:
                del self._may_end[number]

    def look_for_ends(self) -> None:
        """Note every process that has ended without a fault that declared it."""
        for number, node in self.nodes.items():
            for end in node.take_ends():
                if end.code in self._may_end.get(number, ()):
                    continue
                self.failed = True
                claimed = number in self._claimed
                cause = "which the fault on it does not cause" if claimed else "with no fault on it"
                self.unclaimed_ends.append(
                    f"node {number} ended with code {end.code}, {cause}: {end.words}"
                )

    @contextmanager
    def hurting(self, *numbers: int) -> Iterator[None]:
        """Expect nothing of these nodes meanwhile: they do not count for a connected majority."""
        entry = frozenset(numbers)
        self._hurt.append(entry)
        self._look()
        try:
            yield
        finally:
            self._hurt.remove(entry)
            self._look()

    @contextmanager
    def damaging(self, number: int) -> Iterator[None]:
        """Damage one disk: never a second one before the first has been rebuilt."""
        if self._damaged or number not in self.damageable:
            raise UnsuitableError(f"node {number} is not to be damaged now")
        self._damaged.add(number)
        try:
            yield
        except (UnsuitableError, UnfeltError):
            self._damaged.discard(number)  # Nothing is to be rebuilt.
            raise
        self._damaged.discard(number)  # Not on the way out of an error: it is not rebuilt then.

    def _look(self) -> None:
        whole = len(self.numbers.difference(*self._hurt))
        connected = whole > len(self.nodes) // 2
        if connected and not self._connected:
            self._majority_since_ns = monotonic_ns()
        self._connected = connected

    @property
    def majority_since_ns(self) -> int:
        """Since when a majority is whole and connected; 0 while none is."""
        return self._majority_since_ns if self._connected else 0

    # Coming back.

    async def revive(self, number: int, *, recover: bool = False) -> None:
        """Start a node again and wait until it has caught up, but not for ever.

        Raises NodeFailedError when it does not start.
        """
        began_ns = monotonic_ns()
        node = self.nodes[number]
        await node.start(recover=recover)
        await self.catch_up(number, began_ns)

    async def catch_up(self, number: int, began_ns: int) -> None:
        """Wait until a node has applied what was committed when it came back, but not for ever."""
        wanted = max((one.commit_index for one in (await self.statuses()).values()), default=0)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _CATCH_UP_SECONDS
        while loop.time() < deadline:
            status = await self.nodes[number].status()
            if status is not None and status.applied_index >= wanted and not status.recovering:
                self.recoveries_ms.append((monotonic_ns() - began_ns) / 1e6)
                return
            if self.nodes[number].exit_code is not None:
                raise NodeFailedError(
                    f"node {number} ended with code {self.nodes[number].exit_code} while it caught "
                    f"up: {self.nodes[number].last_words()}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def rebuilt(self, number: int) -> None:
        """Wait until a recovering node votes again; as long as it takes."""
        while True:
            status = await self.nodes[number].status()
            if status is not None and not status.recovering:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def await_leader(self, seconds: float) -> int:
        """Return who leads, 0 when nobody does within `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not (number := await self.leader_number()) and loop.time() < deadline:  # noqa: ASYNC110 - other processes
            await asyncio.sleep(_POLL_SECONDS)
        return number

    async def await_agreement(self, seconds: float) -> str:
        """Wait until all nodes are at one index and digest; return "" or what differs."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            found = await self.statuses()
            reached = {(one.applied_index, one.chain_digest) for one in found.values()}
            settled = not any(one.recovering for one in found.values())
            if len(found) == len(self.nodes) and len(reached) == 1 and settled:
                return ""
            if loop.time() > deadline:
                return ", ".join(
                    f"node {number} "
                    + (
                        f"{found[number].words} at {found[number].applied_index} "
                        f"with {found[number].chain_digest[:12]}"
                        if number in found
                        else "does not answer"
                    )
                    for number in sorted(self.nodes)
                )
            await asyncio.sleep(_POLL_SECONDS)
