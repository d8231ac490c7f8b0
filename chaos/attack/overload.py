"""`attack overload`: a crowded door, and what the clients who behave notice of it."""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any, Final

import uvloop

from chaos.attack.crowd import raise_descriptors
from chaos.attack.crowd_client import CrowdClient
from chaos.attack.crowd_orders import orders
from chaos.attack.crowd_process import DESCRIPTORS
from chaos.attack.options import AttackOptions
from chaos.attack.victim import Victim, victim
from chaos.report.run_report import Moment, RunReport
from cluster.bulk_session import BulkSession
from cluster.delivery import Delivery, Latencies, frame_offsets, latencies
from config import Endpoint
from node.domain.codes import Code

TRADERS: Final = 8
RATE: Final = 100
"""Commands a second of one client that behaves."""
FLOOD_FACTOR: Final = 100
_ROUNDS: Final = 3
_SAMPLE_SECONDS: Final = 0.25
_SETTLE_SECONDS: Final = 60.0
_PAGE_BYTES: Final = resource.getpagesize()


@dataclass(slots=True)
class Phase:
    """What the clients who behave measured while a crowd was there, or was not."""

    crowded: bool
    began_ms: float
    ended_ms: float
    latency: Latencies
    codes: Counter[str]
    cancels: Counter[str]
    rss_bytes: dict[int, int]
    """The most that each node had."""
    connections: int = 0
    """Open at the attacked node, as it says itself."""
    crowd: dict[str, Any] = field(default_factory=dict)
    flooded: int = 0
    filling_seconds: float = 0.0


@dataclass(slots=True)
class Course:
    """All phases, quiet ones first, last and between."""

    phases: list[Phase] = field(default_factory=list)
    leaders: list[int] = field(default_factory=list)
    terms: list[int] = field(default_factory=list)

    def ratios(self) -> list[float]:
        """Return, for each crowded phase, its p99 over the mean of the quiet ones beside it."""
        found = []
        for place, phase in enumerate(self.phases):
            if phase.crowded:
                beside = (self.phases[place - 1], self.phases[place + 1])
                found.append(phase.latency.p99_ns / mean(one.latency.p99_ns for one in beside))
        return found

    def crowded(self) -> list[Phase]:
        """Return the crowded phases."""
        return [phase for phase in self.phases if phase.crowded]

    def quiet(self) -> list[Phase]:
        """Return the others."""
        return [phase for phase in self.phases if not phase.crowded]


def overload(options: AttackOptions, report: RunReport, say: Callable[[str], None]) -> None:
    """Crowd a node's door and add figures and findings to `report`."""
    from chaos.attack.overload_report import add_course

    given = raise_descriptors(DESCRIPTORS)
    if given < DESCRIPTORS:
        report.left_out["descriptors"] = f"{given} instead of {DESCRIPTORS}: no right to more"
    with victim(options.base_port, TRADERS + 2) as attacked:
        course = uvloop.run(_Overload(attacked, options, say).run())
        add_course(report, course, options, _bound_bytes(attacked, options))


class _Overload:
    """One run."""

    def __init__(
        self, attacked: Victim, options: AttackOptions, say: Callable[[str], None]
    ) -> None:
        self._attacked = attacked
        self._options = options
        self._say = say
        self._random = Random(options.seed)
        self._started = time.monotonic()
        self._phase_seconds = max(1.0, options.seconds / (2 * _ROUNDS + 1))
        self._endpoints = [Endpoint(*one) for one in attacked.addresses()]

    async def run(self) -> Course:
        """Alternate quiet and crowded phases."""
        course = Course()
        async with AsyncExitStack() as stack:
            sessions = []
            for key in self._attacked.traders[:TRADERS]:
                session = BulkSession(self._endpoints, key)
                await session.open()
                stack.push_async_callback(session.close)
                sessions.append(session)
            crowd, flood = await self._crowds(stack)
            await self._phase(sessions, crowded=False)  # Warms up; counts for nothing.
            course.phases.append(await self._phase(sessions, crowded=False))
            self._note_leader(course)
            for _ in range(_ROUNDS):
                course.phases.append(await self._crowded(sessions, crowd, flood))
                course.phases.append(await self._phase(sessions, crowded=False))
                self._note_leader(course)
        return course

    async def _crowds(self, stack: AsyncExitStack) -> tuple[CrowdClient, CrowdClient]:
        attacked = self._attacked
        member = attacked.deployment.member(attacked.leader)
        setting = {
            "address": list(member.client),
            "reader": bytes(attacked.traders[TRADERS]).hex(),
            "flooder": bytes(attacked.traders[TRADERS + 1]).hex(),
            "seed": self._options.seed,
        }
        crowds = []
        for _ in range(2):
            crowds.append(await CrowdClient.start(setting))
            stack.push_async_callback(crowds[-1].end)
        return crowds[0], crowds[1]

    async def _crowded(
        self, sessions: list[BulkSession], crowd: CrowdClient, flood: CrowdClient
    ) -> Phase:
        await self._aim(crowd, flood)
        began = time.monotonic()
        wanted = self._options.connections
        before = (await crowd.ask("tell"), await flood.ask("tell"))
        await flood.ask("let-flood-in", account=TRADERS + 2, rate=RATE * FLOOD_FACTOR)
        await crowd.ask("slow", count=max(1, wanted // 200))  # Down: 50 of 10,000.
        await crowd.ask("half-open", count=max(1, wanted // 20))  # Down: 500.
        await crowd.ask("hold", count=wanted, per_address=max(1, wanted // 8))
        filled = time.monotonic() - began
        await flood.ask("flood")
        phase = await self._phase(sessions, crowded=True)
        told = await crowd.ask("tell")
        phase.crowd = _since(before[0], told)
        phase.crowd["held"] = told["held"]
        phase.filling_seconds = filled
        phase.flooded = (await flood.ask("tell"))["flooded"] - before[1]["flooded"]
        await flood.ask("stop")
        await crowd.ask("stop")
        self._say(
            f"{phase.connections:,} connections, {phase.flooded:,} commands flooded: "
            f"p99 {phase.latency.p99_ns / 1e6:.1f} ms"
        )
        await self._emptied()
        return phase

    async def _aim(self, *crowds: CrowdClient) -> None:
        """Send the crowds to whoever leads now: the phase before may have ended in an election."""
        attacked = self._attacked
        await asyncio.to_thread(attacked.find_leader)
        address = list(attacked.deployment.member(attacked.leader).client)
        for crowd in crowds:
            await crowd.ask("aim", address=address)

    async def _emptied(self) -> None:
        """Wait until the node has let go of the crowd."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < deadline:
            if await self._connections() <= TRADERS + 2:
                break
            await asyncio.sleep(_SAMPLE_SECONDS)
        await asyncio.sleep(1.0)

    async def _connections(self) -> int:
        counted = await asyncio.to_thread(self._attacked.counted)
        status = counted.get(self._attacked.leader)
        return int(status["gateway"]["connections"]) if status is not None else 0

    async def _phase(self, sessions: list[BulkSession], *, crowded: bool) -> Phase:
        """Have every client trade at its rate for one phase; return what they measured."""
        began = self._now_ms()
        count = 2 * round(RATE * self._phase_seconds / 2)
        rss: dict[int, int] = {}
        sampling = asyncio.create_task(self._sample(rss))
        try:
            sent = [
                self._send(session, account, count) for account, session in enumerate(sessions, 1)
            ]
            connections = asyncio.create_task(self._connections())
            deliveries = await asyncio.gather(*sent)
        finally:
            sampling.cancel()
        codes: Counter[str] = Counter()
        cancels: Counter[str] = Counter()
        for delivery in deliveries:
            numbers = delivery.code_numbers()
            codes.update(Code(number).name for number in numbers)
            cancels.update(Code(number).name for number in numbers[1::2])
        merged = latencies([one for delivery in deliveries for one in delivery.durations])
        phase = Phase(crowded, began, self._now_ms(), merged, codes, cancels, rss)
        phase.connections = await connections
        return phase

    async def _send(self, session: BulkSession, account: int, count: int) -> Delivery:
        frames = orders(session.next_sequence, account, count, self._random)
        return await session.send(frames, frame_offsets(frames), RATE)

    async def _sample(self, most: dict[int, int]) -> None:
        processes = {
            member.number: self._attacked.process(member.number)
            for member in self._attacked.deployment.members
        }
        while True:
            for node, process in processes.items():
                most[node] = max(most.get(node, 0), resident_bytes(process))
            await asyncio.sleep(_SAMPLE_SECONDS)

    def _now_ms(self) -> float:
        return (time.monotonic() - self._started) * 1_000

    def _note_leader(self, course: Course) -> None:
        for status in self._attacked.counted().values():
            if status["role"] == "leader":
                course.leaders.append(status["node"])
                course.terms.append(status["term"])


def resident_bytes(process: int) -> int:
    """Return how much memory a process has now."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE_BYTES


def _since(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return how much each count has grown."""
    grown: dict[str, Any] = {}
    for name, value in after.items():
        if isinstance(value, dict):
            grown[name] = dict(Counter(value) - Counter(before[name]))
        else:
            grown[name] = value - before.get(name, 0)
    return grown


def _bound_bytes(attacked: Victim, options: AttackOptions) -> int:
    """Return what a node's settings let such a crowd take, beside what it has when it is quiet.

    Commands that wait, output that slow readers do not take, past events, and 64 KiB a connection.
    """
    config = attacked.deployment.config(attacked.leader)
    slow = max(1, options.connections // 200)
    return (
        config.gateway.pending_bytes_total
        + slow * config.gateway.output_bytes
        + config.storage.event_journal_bytes_max
        + options.connections * (64 << 10)
    )


def moments(course: Course) -> list[Moment]:
    """Return the phases as a timeline."""
    return [
        Moment(
            phase.began_ms,
            "clients",
            "crowd" if phase.crowded else "quiet",
            f"p99 {phase.latency.p99_ns / 1e6:.1f} ms, {phase.connections:,} connections",
            phase.ended_ms,
        )
        for phase in course.phases
    ]
