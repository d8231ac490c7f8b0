"""The command line's way into a cluster: one of the folder's keys, and exact amounts."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from client import Client, ClientError
from client.connection import Address
from client.errors import (
    LoginRefusedError,
    NotConnectedError,
    OutcomeUnknownError,
    QueryRefusedError,
)
from cluster.console import failures_explained
from cluster.deployment import DeploymentError, open_deployment, read_key
from cluster.status import why_unserved
from node.domain.identifiers import NAME_SIZE
from node.domain.units import (
    BPS_SCALE,
    LOTS_PER_SHARE,
    MAX_LOTS,
    MAX_SUPPLY,
    MICRO_USDC_PER_USDC,
    PRICE_SCALE,
)

_T = TypeVar("_T")
OPERATOR: Final = "operator"
_UNSERVED: Final = (LoginRefusedError, NotConnectedError, OutcomeUnknownError, QueryRefusedError)


class Owner(NamedTuple):
    """Whose account, and with which key: a name's own, or a number through the operator's."""

    key: str
    account: int | None

    @property
    def number(self) -> int:
        """Return the account's number for a query; 0 means the key's own."""
        return self.account or 0


def owner_of(text: str) -> Owner:
    """Return what an ACCOUNT argument means: digits are a number, all else the name of a key.

    Raises a usage error for a number that no account can have, and for the operator's key, which
    has no account.
    """
    if is_number(text):
        if not 1 <= int(text) <= NUMBER_MAX:
            raise click.UsageError(f"account {text} is not in 1..{NUMBER_MAX}")
        return Owner(OPERATOR, int(text))
    if text == OPERATOR:
        raise click.UsageError("the operator's key has no account; name one by its number")
    return Owner(text, None)


def is_number(text: str) -> bool:
    """Return whether `text` is made of the digits 0 to 9 alone."""
    return text.isascii() and text.isdigit()


def is_key_name(text: str) -> bool:
    """Return whether a key may be called `text`: it becomes the name of a file."""
    return text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def trade(data: Path, work: Callable[[Client], Awaitable[_T]], key: str = OPERATOR) -> _T:
    """Run `work` with an open session of `key`; a failure ends the program with its reason."""
    return _run(data, key, work, opened=True)


def read(data: Path, work: Callable[[Client], Awaitable[_T]], key: str = OPERATOR) -> _T:
    """Run `work`, which only asks; no session is opened."""
    return _run(data, key, work, opened=False)


def _run(data: Path, key: str, work: Callable[[Client], Awaitable[_T]], *, opened: bool) -> _T:
    async def run() -> _T:
        deployment = open_deployment(data)
        file = deployment.root / "operator.key" if key == OPERATOR else deployment.key_file(key)
        if not file.exists():
            raise DeploymentError(
                f"there is no key {key!r}; `quorumbook account create {key}` makes one"
            )
        client = Client([Address(*member.client) for member in deployment.members], read_key(file))
        try:
            if opened:
                await client.open()
            return await work(client)
        finally:
            await client.close()

    with failures_explained(ClientError):
        try:
            return asyncio.run(run())
        except _UNSERVED as error:
            reasons = why_unserved(open_deployment(data))
            raise DeploymentError("; ".join([str(error), *reasons])) from error


class EntityName(click.ParamType[str]):
    """The name of an event or a market: 1 to 64 bytes of UTF-8."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """Return `value`; a usage error when its bytes do not fit or are no text."""
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            self.fail(f"{value!r} is not UTF-8", param, ctx)
        if not 1 <= size <= NAME_SIZE:
            self.fail(f"it has {size} bytes, not 1 to {NAME_SIZE}", param, ctx)
        return str(value)


class Amount(click.ParamType[int]):
    """An exact decimal number of units, taken in steps: never rounded."""

    def __init__(self, name: str, steps: int, most: int) -> None:
        """Take a number called `name`, of 0 to `most` steps, `steps` of which make one whole."""
        self.name = name
        self._steps = steps
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        """Return `value` in steps; a usage error when it is no whole number or too large."""
        if isinstance(value, int):
            return value
        try:
            number = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not number.is_finite() or not 0 <= number <= Decimal(self._most) / self._steps:
            self.fail(f"{value} is not in 0..{self._most // self._steps}", param, ctx)
        steps = number * self._steps
        if steps != int(steps):
            self.fail(f"{value} is not a whole number of 1/{self._steps}", param, ctx)
        return int(steps)


NUMBER_MAX: Final = (1 << 31) - 1
PRICE: Final = Amount("price", PRICE_SCALE, PRICE_SCALE)
SHARES: Final = Amount("shares", LOTS_PER_SHARE, MAX_LOTS)
USDC: Final = Amount("usdc", MICRO_USDC_PER_USDC, MAX_SUPPLY)
NAME: Final = EntityName()
NUMBER: Final = click.IntRange(1, NUMBER_MAX)
"""Of an account, an event or a market."""
NUMBER_OR_ALL: Final = click.IntRange(0, NUMBER_MAX)
ORDER_ID: Final = click.IntRange(1, (1 << 63) - 1)
SECONDS: Final = click.IntRange(0, 30 * 86_400)
FEE_BPS: Final = click.IntRange(0, BPS_SCALE)
