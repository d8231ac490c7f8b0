"""The program `quorumbook`: finds the module of a command only when that command is called."""

import os
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import click

_COMMANDS = {
    "up": "start a cluster on this machine, making it when there is none",
    "down": "stop every node of the cluster",
    "status": "show what each node says about itself",
    "node": "start, stop or kill one node; read its log",
    "account": "open accounts, deposit, show balances",
    "event": "create and show events, groups of markets",
    "market": "create markets, open, halt, close, resolve, void and show them",
    "fees": "make fee schedules, give them to markets, name the fee account",
    "risk": "stop and let go, bounds accounts and markets, grant agents",
    "order": "place, preview, cancel and list orders",
    "group": "limit what groups of orders fill in fifteen seconds",
    "depth": "show a market's book by price",
    "resolution": "propose what markets come to, attest, dispute, decide",
    "pause": "pause the venue, an event, a market or an account",
    "replay": "send recorded order flow to the cluster",
    "bench": "measure throughput and latency",
    "demo": "trade, lose the leader, lose nothing: the whole story in a minute",
    "verify": "replay saved logs offline and confirm every digest",
    "snapshot": "take and list snapshots",
    "backup": "back a stopped node up, verify and restore backups",
    "log": "look into a node's journal offline",
    "keys": "make and show keys, give and take their roles",
    "config": "check a node's configuration, set limits of the venue",
}


TRACEBACK_VARIABLE = "QUORUMBOOK_TRACEBACK"


class LazyGroup(click.Group):
    """A group whose commands are modules, imported when they are called and not for `--help`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of a cluster's life."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"cluster.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table above, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    if not wanted or ctx.resilient_parsing:
        return
    from node._pure import build_form

    click.echo(f"quorumbook {installed_version()} ({build_form()})")
    ctx.exit()


def installed_version() -> str:
    """Return the version of the installed distribution, "unknown" when run from sources alone."""
    try:
        return version("quorumbook")
    except PackageNotFoundError:
        return "unknown"


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and whether the core is compiled or pure.",
)
def app() -> None:
    """Operate a Quorumbook cluster: three or five nodes, one log.

    Example: quorumbook up --detach && quorumbook status
    """


def main() -> None:
    """Run the command line; exit with 0 done, 1 refused or failed, 2 wrong usage."""
    try:
        app.main(standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(1)
    except (OSError, ValueError) as error:
        # The world failed in a way that no command foresaw; assertions stay what they are.
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        click.echo(
            f"Error: {type(error).__name__}: {error} ({TRACEBACK_VARIABLE}=1 shows where)", err=True
        )
        sys.exit(1)
