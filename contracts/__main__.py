"""The program `python -m contracts`: builds, checks and tries the vault."""

import sys
from typing import Final

import click

from contracts import adversary, artefacts
from contracts.toolchain import FOLDER, ToolchainError, forge, install

SNAPSHOTS: Final = FOLDER / "snapshots" / "Vault.json"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Build, check and try the contracts.

    Ends with code 0 when all held, 1 when something did not or a tool is missing, 2 for wrong
    usage. Needs node and npm; the rest is installed into contracts/node_modules. Example:
    .venv/bin/python -m contracts test
    """


@app.command()
def build() -> None:
    """Compile, and write contracts/artifacts."""
    artefacts.build()
    click.echo(f"wrote {', '.join(artefacts.CONTRACTS)} to {artefacts.ARTEFACTS}")


@app.command()
def check() -> None:
    """Compile from nothing, and compare with contracts/artifacts."""
    differing = artefacts.check()
    if differing:
        raise click.ClickException("; ".join([*differing, "run `python -m contracts build`"]))
    click.echo("the artefacts are what the sources give")


@app.command()
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail if it would.")
def fmt(*, only_check: bool) -> None:
    """Format the sources."""
    install()
    _speak(forge(["fmt", *(["--check"] if only_check else [])]).returncode)


@app.command()
@click.option("--soak", is_flag=True, help="More runs of fuzzing and invariants.")
@click.option("--new-snapshot", is_flag=True, help="Write the gas table instead of comparing it.")
@click.option("--match-path", default="", help="Only these files, as forge takes it.")
def test(*, soak: bool, new_snapshot: bool, match_path: str) -> None:
    """Run forge's tests, compare the gas table, and count what the adversary tried."""
    code, text = run_tests(soak=soak, new_snapshot=new_snapshot, match_path=match_path)
    click.echo(text)
    _say_tally()
    _speak(code)


def run_tests(
    *, soak: bool = False, new_snapshot: bool = False, match_path: str = ""
) -> tuple[int, str]:
    """Run forge's tests; return its code and what it printed but the table of calls."""
    install()
    adversary.forget()
    settings = {"FORGE_SNAPSHOT_CHECK": "false" if new_snapshot else "true"}
    if soak:
        settings["FOUNDRY_PROFILE"] = "soak"
    arguments = ["test", *(["--match-path", match_path] if match_path else [])]
    result = forge(arguments, settings=settings)
    lines = [line for line in result.stdout.splitlines() if line and line[0] not in "|+╭╰"]
    return result.returncode, "\n".join(lines)


def _say_tally() -> None:
    counts = adversary.tally()
    click.echo(
        f"adversary: {counts.runs} runs, {counts.settled} honest batches settled, "
        f"{counts.refused} refused; thefts attempted and taken:"
    )
    for theft, attempts, taken in zip(adversary.THEFTS, counts.attempts, counts.taken, strict=True):
        click.echo(f"  {theft:<28}{attempts:>8}{taken:>8}")


@app.command()
def gas() -> None:
    """Print the gas table that the tests compare with."""
    click.echo(SNAPSHOTS.read_text())


@app.command()
@click.option("--only", default="", help="Only these, by comma.")
@click.option("--from", "first", type=click.IntRange(1), default=1, help="Begin with this one.")
@click.option("--most", type=click.IntRange(1), default=1_000, help="At most so many.")
@click.option("--list", "list_only", is_flag=True, help="Print what would be planted and stop.")
def mutants(*, only: str, first: int, most: int, list_only: bool) -> None:
    """Plant known bugs, one at a time in a copy, and say which test notices each."""
    from contracts.mutants import trial

    names = {name for name in only.split(",") if name}
    _speak(trial.run_all(names, first=first, most=most, list_only=list_only))


@app.command()
@click.option("--all", "show_all", is_flag=True, help="Print the findings, too.")
def slither(*, show_all: bool) -> None:
    """Run slither in an environment of its own; fail if it finds what is not answered."""
    from contracts import static_analysis

    install()
    found, text = static_analysis.analyse()
    if show_all:
        click.echo(text)
    for kind, count in sorted(found.items()):
        click.echo(f"{kind:<28}{count:>4}, answered {static_analysis.ANSWERED.get(kind, 0)}")
    _speak(int(dict(found) != static_analysis.ANSWERED))


def _speak(code: int) -> None:
    if code != 0:
        raise click.exceptions.Exit(1)


def main() -> None:
    """Run the command line."""
    try:
        code = app.main(prog_name="python -m contracts", standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ToolchainError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
