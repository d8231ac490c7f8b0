"""`quorumbook account`: accounts, their keys, and their money."""

from pathlib import Path
from typing import Any

import click
from blake3 import blake3
from nacl.signing import SigningKey

from client import Client, RejectedError
from client.records import AccountRecord, PositionRecord
from cluster.clients import NUMBER, OPERATOR, USDC, is_key_name, is_number, owner_of, read, trade
from cluster.console import (
    data_option,
    failures_explained,
    json_option,
    say_json,
    say_table,
    shares,
    usdc,
)
from cluster.deployment import DeploymentError, open_deployment, read_key, write_key
from cluster.status import find_strangers
from node.domain.codes import Code
from node.domain.identifiers import ADDRESS_SIZE
from node.domain.terms import AccountMode

_RACES_MAX = 20


@click.group("account", short_help="open accounts, deposit, show balances")
def command() -> None:
    """Open accounts, deposit, and show balances.

    ACCOUNT is a name (its key lies in the cluster's folder) or a number.

    Example: quorumbook account create alice --deposit 1000
    """


@command.command("create")
@click.argument("name")
@click.option(
    "--mode",
    type=click.Choice(["net", "hold"]),
    default="net",
    show_default=True,
    help="net: a free YES/NO pair becomes cash at once; hold: pairs stay until merged.",
)
@click.option("--deposit", "amount", type=USDC, default=0, help="USDC to credit at once.")
@data_option
@json_option
def create(name: str, mode: str, amount: int, *, data: Path, as_json: bool) -> None:
    """Open an account for the key NAME, which is made when there is none.

    Example: quorumbook account create alice --deposit 1000
    """
    with failures_explained():
        public = _public_key(data, name)

    async def work(client: Client) -> int:
        address = blake3(public).digest()[:ADDRESS_SIZE]
        number = (
            await client.admin.open_account(address, public, AccountMode[mode.upper()])
        ).result
        if amount:
            await _deposit(client, number, amount)
        return number

    number = trade(data, work)
    if as_json:
        say_json({"account": number, "name": name, "public_key": public.hex(), "deposited": amount})
    else:
        click.echo(f"account {number} of {name}, with {usdc(amount)} USDC")


@command.command("deposit")
@click.argument("account")
@click.argument("amount", type=USDC)
@data_option
@json_option
def deposit(account: str, amount: int, *, data: Path, as_json: bool) -> None:
    """Credit AMOUNT of USDC to ACCOUNT: the operator's stand-in for a deposit on chain.

    Example: quorumbook account deposit alice 250.5
    """
    number = _number(data, account)
    trade(data, lambda client: _deposit(client, number, amount))
    if as_json:
        say_json({"account": number, "deposited": amount})
    else:
        click.echo(f"account {number}: {usdc(amount)} USDC credited")


@command.command("subaccount")
@click.argument("account")
@click.option("--mode", type=click.Choice(["net", "hold"]), default="net", show_default=True)
@data_option
@json_option
def subaccount(account: str, mode: str, *, data: Path, as_json: bool) -> None:
    """Open another account of the owner of ACCOUNT; the owner's key acts for it.

    Example: quorumbook account subaccount alice
    """
    owner = owner_of(account)
    kind = AccountMode[mode.upper()]
    reply = trade(
        data,
        lambda client: client.accounts.open_subaccount(kind, account=owner.account),
        owner.key,
    )
    if as_json:
        say_json({"account": reply.result, "owner": account})
    else:
        click.echo(f"account {reply.result} of {account}")


@command.command("transfer")
@click.argument("account")
@click.argument("to", type=NUMBER)
@click.argument("amount", type=USDC)
@click.option("--number", type=click.IntRange(1), required=True, help="Above the last one's.")
@data_option
@json_option
def transfer(account: str, to: int, amount: int, number: int, *, data: Path, as_json: bool) -> None:
    """Move AMOUNT of free USDC from ACCOUNT to account TO of the same owner, once.

    A transfer whose number was used already moves nothing.

    Example: quorumbook account transfer alice 7 25.5 --number 1
    """
    owner = owner_of(account)
    trade(
        data,
        lambda client: client.accounts.transfer(to, amount, number, account=owner.account),
        owner.key,
    )
    if as_json:
        say_json({"to": to, "amount": amount, "number": number})
    else:
        click.echo(f"transfer {number}: {usdc(amount)} USDC to account {to}")


@command.command("withdraw")
@click.argument("account")
@click.argument("amount", type=USDC)
@data_option
@json_option
def withdraw(account: str, amount: int, *, data: Path, as_json: bool) -> None:
    """Lock AMOUNT of USDC of ACCOUNT until the operator pays it outside or rejects.

    Example: quorumbook account withdraw alice 100
    """
    owner = owner_of(account)
    reply = trade(
        data,
        lambda client: client.accounts.request_withdrawal(amount, account=owner.account),
        owner.key,
    )
    if as_json:
        say_json({"withdrawal": reply.result, "amount": amount})
    else:
        click.echo(f"withdrawal {reply.result}: {usdc(amount)} USDC locked")


@command.command("answer-withdrawal")
@click.argument("withdrawal", type=click.IntRange(1))
@click.option("--paid/--rejected", required=True, help="whether the money has left.")
@data_option
@json_option
def answer_withdrawal(withdrawal: int, *, paid: bool, data: Path, as_json: bool) -> None:
    """Say that WITHDRAWAL was paid outside, or that it will not be.

    Example: quorumbook account answer-withdrawal 3 --paid
    """

    async def work(client: Client) -> None:
        answer = client.admin.confirm_withdrawal if paid else client.admin.reject_withdrawal
        await answer(withdrawal)

    trade(data, work)
    if as_json:
        say_json({"withdrawal": withdrawal, "paid": paid})
    else:
        click.echo(f"withdrawal {withdrawal}: {'paid' if paid else 'rejected'}")


@command.command("show")
@click.argument("account")
@data_option
@json_option
def show(account: str, *, data: Path, as_json: bool) -> None:
    """Show the cash and the positions of ACCOUNT.

    Example: quorumbook account show alice --json
    """
    owner = owner_of(account)

    async def work(client: Client) -> tuple[AccountRecord, list[PositionRecord]]:
        found = await client.queries.account(owner.number)
        if found is None:
            raise DeploymentError(f"there is no account {account}")
        return found, await client.queries.positions(found.number)

    found, positions = read(data, work, owner.key)
    if as_json:
        say_json({**_as_dict(found), "positions": [one._asdict() for one in positions]})
        return
    say_table("", ("account", "mode", "free, USDC", "locked, USDC", "orders"), [_row(found)])
    columns = ("market", "YES free", "YES locked", "NO free", "NO locked")
    say_table("", columns, [(one.market, *map(shares, one[3:7])) for one in positions])


@command.command("list")
@data_option
@json_option
def list_accounts(*, data: Path, as_json: bool) -> None:
    """List all accounts.

    Example: quorumbook account list --json
    """
    found = read(data, lambda client: client.queries.accounts())
    if as_json:
        say_json([_as_dict(one) for one in found])
    else:
        say_table(
            "",
            ("account", "mode", "free, USDC", "locked, USDC", "orders"),
            [_row(one) for one in found],
        )


def _public_key(data: Path, name: str) -> bytes:
    if name == OPERATOR:
        raise DeploymentError("the operator's key has no account; choose another name")
    if is_number(name) or not is_key_name(name):
        raise DeploymentError(
            f"{name!r} is not a name of letters, digits, '-' and '_' (and not of digits alone)"
        )
    deployment = open_deployment(data)
    strangers = find_strangers(deployment)
    if strangers:  # No key is made for an account that cannot be.
        raise DeploymentError("; ".join(strangers))
    file = deployment.key_file(name)
    if not file.exists():
        write_key(file, SigningKey.generate())
    return bytes(read_key(file).verify_key)


def _number(data: Path, account: str) -> int:
    owner = owner_of(account)
    if owner.account is not None:
        return owner.account
    found = read(data, lambda client: client.queries.account(), owner.key)
    if found is None:
        raise click.ClickException(f"the key {account!r} has no account")
    return found.number


async def _deposit(client: Client, account: int, amount: int) -> None:
    """Credit under the next deposit number that no other operator takes first."""
    for _ in range(_RACES_MAX):
        cursor = (await client.queries.treasury()).deposit_cursor + 1
        try:
            await client.admin.deposit(account, amount, cursor)
        except RejectedError as error:
            if error.code is not Code.DEPOSIT_ALREADY_CREDITED:
                raise
        else:
            return
    raise DeploymentError(f"{_RACES_MAX} deposit numbers in a row were taken by somebody else")


def _as_dict(account: AccountRecord) -> dict[str, Any]:
    return {
        "account": account.number,
        "mode": AccountMode(account.mode).name.lower(),
        "address": account.address.hex(),
        "cash_free": account.cash_free,
        "cash_locked": account.cash_locked,
        "orders": account.orders,
    }


def _row(account: AccountRecord) -> tuple[object, ...]:
    mode = AccountMode(account.mode).name.lower()
    return account.number, mode, usdc(account.cash_free), usdc(account.cash_locked), account.orders
