"""`quorumbook fees`: fee schedules, which market has which, and who is given the fees."""

from pathlib import Path

import click

from client import Client
from client.records import ScheduleRecord
from cluster.clients import FEE_BPS, NUMBER, USDC, read, trade
from cluster.console import data_option, json_option, say_json, say_table, usdc
from node.domain.terms import FeeShape

COLUMNS = ("schedule", "shape", "taker, bps", "maker, bps", "rebate, bps of taker's", "cap, USDC")


@click.group("fees", short_help="make fee schedules, give them to markets, name the fee account")
def command() -> None:
    """Make fee schedules, give them to markets, and name the account that is given the fees.

    Example: quorumbook fees create --taker-bps 100 --rebate-bps 2500
    """


@command.command("create")
@click.option("--flat", is_flag=True, help="Of the price, not of price x (1 - price).")
@click.option("--taker-bps", type=FEE_BPS, default=0, show_default=True)
@click.option("--maker-bps", type=FEE_BPS, default=0, show_default=True)
@click.option("--rebate-bps", type=FEE_BPS, default=0, help="The maker's share of its taker's fee.")
@click.option("--cap", type=USDC, default=0, help="The most that one order pays, in USDC.")
@data_option
@json_option
def create(
    taker_bps: int,
    maker_bps: int,
    rebate_bps: int,
    cap: int,
    *,
    flat: bool,
    data: Path,
    as_json: bool,
) -> None:
    """Make a fee schedule, or find the one that says the same.

    Example: quorumbook fees create --flat --taker-bps 20 --cap 5
    """

    async def work(client: Client) -> int:
        reply = await client.admin.create_fee_schedule(
            shape=FeeShape.FLAT if flat else FeeShape.SHAPED,
            taker_bps=taker_bps,
            maker_bps=maker_bps,
            rebate_bps=rebate_bps,
            cap=cap,
        )
        return reply.result

    number = trade(data, work)
    if as_json:
        say_json({"schedule": number})
    else:
        click.echo(f"schedule {number}")


@command.command("assign")
@click.argument("market", type=NUMBER)
@click.argument("schedule", type=NUMBER)
@data_option
@json_option
def assign(market: int, schedule: int, *, data: Path, as_json: bool) -> None:
    """Give MARKET the fee SCHEDULE, for orders that come from now on.

    Example: quorumbook fees assign 1 2
    """
    index = trade(data, lambda client: client.admin.assign_fee_schedule(market, schedule)).log_index
    if as_json:
        say_json({"market": market, "schedule": schedule, "log_index": index})
    else:
        click.echo(f"market {market} has schedule {schedule} as of index {index}")


@command.command("account")
@click.argument("account", type=NUMBER)
@data_option
@json_option
def name_account(account: int, *, data: Path, as_json: bool) -> None:
    """Give ACCOUNT all fees from now on, and those collected so far.

    Example: quorumbook fees account 7
    """
    index = trade(data, lambda client: client.admin.name_fee_account(account)).log_index
    if as_json:
        say_json({"fee_account": account, "log_index": index})
    else:
        click.echo(f"account {account} is given the fees as of index {index}")


@command.command("list")
@data_option
@json_option
def list_schedules(*, data: Path, as_json: bool) -> None:
    """List fee schedules.

    Example: quorumbook fees list --json
    """
    found = read(data, lambda client: client.queries.fee_schedules())
    if as_json:
        say_json([{**one._asdict(), "shape": FeeShape(one.shape).name.lower()} for one in found])
    else:
        say_table("", COLUMNS, [row(one) for one in found])


def row(schedule: ScheduleRecord) -> tuple[object, ...]:
    """Return a schedule as a row under COLUMNS."""
    return (
        schedule.number,
        FeeShape(schedule.shape).name.lower(),
        schedule.taker_bps,
        schedule.maker_bps,
        schedule.rebate_bps,
        usdc(schedule.cap) if schedule.cap else "-",
    )
