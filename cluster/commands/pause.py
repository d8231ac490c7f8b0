"""`quorumbook pause`: how strictly the venue, an event, a market or an account takes commands."""

from pathlib import Path

import click

from client import Client, Reply
from cluster.clients import NUMBER, trade
from cluster.console import data_option, json_option, say_json
from node.domain.terms import PauseLevel, PauseScope

LEVELS = {level.name.lower().replace("_", "-"): level for level in PauseLevel}


@click.command("pause")
@click.argument("level", type=click.Choice(list(LEVELS)))
@click.option("--event", type=NUMBER, help="Pause this event's markets.")
@click.option("--market", type=NUMBER, help="Pause this market.")
@click.option("--account", type=NUMBER, help="Pause what comes from this account.")
@data_option
@json_option
def command(
    level: str,
    *,
    event: int | None,
    market: int | None,
    account: int | None,
    data: Path,
    as_json: bool,
) -> None:
    """Pause the venue, or one event, market or account, at LEVEL; `none` ends the pause.

    post-only takes orders that only rest, cancel-only takes cancels, halted takes nothing; the
    strictest level that covers an order counts.

    Example: quorumbook pause cancel-only --market 1
    """
    named = {
        PauseScope.EVENT: event,
        PauseScope.MARKET: market,
        PauseScope.ACCOUNT: account,
    }
    chosen = [(scope, number) for scope, number in named.items() if number is not None]
    if len(chosen) > 1:
        raise click.UsageError("name one of --event, --market and --account, or none for the venue")
    scope, subject = chosen[0] if chosen else (PauseScope.VENUE, 0)

    async def work(client: Client) -> Reply:
        return await client.admin.pause(scope, LEVELS[level], subject)

    index = trade(data, work).log_index
    what = scope.name.lower() + (f" {subject}" if subject else "")
    if as_json:
        words = {"scope": scope.name.lower(), "subject": subject, "level": level}
        say_json({**words, "log_index": index})
    else:
        click.echo(f"{what}: {level} as of index {index}")
