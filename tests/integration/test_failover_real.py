"""Kill -9 for real.

Node processes on loopback ports, a client that never stops, and what is left afterwards.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random

import pytest

from cluster.bulk_session import BulkSession
from cluster.delivery import Delivery
from cluster.demonstration import await_agreement, free_base_port
from cluster.deployment import Deployment, Plan, create_deployment
from cluster.flow_frames import FRAME_SIZE, encode
from cluster.flow_generator import generate_flow
from cluster.flow_stage import Stage, prepare_stage
from cluster.processes import await_leader, await_stopped, start_node, stop_all
from cluster.replaying import operator_session
from node.audit.verify import verify
from node.domain.codes import Code
from node.domain.commands import PLACE

ROUNDS = int(os.environ.get("FAILOVER_ROUNDS", "20"))
SLICE_ROWS = 500
WINDOW = 256
PROGRESS_SECONDS = 60.0
FLOW = generate_flow(50_000, runners=4, seed=7)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Three running nodes, all of which are gone afterwards."""
    made = create_deployment(tmp_path / "cluster", Plan(3, free_base_port(), "default"))
    try:
        for member in made.members:
            start_node(made, member.number)
        await_leader(made)
        yield made
    finally:
        stop_all(made)


class Trader:
    """Sends the flow over and over, a slice at a time, until told to stop; keeps every reply."""

    def __init__(self, session: BulkSession, stage: Stage) -> None:
        """Trade on `stage` through an operator's session."""
        self.session = session
        self.stage = stage
        self.replies: list[bytes] = []
        self.kinds = bytearray()
        self.acknowledged = 0
        self.stopping = False
        self.gaps_ns: list[int] = []

    async def run(self) -> None:
        """Send until `stopping`."""
        for lap in count():
            for start in range(0, len(FLOW.rows), SLICE_ROWS):
                if self.stopping:
                    return
                rows = [
                    row._replace(ref=row.ref and row.ref + lap * 1_000_000)
                    for row in FLOW.rows[start : start + SLICE_ROWS]
                ]
                frames = encode(
                    rows, self.stage.accounts, self.stage.markets, self.session.next_sequence
                )
                delivery = await self.session.send(frames, range(0, len(frames) + 1, FRAME_SIZE))
                self._keep(delivery, frames)

    def _keep(self, delivery: Delivery, frames: bytes | bytearray) -> None:
        self.replies.append(delivery.replies)
        self.kinds += frames[4::FRAME_SIZE]
        self.acknowledged += delivery.acknowledged
        if delivery.gap_ns:
            self.gaps_ns.append(delivery.gap_ns)


def kill(deployment: Deployment, numbers: list[int]) -> None:
    """Send SIGKILL to the nodes, one right after the other, and wait until they are gone."""
    for number in numbers:
        process = deployment.running(number)
        if process is not None:
            os.kill(process, signal.SIGKILL)
    assert await_stopped(deployment, numbers) == []


def victims(deployment: Deployment, round_number: int, random: Random) -> list[int]:
    """Choose whom to kill.

    Every fifth round all of them, every other one the leader, else anyone.
    """
    numbers = [member.number for member in deployment.members]
    if round_number % 5 == 4:
        return random.sample(numbers, 3)
    if round_number % 2 == 0:
        return [await_leader(deployment).node]
    return [random.choice(numbers)]


def kill_and_restart(
    deployment: Deployment, trader: Trader, round_number: int, random: Random
) -> str:
    """Play one round; return who died, once the client goes on with all nodes running."""
    chosen = victims(deployment, round_number, random)
    kill(deployment, chosen)
    for number in random.sample(chosen, len(chosen)):
        start_node(deployment, number)
    before = trader.acknowledged
    deadline = time.monotonic() + PROGRESS_SECONDS
    while trader.acknowledged < before + SLICE_ROWS:
        assert time.monotonic() < deadline, f"no progress after {chosen} were killed and restarted"
        time.sleep(0.01)
    return "".join(map(str, chosen))


async def trade_through_rounds(deployment: Deployment, random: Random) -> tuple[Trader, list[str]]:
    """Trade while nodes die; return what the trader has and who died."""
    async with operator_session(deployment) as operator:
        stage = await prepare_stage(operator, FLOW)
        session = BulkSession(
            [member.client for member in deployment.members], deployment.operator_key(), WINDOW
        )
        await session.open()
        trader = Trader(session, stage)
        trading = asyncio.create_task(trader.run())
        died = []
        for round_number in range(ROUNDS):
            died.append(  # noqa: PERF401 - one round after the other
                await asyncio.to_thread(kill_and_restart, deployment, trader, round_number, random)
            )
        trader.stopping = True
        await trading
        await session.close()
    return trader, died


@pytest.mark.timeout(420)
def test_kill_nine_at_any_time_loses_no_acknowledged_command(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Whoever is killed, and even all at once.

    What was acknowledged is in the log, once, and all nodes agree.
    """
    trader, died = asyncio.run(trade_through_rounds(deployment, Random(20)))
    statuses = await_agreement(deployment)
    replies = tmp_path / "replies.bin"
    replies.write_bytes(b"".join(trader.replies))
    report = verify(
        [deployment.folder(status.node) for status in statuses], acknowledgements=replies
    )

    assert len(died) == ROUNDS
    assert report.all_findings() == []
    assert report.ok
    seen = report.acknowledgements
    assert seen is not None
    assert (seen.total, seen.found, seen.lost, seen.altered, seen.repeated) == (
        trader.acknowledged - unstored(trader),
        trader.acknowledged - unstored(trader),
        0,
        0,
        0,
    )
    assert len({status.chain_digest for status in statuses}) == 1


def test_an_order_is_made_once_however_often_its_command_was_sent(deployment: Deployment) -> None:
    """A client that resends through failovers gets one order a command.

    Ids repeat nowhere, sequences have no gap.
    """
    random = Random(3)

    async def rounds() -> Trader:
        async with operator_session(deployment) as operator:
            stage = await prepare_stage(operator, FLOW)
            session = BulkSession(
                [member.client for member in deployment.members], deployment.operator_key(), WINDOW
            )
            await session.open()
            trader = Trader(session, stage)
            trading = asyncio.create_task(trader.run())
            for round_number in (0, 4):
                await asyncio.to_thread(kill_and_restart, deployment, trader, round_number, random)
            trader.stopping = True
            await trading
            await session.close()
            return trader

    trader = asyncio.run(rounds())
    words = memoryview(b"".join(trader.replies)).cast("q")
    sequences = words[2::6].tolist()
    codes = [word >> 32 for word in words[1::6].tolist()]
    orders = [
        order
        for order, code, kind in zip(words[4::6].tolist(), codes, trader.kinds, strict=True)
        if code == Code.OK and kind == PLACE
    ]

    assert trader.session.reconnections > 0
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    assert len(set(orders)) == len(orders) > 0


def unstored(trader: Trader) -> int:
    """Return how many replies acknowledge nothing: there should be none."""
    words = memoryview(b"".join(trader.replies)).cast("i")
    nothing = {Code.SEQUENCE_GAP, Code.REPLY_FORGOTTEN, Code.UNKNOWN_SESSION}
    return sum(code in nothing for code in words[3::12].tolist())
