"""The program `python -m chaos`: finds the module of a command only when it is called."""

import sys
from importlib import import_module

import click

from chaos.invocation import invocation

_COMMANDS = {
    "sim": "simulate whole clusters, one a seed, and check every invariant",
    "mutants": "plant known bugs in a copy and count the seeds until each is found",
    "real": "break real processes, networks and disks while clients trade",
    "powerloss": "cut the power of a node's disk, again and again",
    "measure": "print the figures: failover, recovery, damage, a limping node",
    "attack": "fuzz the decoders, try to get in without a key, overload the door",
    "report": "show saved reports as tables or as one HTML page",
}


class LazyGroup(click.Group):
    """A group whose commands are modules, imported when they are called and not for `--help`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands, broadest first."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"chaos.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table above, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Break clusters on purpose and show what held.

    Every command ends with code 0 when all invariants held, 1 when one did not or a tool that was
    asked for is missing, 2 for wrong usage. Example: .venv/bin/python -m chaos sim --seeds 0:100
    """


def main() -> None:
    """Run the command line."""
    try:
        code = app.main(prog_name=invocation(), standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
