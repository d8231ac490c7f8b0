"""A flow sent to a cluster.

Through one session in its own order, or through many that share the participants.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from nacl.signing import SigningKey

from client import ClientError
from cluster.bulk_session import WINDOW, BulkSession
from cluster.delivery import Delivery, Latencies, latencies
from cluster.deployment import Deployment, DeploymentError, read_key, write_key
from cluster.flow import Flow, FlowRow
from cluster.flow_frames import FRAME_SIZE, encode, split
from cluster.flow_rejections import Sent
from cluster.flow_stage import SESSIONS_PER_KEY, Stage, grant_brokers, prepare_stage
from cluster.status import why_unserved

CONNECTIONS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard to push. `rate` is commands a second over all sessions; 0 is as fast as it goes."""

    connections: int = 1
    rate: int = 0
    window: int = WINDOW


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What came of a flow."""

    stage: Stage
    commands: int
    seconds: float
    codes: Counter[str]
    sent: tuple[Sent, ...]
    """What was asked and answered, by session."""
    latency: Latencies
    gap_ns: int
    reconnections: int
    replies: tuple[bytes, ...]
    """Every reply frame as received, by session."""

    @property
    def per_second(self) -> int:
        """Return acknowledged commands a second, rounded down."""
        return int(self.commands / self.seconds) if self.seconds else 0


@asynccontextmanager
async def operator_session(deployment: Deployment) -> AsyncIterator[BulkSession]:
    """Log in with the operator's key, at whichever node leads."""
    endpoints = [member.client for member in deployment.members]
    session = BulkSession(endpoints, deployment.operator_key())
    try:
        await session.open()
    except ClientError as error:
        raise DeploymentError("; ".join([str(error), *why_unserved(deployment)])) from error
    try:
        yield session
    finally:
        await session.close()


async def replay_flow(
    deployment: Deployment,
    flow: Flow,
    pace: Pace,
    on_progress: Callable[[list[Delivery]], None] | None = None,
) -> ReplayResult:
    """Make a stage for `flow`, play all of it, and return what came of it.

    `on_progress` sees the deliveries once, as soon as they have begun. Raises StageError or
    SessionLostError.
    """
    keys = broker_keys(deployment, pace.connections)
    async with operator_session(deployment) as operator:
        await grant_brokers(operator, keys)
        stage = await prepare_stage(operator, flow)
    async with AsyncExitStack() as stack:
        sessions = []
        for number in range(pace.connections):
            endpoints = [member.client for member in deployment.members]
            session = BulkSession(endpoints, keys[number // SESSIONS_PER_KEY], pace.window)
            await session.open()
            stack.push_async_callback(session.close)
            sessions.append(session)
        return await _play(sessions, flow, stage, pace, on_progress)


async def _play(
    sessions: list[BulkSession],
    flow: Flow,
    stage: Stage,
    pace: Pace,
    on_progress: Callable[[list[Delivery]], None] | None,
) -> ReplayResult:
    parts: list[list[FlowRow]] = (
        [list(flow.rows)] if len(sessions) == 1 else split(flow.rows, len(sessions))
    )
    encoded = [
        encode(part, stage.accounts, stage.markets, session.next_sequence)
        for part, session in zip(parts, sessions, strict=True)
    ]
    sending = [
        asyncio.create_task(
            session.send(frames, range(0, len(frames) + 1, FRAME_SIZE), pace.rate // len(sessions))
        )
        for session, frames in zip(sessions, encoded, strict=True)
    ]
    if on_progress is not None:
        await asyncio.sleep(0)  # So that every delivery has begun.
        on_progress([session.delivery for session in sessions if session.delivery is not None])
    deliveries = await asyncio.gather(*sending)
    began = min(delivery.started_ns for delivery in deliveries if delivery.count)
    ended = max(delivery.ended_ns for delivery in deliveries if delivery.count)
    sent = tuple(
        Sent(part, delivery.code_numbers(), delivery.log_indexes())
        for part, delivery in zip(parts, deliveries, strict=True)
    )
    codes: Counter[str] = Counter()
    for delivery in deliveries:
        codes.update(delivery.codes())
    return ReplayResult(
        stage,
        len(flow.rows),
        (ended - began) / 1e9,
        codes,
        sent,
        latencies(pair for delivery in deliveries for pair in delivery.durations),
        max(delivery.gap_ns for delivery in deliveries),
        sum(session.reconnections for session in sessions),
        tuple(delivery.replies for delivery in deliveries),
    )


def broker_keys(deployment: Deployment, connections: int) -> list[SigningKey]:
    """Return a broker's key for every few connections, made in the cluster's folder when new."""
    keys = []
    for number in range(-(-connections // SESSIONS_PER_KEY)):  # Up: the last key may serve fewer.
        file = deployment.key_file(f"replay-broker-{number}")
        if not file.exists():
            write_key(file, SigningKey.generate())
        keys.append(read_key(file))
    return keys
