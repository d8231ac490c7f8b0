"""The command line's way into a cluster: one of the folder's keys, and exact amounts."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from client import Client, ClientError
from client.connection import Address
from cluster.console import failures_explained
from cluster.deployment import DeploymentError, open_deployment, read_key
from node.domain.units import LOTS_PER_SHARE, MICRO_USDC_PER_USDC, PRICE_SCALE

_T = TypeVar("_T")
OPERATOR: Final = "operator"


class Owner(NamedTuple):
    """Whose account, and with which key: a name's own, or a number through the operator's."""

    key: str
    account: int | None

    @property
    def number(self) -> int:
        """Return the account's number for a query; 0 means the key's own."""
        return self.account or 0


def owner_of(text: str) -> Owner:
    """Return what an ACCOUNT argument means: digits are a number, all else the name of a key."""
    return Owner(OPERATOR, int(text)) if text.isdigit() else Owner(text, None)


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
        return asyncio.run(run())


class Amount(click.ParamType[int]):
    """An exact decimal number of units, taken in steps: never rounded."""

    def __init__(self, name: str, steps: int) -> None:
        """Take a number called `name`, of which one whole has `steps` steps."""
        self.name = name
        self._steps = steps

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        """Return `value` in steps; a usage error when it is not a whole number of them."""
        if isinstance(value, int):
            return value
        try:
            steps = Decimal(value) * self._steps
        except InvalidOperation:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not steps.is_finite() or steps != steps.to_integral_value():
            self.fail(f"{value} is not a whole number of 1/{self._steps}", param, ctx)
        return int(steps)


PRICE: Final = Amount("price", PRICE_SCALE)
SHARES: Final = Amount("shares", LOTS_PER_SHARE)
USDC: Final = Amount("usdc", MICRO_USDC_PER_USDC)
