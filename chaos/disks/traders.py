"""Clients that trade in a thread of their own while the power of the nodes comes and goes.

Two sessions send as fast as their windows allow, a witness asks again after each reconnection, and
the operator asks for checkpoints now and then. All of it is recorded.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, Final, Self, TypeVar

import uvloop
from nacl.signing import SigningKey

from chaos.disks.remembered_session import RememberedSession
from chaos.disks.witness import Witness
from chaos.history import Operation
from client.connection import Address
from client.errors import ClientError
from cluster.deployment import Deployment, DeploymentError
from cluster.flow_frames import FRAME_SIZE, encode, split
from cluster.flow_generator import generate_flow
from cluster.flow_stage import StageError, grant_brokers, prepare_stage
from cluster.replaying import operator_session
from node.protocol.command_frames import CommandFrames

ROWS: Final = 60_000
_SESSIONS: Final = 2
_CHUNK: Final = 16
_PREPARE_SECONDS: Final = 60.0
_CALL_SECONDS: Final = 10.0
_Result = TypeVar("_Result")


class TraderError(Exception):
    """Clients did not get what they are owed: a reply in time, or their session."""


class Traders:
    """All clients of one cluster. Use it as a context; calls come from one other thread."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        """Trade at `deployment`; equal seeds want the same in the same order."""
        self._deployment = deployment
        self._addresses = [Address(*member.client) for member in deployment.members]
        self._flow = generate_flow(ROWS, seed=seed)
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="traders", daemon=True)
        self._sessions: list[RememberedSession] = []
        self._frames: list[bytes] = []
        self._operator: RememberedSession | None = None
        self._witness: Witness | None = None
        self._witnessing: asyncio.Task[None] | None = None
        self._trading = False

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let everything go."""
        try:
            self._call(self._close(), _CALL_SECONDS)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def prepare(self) -> None:
        """Make markets and accounts, and log in. The cluster must have a leader."""
        self._call(self._prepare(), _PREPARE_SECONDS)

    def trade(self) -> None:
        """Begin to send."""
        self._call(self._set_trading(trading=True), _CALL_SECONDS)

    def hold(self) -> None:
        """Send nothing new."""
        self._call(self._set_trading(trading=False), _CALL_SECONDS)

    def ask_for_checkpoint(self) -> None:
        """Have the operator ask for one; do not wait."""
        self._call(self._ask_for_checkpoint(), _CALL_SECONDS)

    def settle(self, seconds: float) -> None:
        """Hold, and wait until every command has its reply. Raises TraderError after `seconds`."""
        self.hold()
        self._call(self._settle(seconds), seconds + _CALL_SECONDS)

    @property
    def is_exhausted(self) -> bool:
        """Whether one of the clients has little left to send."""
        return any(
            len(frames) - (session.next_sequence - 1) * FRAME_SIZE < len(frames) // 10
            for session, frames in zip(self._sessions, self._frames, strict=True)
        )

    @property
    def repeated(self) -> int:
        """How many replies came again, the same, when they were asked for again."""
        return self._witness.repeated if self._witness is not None else 0

    def operations(self) -> Iterator[Operation]:
        """Yield everything that was asked and answered; hold first."""
        for session in (*self._sessions, self._operator, self._witness):
            if session is not None:
                yield from session.operations()

    def _call(self, work: Coroutine[Any, Any, _Result], seconds: float) -> _Result:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)
        except (ClientError, DeploymentError, StageError, TimeoutError) as error:
            raise TraderError(str(error) or "the clients' thread did not answer") from error

    # In the thread.

    async def _prepare(self) -> None:
        keys = [SigningKey.generate() for _ in range(_SESSIONS + 1)]
        async with operator_session(self._deployment) as operator:
            await grant_brokers(operator, keys)
            stage = await prepare_stage(operator, self._flow, taker_fee_bps=20)
        parts = split(self._flow.rows, _SESSIONS + 1)
        frames = [bytes(encode(part, stage.accounts, stage.markets)) for part in parts]
        *self._frames, last = frames
        for client, key in enumerate(keys[:-1]):
            session = RememberedSession(client, self._addresses, key, self._fill)
            await session.open()
            self._sessions.append(session)
        singles = [last[at : at + FRAME_SIZE] for at in range(0, len(last), FRAME_SIZE)]
        self._witness = Witness(_SESSIONS, self._addresses, keys[-1], singles)
        self._witnessing = asyncio.create_task(self._witness.run())
        operator_key = self._deployment.operator_key()
        self._operator = RememberedSession(_SESSIONS + 1, self._addresses, operator_key)
        await self._operator.open()

    async def _set_trading(self, *, trading: bool) -> None:
        self._trading = trading
        if self._witness is not None:
            self._witness.go(trading=trading)
        self._fill()

    def _fill(self) -> None:
        if not self._trading:
            return
        for session, frames in zip(self._sessions, self._frames, strict=True):
            begin = (session.next_sequence - 1) * FRAME_SIZE
            count = min(session.room, _CHUNK)
            if count and begin < len(frames):
                session.send(frames[begin : begin + count * FRAME_SIZE])

    async def _ask_for_checkpoint(self) -> None:
        operator = self._operator
        if operator is not None and operator.room:
            out = CommandFrames(operator.next_sequence)
            out.checkpoint()
            operator.send(out.take())

    async def _settle(self, seconds: float) -> None:
        assert self._operator is not None
        assert self._witness is not None
        try:
            async with asyncio.timeout(seconds):
                for session in (*self._sessions, self._operator):
                    await session.settled()
                await self._witness.settled()
        except TimeoutError as error:
            raise TraderError(f"commands had no reply within {seconds:.0f} s") from error
        if self._witness.contradictions:
            raise TraderError(self._witness.contradictions[0])

    async def _close(self) -> None:
        self._trading = False
        if self._witnessing is not None:
            self._witnessing.cancel()
            await asyncio.gather(self._witnessing, return_exceptions=True)
        for session in (*self._sessions, self._operator):
            if session is not None:
                await session.close()
