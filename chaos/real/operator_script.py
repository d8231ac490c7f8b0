"""The operator: makes the stage, and then runs markets through their lives while others trade."""

import asyncio
from collections.abc import Callable, Sequence
from hashlib import blake2b
from random import Random
from typing import Final

from nacl.signing import SigningKey

from chaos.real.command_mix import CONFIGURED, Stage
from chaos.real.recorded_session import RecordedSession
from chaos.workloads.knowledge import Knowledge
from chaos.workloads.registry import OPERATOR, write_one
from client.replies import Reply
from node.domain import commands, terms
from node.domain.codes import Code
from node.domain.identifiers import ADDRESS_SIZE
from node.domain.limits import Limit
from node.domain.units import MICRO_USDC_PER_USDC, PRICE_SCALE
from node.protocol.command_frames import CommandFrames

ACCOUNTS: Final = 60
MARKETS: Final = 6
_DEPOSIT: Final = 1_000_000 * MICRO_USDC_PER_USDC
_SESSIONS_PER_KEY: Final = 256
_LIVE_MOST: Final = 12
_ACCOUNTS_MOST: Final = 5_000
_PAUSE_SECONDS: Final = 0.02


Write = Callable[[CommandFrames], None]

_SCRIPTED: Final = (
    commands.DEPOSIT,
    commands.MARKET_CLOSE,
    commands.MARKET_RESOLVE,
    commands.MARKET_VOID,
    commands.CONFIGURE,
    commands.CHECKPOINT,
    commands.MARKET_TIMES,
    commands.PAUSE,
    commands.EVENT_RESOLVE,
    commands.PROPOSE,
    commands.DECIDE,
    commands.DISPUTE,
    commands.ATTEST,
)
"""Never drawn blindly: the stage must stay fit for trading, and checkpoints must not be all."""
_REGISTERED: Final = tuple(workload for workload in OPERATOR if workload.kind not in _SCRIPTED)


class StageFailedError(Exception):
    """The venue rejected what every later command relies on."""


class Operator:
    """One operator's session, which is the only one that deposits."""

    def __init__(self, session: RecordedSession, random: Random, name: str) -> None:
        """Act through `session`; `name` keeps the names of this run's accounts apart."""
        self._session = session
        self._random = random
        self._name = name
        self._identities = 0
        self._cursor = 0
        self._live: list[int] = []
        """Markets that this script opened and has not ended yet."""
        self._exclusive: list[list[int]] = []
        """Exclusive events whose markets are closed together, and then resolved together."""
        self._revocable: list[bytes] = []
        self._known = Knowledge(0, ACCOUNTS, MARKETS)

    # The stage.

    async def found(
        self, brokers: Sequence[SigningKey], trader: SigningKey, checkpoint_bytes: int
    ) -> Stage:
        """Make the stage, funded and open. Raises StageFailedError or OutcomeUnknownError."""

        def prepare(out: CommandFrames) -> None:
            out.configure(Limit.SESSIONS_PER_KEY, _SESSIONS_PER_KEY)
            out.configure(Limit.CHECKPOINT_BYTES, checkpoint_bytes)
            for key in brokers:
                out.key_grant(terms.BROKER, 0, bytes(key.verify_key))
            out.event_create(False, f"{self._name} stage")  # noqa: FBT003 - a wire field

        event = (await self._needed(prepare))[-1].result

        def make(out: CommandFrames) -> None:
            for number in range(MARKETS):
                fees = (0, 0) if number < MARKETS // 2 else (20, 10)
                out.market_create(event, 1, *fees, f"market {number}")
            self._account(out, bytes(trader.verify_key))
            for _ in range(ACCOUNTS - 1):
                self._account(out)

        made = [reply.result for reply in await self._needed(make)]
        markets, accounts = made[:MARKETS], made[MARKETS:]

        def open_all(out: CommandFrames) -> None:
            for market in markets:
                out.lifecycle(commands.MARKET_OPEN, market, 0)
            for account in accounts:
                self._cursor += 1
                out.deposit(account, _DEPOSIT, self._cursor)

        await self._needed(open_all)
        return Stage(event, markets, accounts)

    async def _needed(self, write: Write) -> list[Reply]:
        replies = await self._session.ask_all(write)
        rejected = [Code(reply.code).name for reply in replies if reply.code != Code.OK]
        if rejected:
            raise StageFailedError(f"the venue rejected what the stage needs: {rejected}")
        return replies

    def _account(self, out: CommandFrames, public_key: bytes = b"") -> None:
        self._identities += 1
        identity = blake2b(f"{self._name} {self._identities}".encode(), digest_size=32).digest()
        mode = terms.HOLD if self._identities % 2 else terms.NET
        out.account_open(mode, identity[:ADDRESS_SIZE], public_key or identity)

    # Life.

    async def run(self, stage: Stage, stopping: asyncio.Event) -> None:
        """Open, halt, close and settle markets, and do all else that operators do, until told."""
        while not stopping.is_set():
            draw = self._random.random()
            if draw < 0.25:
                await self._live_on()
            elif draw < 0.45:
                await self._deposit(stage)
            elif draw < 0.60:
                await self._keys()
            elif draw < 0.75:
                limit, least, most = self._random.choice(CONFIGURED)
                value = self._random.randint(least, most)
                await self._session.ask(lambda out: out.configure(limit, value))  # noqa: B023
            elif draw < 0.85:
                await self._session.ask(
                    lambda out: write_one(_REGISTERED, out, self._random, self._known)
                )
            elif draw < 0.98 and self._identities < _ACCOUNTS_MOST:
                await self._session.ask(self._account)
            else:
                await self._session.ask(lambda out: out.checkpoint())
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _deposit(self, stage: Stage) -> None:
        """Credit an account; once in a while with a deposit that was credited before."""
        account = self._random.choice(stage.accounts)
        repeated = self._random.random() < 0.1
        cursor = self._cursor if repeated else self._cursor + 1
        reply = await self._session.ask(lambda out: out.deposit(account, 1_000_000, cursor))
        if reply.code == Code.OK:
            self._cursor = cursor

    async def _keys(self) -> None:
        if self._revocable and self._random.random() < 0.5:
            key = self._revocable.pop()
            await self._session.ask(lambda out: out.key_revoke(key))
            return
        public = self._random.randbytes(32)
        reply = await self._session.ask(lambda out: out.key_grant(terms.BROKER, 0, public))
        if reply.code == Code.OK:
            self._revocable.append(public)

    async def _live_on(self) -> None:
        draw = self._random.random()
        if self._exclusive and draw < 0.2:
            await self._resolve_exclusive(self._exclusive.pop(0))
        elif self._live and (draw < 0.7 or len(self._live) >= _LIVE_MOST):
            await self._move_on(self._random.choice(self._live))
        else:
            await self._begin()

    async def _begin(self) -> None:
        """Make an event with two or three markets and open them."""
        exclusive = self._random.random() < 0.3
        name = f"{self._name} {self._random.getrandbits(40)}"
        event = (await self._session.ask(lambda out: out.event_create(exclusive, name))).result
        markets = []
        for number in range(self._random.randint(2, 3)):
            label = f"{name} {number}"
            made = await self._session.ask(lambda out: out.market_create(event, 10, 5, 5, label))  # noqa: B023
            if made.code == Code.OK:
                await self._lifecycle(commands.MARKET_OPEN, made.result)
                markets.append(made.result)
        if exclusive:
            self._exclusive.append(markets)
        else:
            self._live += markets

    async def _move_on(self, market: int) -> None:
        """Halt a market and open it again, or end it."""
        if self._random.random() < 0.5:
            await self._lifecycle(commands.MARKET_HALT, market)
            await self._lifecycle(commands.MARKET_OPEN, market)
            return
        self._live.remove(market)
        await self._lifecycle(commands.MARKET_CLOSE, market)
        if self._random.random() < 0.3:
            await self._lifecycle(commands.MARKET_VOID, market)
        else:
            await self._lifecycle(commands.MARKET_RESOLVE, market, self._random.randint(0, 10_000))

    async def _resolve_exclusive(self, markets: list[int]) -> None:
        for market in markets:
            await self._lifecycle(commands.MARKET_CLOSE, market)
        for place, market in enumerate(markets):
            price = PRICE_SCALE if place == 0 else 0
            await self._lifecycle(commands.MARKET_RESOLVE, market, price)

    async def _lifecycle(self, kind: int, market: int, price: int = 0) -> None:
        await self._session.ask(lambda out: out.lifecycle(kind, market, price))
