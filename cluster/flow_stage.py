"""The stage on which a flow plays.

Its event, a market a runner, and funded accounts for its participants.

Everything follows from the flow and the event's number, so two fresh clusters make the same
accounts for one flow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from blake3 import blake3
from nacl.signing import SigningKey

from cluster.bulk_session import BulkSession
from cluster.delivery import frame_offsets
from cluster.flow import Flow
from cluster.flow_frames import PARTICIPANTS
from node.domain import commands, terms
from node.domain.codes import Code
from node.domain.identifiers import ADDRESS_SIZE
from node.domain.units import MICRO_USDC_PER_USDC
from node.protocol.command_frames import CommandFrames

DEPOSIT_USDC: Final = 10_000_000
TICK: Final = 1
SESSIONS_PER_KEY: Final = 8


@dataclass(frozen=True, slots=True)
class Stage:
    """The numbers that the venue gave: market by runner, account by participant."""

    event: int
    markets: tuple[int, ...]
    accounts: tuple[int, ...]


class StageError(Exception):
    """The venue rejected a command without which the flow cannot play."""


async def prepare_stage(
    operator: BulkSession, flow: Flow, taker_fee_bps: int = 0, maker_fee_bps: int = 0
) -> Stage:
    """Make the event, open its markets, open and fund the accounts.

    StageError when the venue rejects any of it.
    """

    def create_event(out: CommandFrames) -> None:
        out.event_create(True, flow.name[:64])  # noqa: FBT003 - mypyc compiles no keyword-only bool cheaply

    def create_markets(out: CommandFrames) -> None:
        for runner in flow.runners:
            out.market_create(event, TICK, taker_fee_bps, maker_fee_bps, runner[:64])

    def open_markets(out: CommandFrames) -> None:
        for market in markets:
            out.lifecycle(commands.MARKET_OPEN, market, 0)

    def open_accounts(out: CommandFrames) -> None:
        for number in range(PARTICIPANTS):
            identity = blake3(b"quorumbook flow participant %d %d" % (event, number)).digest()
            out.account_open(terms.NET, identity[:ADDRESS_SIZE], identity)

    def fund_accounts(out: CommandFrames) -> None:
        for place, account in enumerate(accounts, start=cursor + 1):
            out.deposit(account, DEPOSIT_USDC * MICRO_USDC_PER_USDC, place)

    event = (await execute(operator, create_event))[0]
    markets = await execute(operator, create_markets)
    await execute(operator, open_markets)
    accounts = await execute(operator, open_accounts)
    cursor = (await operator.queries.treasury()).deposit_cursor
    await execute(operator, fund_accounts)
    return Stage(event, tuple(markets), tuple(accounts))


async def execute(session: BulkSession, write: Callable[[CommandFrames], None]) -> list[int]:
    """Send what `write` writes and return each command's result.

    StageError when any is rejected.
    """
    out = CommandFrames(session.next_sequence)
    write(out)
    frames = out.take()
    delivery = await session.send(frames, frame_offsets(frames))
    rejected = {name: count for name, count in delivery.codes().items() if name != Code.OK.name}
    if rejected:
        raise StageError(f"the venue rejected what the flow needs: {rejected}")
    return delivery.results()


async def grant_brokers(operator: BulkSession, keys: Sequence[SigningKey]) -> None:
    """Register `keys` as brokers', which may trade for any account.

    One that is registered already stays as it is.
    """
    out = CommandFrames(operator.next_sequence)
    for key in keys:
        out.key_grant(terms.BROKER, 0, bytes(key.verify_key))
    frames = out.take()
    codes = (await operator.send(frames, frame_offsets(frames))).codes()
    refused = set(codes) - {Code.OK.name, Code.KEY_EXISTS.name}
    if refused:
        raise StageError(f"the venue registered no broker: {', '.join(sorted(refused))}")
