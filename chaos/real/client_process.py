"""A client of a run, as a process: `python -m chaos.real.client_process SETTINGS.json`.

It trades until SIGTERM, lets what is under way be answered, and ends. SIGUSR1 makes its first
trader flood the cluster, SIGUSR2 ends that.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from random import Random
from time import monotonic_ns
from typing import Final

import msgspec
import uvloop
from nacl.signing import SigningKey

from chaos.real.command_mix import Stage, TradeMix
from chaos.real.operator_script import Operator
from chaos.real.progress import ProgressFile
from chaos.real.recorded_session import TIMING, RecordedSession
from chaos.real.recording import SessionRecorder
from chaos.real.registered_mix import RegisteredMix
from client.connection import Address
from client.errors import ClientError, NotConnectedError, OutcomeUnknownError
from client.reader import Reader
from cluster.deployment import read_key
from node.protocol import messages
from node.protocol.encoding import encode_query

_PACE_SECONDS: Final = 0.005
_BURST_MOST: Final = 400
_DRAIN_SECONDS: Final = 12.0
_READ_SECONDS: Final = 0.1
_WINDOW: Final = 512
_FLOOD_WINDOW: Final = 8_192
_SUBJECTS: Final = (messages.ACCOUNT, messages.MARKET, messages.TREASURY)


class ClientSettings(msgspec.Struct):
    """What a client is to do. Keys are named by their files."""

    addresses: list[tuple[str, int]]
    client: int
    """Its number: tells its recordings and orders from those of all others."""
    seed: str
    traders: int
    rate: int
    """Commands a second of all its traders together."""
    recordings: str
    progress: str
    stage: str
    """The file of the stage: written by the client that founds it, read by the others."""
    broker_key: str
    operator_key: str = ""
    """For the founder only."""
    trader_key: str = ""
    broker_keys: list[str] = msgspec.field(default_factory=list)
    checkpoint_bytes: int = 2 << 20


class TradingClient:
    """The sessions of one client process."""

    def __init__(self, settings: ClientSettings) -> None:
        """Prepare; nothing is connected yet."""
        self._settings = settings
        self._addresses = [Address(*address) for address in settings.addresses]
        self._random = Random(settings.seed)
        self._progress = ProgressFile(Path(settings.progress))
        self._slots = 0
        self._stopping = asyncio.Event()
        self._flooding = False
        self._sessions: list[RecordedSession] = []

    async def run(self) -> None:
        """Trade until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGUSR1, self._flood, True)  # noqa: FBT003 - a callback
        loop.add_signal_handler(signal.SIGUSR2, self._flood, False)  # noqa: FBT003 - the same
        settings = self._settings
        tasks: list[asyncio.Task[None]] = []
        if settings.operator_key:
            stage = await self._found(tasks)
        else:
            stage = _read_stage(Path(settings.stage))
        broker = read_key(Path(settings.broker_key))
        tasks += [
            asyncio.create_task(self._trade(broker, stage, f"broker-{number}", settings.rate))
            for number in range(settings.traders)
        ]
        tasks.append(asyncio.create_task(self._read(broker, stage)))
        await self._stopping.wait()
        await asyncio.gather(*tasks)

    def _flood(self, on: bool) -> None:  # noqa: FBT001 - a signal's callback
        self._flooding = on

    def _open_recorder(self, name: str) -> SessionRecorder:
        return SessionRecorder(Path(self._settings.recordings), name, self._settings.client)

    async def _open(self, key: SigningKey, name: str, window: int = _WINDOW) -> RecordedSession:
        slot, self._slots = self._slots, self._slots + 1
        session = RecordedSession(
            self._addresses,
            key,
            self._open_recorder(name),
            (self._progress, slot),
            window=window,
            random=Random(self._random.random()),
        )
        while True:
            try:
                await session.open()
            except NotConnectedError:
                if self._stopping.is_set():
                    raise
                continue  # For as long as it takes: the cluster may have no majority just now.
            return session

    async def _found(self, tasks: list[asyncio.Task[None]]) -> Stage:
        """Make the stage and go on as operator and as the stage's own trader."""
        settings = self._settings
        trader = read_key(Path(settings.trader_key))
        brokers = [read_key(Path(file)) for file in settings.broker_keys]
        session = await self._open(read_key(Path(settings.operator_key)), "operator")
        operator = Operator(session, Random(self._random.random()), settings.seed)
        stage = await operator.found(brokers, trader, settings.checkpoint_bytes)
        path = Path(settings.stage)
        draft = path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(stage))
        draft.rename(path)
        tasks.append(asyncio.create_task(self._operate(operator, session, stage)))
        tasks.append(asyncio.create_task(self._trade(trader, stage, "trader", settings.rate)))
        return stage

    async def _operate(self, operator: Operator, session: RecordedSession, stage: Stage) -> None:
        try:
            await operator.run(stage, self._stopping)
        except OutcomeUnknownError as error:
            sys.stderr.write(f"the operator's session ended: {error}\n")
        await self._end(session)

    async def _trade(self, key: SigningKey, stage: Stage, name: str, rate: int) -> None:
        flooder = name == "broker-0"
        with suppress(NotConnectedError):
            session = await self._open(key, name, _FLOOD_WINDOW if flooder else _WINDOW)
            client = (self._settings.client << 8) + self._slots
            account = session.session.account
            random = Random(self._random.random())
            mix: TradeMix | RegisteredMix
            if account:
                mix = RegisteredMix(random, account, len(stage.accounts), len(stage.markets))
                session.listener = mix.take_replies
            else:
                mix = TradeMix(random, stage, client)
            share = rate / (self._settings.traders + bool(self._settings.operator_key))
            await self._pace(session, mix, share, flooder=flooder)
            await self._end(session)

    async def _pace(
        self,
        session: RecordedSession,
        mix: TradeMix | RegisteredMix,
        rate: float,
        *,
        flooder: bool,
    ) -> None:
        """Send at `rate` while the window has room; what was due during a failover is not owed."""
        loop = asyncio.get_running_loop()
        before, owed = loop.time(), 0.0
        while not self._stopping.is_set() and session.session.failure is None:
            await asyncio.sleep(_PACE_SECONDS)
            now = loop.time()
            owed = min(owed + (now - before) * rate, _BURST_MOST)
            before = now
            flooding = flooder and self._flooding
            count = min(_BURST_MOST if flooding else int(owed), session.room)
            if count > 0:
                session.send(lambda out: mix.write(out, count))  # noqa: B023 - called at once
                owed = max(0.0, owed - count)

    async def _end(self, session: RecordedSession) -> None:
        with suppress(TimeoutError, ClientError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await session.drained()
        await session.close()

    async def _read(self, key: SigningKey, stage: Stage) -> None:
        """Ask linearizable queries, one after the other, and record the answers."""
        recorder = self._open_recorder("reader")
        reader = Reader(self._addresses, key, timing=TIMING, random=Random(self._random.random()))
        random = Random(self._random.random())
        while not self._stopping.is_set():
            await asyncio.sleep(_READ_SECONDS)
            subject = random.choice(_SUBJECTS)
            number = {
                messages.ACCOUNT: random.choice(stage.accounts),
                messages.MARKET: random.choice(stage.markets),
            }.get(subject, 0)
            query = encode_query(0, subject, number, 0, messages.LINEARIZABLE, 0, 0)
            asked_ns = monotonic_ns()
            asking = asyncio.create_task(reader.ask(subject, number))
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not asking.done():
                asking.cancel()
            try:
                answer = await asking
            except (ClientError, asyncio.CancelledError):
                recorder.read(asked_ns, query, 0, None)
            else:
                recorder.read(asked_ns, query, answer.log_index, answer.records)
        await reader.close()
        recorder.close()


def _read_stage(path: Path) -> Stage:
    return msgspec.json.decode(path.read_bytes(), type=Stage)


def main() -> None:
    """Run the client that the settings describe."""
    content = Path(sys.argv[1]).read_bytes()
    settings = msgspec.json.decode(content, type=ClientSettings)

    async def run() -> None:
        await TradingClient(settings).run()

    uvloop.run(run())


if __name__ == "__main__":
    main()
