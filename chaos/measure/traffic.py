"""Traders on a cluster while something is done to it, and what they were told, audited."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import uvloop

from chaos.measure.effort import Effort
from chaos.measure.trader import Trader
from cluster.demonstration import await_agreement
from cluster.deployment import Deployment
from cluster.flow_frames import split
from cluster.flow_generator import generate_flow
from cluster.flow_stage import prepare_stage
from cluster.processes import stop_all
from cluster.replaying import operator_session

_T = TypeVar("_T")
_FLOW_ROWS: Final = 30_000
_DRAIN_SECONDS: Final = 60.0
TRADERS: Final = 3


@asynccontextmanager
async def trading(
    deployment: Deployment, rate: int, traders: int = TRADERS, seed: int = 1
) -> AsyncIterator[list[Trader]]:
    """Have `traders` clients trade `rate` commands a second in all.

    On the way out they stop and wait for their last replies. Raises ClientError when one of them
    was told that an outcome will never be known.
    """
    flow = generate_flow(_FLOW_ROWS, runners=4, seed=seed)
    endpoints = [member.client for member in deployment.members]
    async with operator_session(deployment) as operator:
        stage = await prepare_stage(operator, flow)
    key = deployment.operator_key()
    crowd = [
        Trader(endpoints, key, rows, stage, rate // traders) for rows in split(flow.rows, traders)
    ]
    running = [asyncio.create_task(trader.run()) for trader in crowd]
    try:
        while not all(trader.acknowledged for trader in crowd):
            await asyncio.sleep(0.01)
            for task in running:
                if task.done():
                    task.result()
        yield crowd
        for trader in crowd:
            trader.stop()
        async with asyncio.timeout(_DRAIN_SECONDS):
            await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def under_load(
    effort: Effort, deployment: Deployment, rate: int, act: Callable[[Sequence[Trader]], _T]
) -> tuple[_T, list[Trader]]:
    """Return what `act`, run in a thread while clients trade, returns, and the traders.

    `act` must wait with `effort.wait`, so that it ends when the traders fail or are interrupted.
    """

    async def trade() -> tuple[_T, list[Trader]]:
        async with trading(deployment, rate, seed=effort.seed) as traders:
            try:
                return await asyncio.to_thread(act, traders), traders
            except BaseException:
                effort.stopping.set()  # A thread cannot be cancelled.
                raise

    return uvloop.run(trade())


def audit(effort: Effort, deployment: Deployment, traders: Sequence[Trader]) -> None:
    """Stop the cluster once all nodes agree, and look for everything that was acknowledged.

    Each node's log is replayed offline; what is lost, altered or different goes into the report.
    """
    from node.audit.verify import verify

    await_agreement(deployment)
    stop_all(deployment)
    acknowledged = sum(trader.acknowledged for trader in traders)
    effort.say(f"looking for {acknowledged:,} acknowledged commands in the logs of all nodes")
    folders = [deployment.folder(member.number) for member in deployment.members]
    with TemporaryDirectory(prefix="quorumbook-measure-") as scratch:
        replies = Path(scratch) / "replies.bin"
        replies.write_bytes(b"".join(reply for trader in traders for reply in trader.replies))
        found = verify(folders, acknowledgements=replies)
    seen = found.acknowledgements
    operations = effort.report.operations
    rejected = sum(trader.rejected() for trader in traders)
    operations.rejected += rejected
    operations.acknowledged += acknowledged - rejected
    if seen is not None:
        operations.lost += seen.lost
        operations.altered += seen.altered
        operations.duplicated += seen.repeated
    if found.agreement is None or not found.agreement.equal:
        operations.diverged += 1
    for finding in found.all_findings():
        effort.violation("what was acknowledged is in every log", finding)
    complete = seen is not None and seen.found == acknowledged and not seen.repeated
    effort.checked("acknowledged commands found", seen.found if seen is not None else 0)
    effort.figure(
        "acknowledged commands found afterwards",
        f"{seen.found if seen is not None else 0:,} of {acknowledged:,}",
        "all, once, unaltered, on nodes that agree",
        met=complete and found.ok,
    )
