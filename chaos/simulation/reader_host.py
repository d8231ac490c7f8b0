"""A client that only reads: questions and one feed, through the real SDK, whatever node answers."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from chaos.simulation.client_host import TIMING
from chaos.simulation.following import Following, index_of
from chaos.simulation.setting import Setting
from chaos.simulation.virtual_loop import new_loop
from client.connection import Address
from client.errors import ClientError, NotConnectedError, SubscriptionRefusedError
from client.reader import Reader
from client.subscription import Subscription
from node.protocol import messages

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from chaos.simulation.cluster import Cluster

_PACES_MS = (20, 60, 150)
_PAUSE_SECONDS = 0.02
_LINEARIZABLE_SHARE = 0.8


@dataclass(slots=True)
class Answered:
    """One question and its answer."""

    subject: int
    number: int
    linearizable: bool
    floor: int
    """The newest index that anybody had been told of when it was asked."""
    log_index: int
    records: bytes


class ReaderHost:
    """One key that asks and listens until told to stop; it never writes."""

    def __init__(
        self, cluster: "Cluster", number: int, key: "SigningKey", accounts: int, random: Random
    ) -> None:
        """Own a machine; nothing is connected before `open`."""
        self.number = number
        self.address = f"10.0.1.{number}"
        self.following: Following | None = None
        self.answers = 0
        self._asking = False
        self._cluster = cluster
        self._accounts = accounts
        self._random = random
        self._pace_ms = random.choice(_PACES_MS)
        self._stream = random.choice(
            (
                (messages.EXECUTIONS, random.randint(1, accounts)),
                (messages.EXECUTIONS, 0),
                (messages.MARKET_DATA, 1),
                (messages.VENUE, 0),
            )
        )
        self.loop = new_loop(
            cluster.scheduler,
            cluster.network,
            self.address,
            lambda: 0,
            lambda report: cluster.client_error(self, report),
        )
        self._reader: Reader
        self.loop.run_inside(lambda: self._make_reader(cluster.setting, key))

    def _make_reader(self, setting: Setting, key: "SigningKey") -> None:
        addresses = [Address(*address) for address in setting.client_addresses]
        self._random.shuffle(addresses)
        source = Random(self._random.random())
        self._reader = Reader(addresses, key, timing=TIMING, random=source)

    def open(self) -> None:
        """Begin to ask and to listen."""
        self.loop.call_soon(lambda: self.loop.create_task(self._ask()))
        self.loop.call_soon(lambda: self.loop.create_task(self._follow()))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked, and everything that is in the log was heard."""
        return not self._asking and self.following is not None and not self.following.owes

    # Questions.

    async def _ask(self) -> None:
        while not self._cluster.closing:
            await asyncio.sleep(self._pace_ms * self._random.random() / 500)
            self._asking = True
            try:
                await self._ask_one()
            except ClientError:
                pass  # Nobody could answer in time; that is no answer, and so no wrong one.
            finally:
                self._asking = False

    async def _ask_one(self) -> None:
        subject = self._random.choice((messages.TREASURY, messages.ACCOUNT, messages.STATUS))
        number = self._random.randint(1, self._accounts) if subject == messages.ACCOUNT else 0
        linearizable = self._random.random() < _LINEARIZABLE_SHARE
        floor = self._cluster.newest_told
        answer = await self._reader.ask(
            subject,
            number,
            linearizable=linearizable,
            at_least_index=0 if linearizable else floor,
        )
        self.answers += 1
        self._cluster.answered(
            Answered(subject, number, linearizable, floor, answer.log_index, answer.records)
        )

    # The feed.

    async def _follow(self) -> None:
        while True:
            following = Following(self._cluster.log, *self._stream)
            try:
                await self._follow_once(following)
            except (SubscriptionRefusedError, NotConnectedError):
                self.following = None  # What came is judged already; a new one begins from now on.
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _follow_once(self, following: Following) -> None:
        subscription = await self._reader.subscribe(following.feed, following.stream)
        confirmed_index = subscription.last_log_index
        if not _has_frames(subscription):
            following.begin(confirmed_index)
            self.following = following
        while frames := await subscription.batch():
            if not following.begun:  # The first events came with the confirmation.
                following.begin(min(confirmed_index, index_of(frames) - 1))
                self.following = following
            self._cluster.heard(following, frames)


def _has_frames(subscription: Subscription) -> bool:
    return bool(subscription._frames)  # noqa: SLF001 - whether the confirmation came alone
