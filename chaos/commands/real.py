"""`python -m chaos real`: break real processes, networks and disks while clients trade."""

from datetime import UTC, datetime
from pathlib import Path
from secrets import randbelow
from time import monotonic

import click

from chaos.commands.finite import FiniteRange
from chaos.invocation import invocation, invocation_given
from chaos.real.abilities import Abilities
from chaos.real.belongings import Belongings
from chaos.real.campaign import Campaign, Course, run_course
from chaos.real.catalogue import CATALOGUE, Kind
from chaos.real.diary import Diary
from chaos.report.target import TARGET_FILE

_INTERRUPTED = 1


@click.command(name="real")
@click.option(
    "--minutes",
    type=FiniteRange(0.1, 10_000),
    default=2.0,
    show_default=True,
    help="how long to break things; the round that has begun is then healed and judged, which "
    "takes up to a minute more; a short run strikes few kinds",
)
@click.option("--nodes", type=click.Choice(["3", "5"]), default="3", show_default=True)
@click.option(
    "--seed", type=click.IntRange(0), help="of schedule and clients; drawn when not given"
)
@click.option(
    "--rate",
    type=click.IntRange(1, 1_000_000),
    default=4_000,
    show_default=True,
    help="commands a second that the clients try to send",
)
@click.option("--rootless", is_flag=True, help="loopback only, and no fault that needs root")
@click.option("--faults", help="kinds to draw from, comma-separated; all that work here by default")
@click.option("--list-faults", is_flag=True, help="print the catalogue and end")
@click.option("--json", "json_file", type=TARGET_FILE, help="write the report here")
@click.option("--html", "html_file", type=TARGET_FILE, help="and here as a page")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="keep every round's folder (journals, logs, recordings) in this one",
)
def command(
    minutes: float,
    nodes: str,
    seed: int | None,
    rate: int,
    rootless: bool,
    faults: str | None,
    list_faults: bool,
    json_file: Path | None,
    html_file: Path | None,
    keep: Path | None,
) -> int:
    """Break a real cluster while real clients trade, and prove that nothing was lost.

    With root, each node runs in a network namespace of its own behind a userspace switch; without,
    on loopback. Everything made is removed, also after Ctrl-C.

    Example: .venv/bin/python -m chaos real --minutes 2 --seed 7
    """
    from chaos.real import faults as _  # noqa: F401 - fills the catalogue
    from chaos.real.leftovers import remove_leftovers
    from chaos.real.telling import report_of
    from chaos.report.publish import publish

    abilities = Abilities(rootless=rootless)
    if list_faults:
        _print_catalogue(abilities)
        return 0
    kinds = _chosen(faults, abilities)
    drawn = randbelow(1_000_000) if seed is None else seed
    again = _again(minutes, nodes, drawn, rate, rootless=rootless, faults=faults)
    campaign = Campaign(minutes, int(nodes), drawn, rate, keep)
    diary = Diary(again, drawn)
    course = Course(campaign, kinds, abilities, Belongings(), diary, click.echo)
    for what in remove_leftovers():
        click.echo(f"removed what an earlier run left behind: {what}")
    click.echo(f"{again}  ({len(kinds)} kinds of faults)")
    started, began = datetime.now(UTC), monotonic()
    run_course(course)
    drawn_seed = () if seed is not None else ("--seed", str(drawn))
    report = report_of(course, invocation_given(*drawn_seed), started, monotonic() - began)
    code = publish(report, json_file, html_file)
    if course.interrupted:
        click.echo("interrupted: what was running is not judged; nothing was left behind", err=True)
        return _INTERRUPTED
    return code


def _print_catalogue(abilities: Abilities) -> None:
    for name, kind in sorted(CATALOGUE.items(), key=lambda item: (item[1].lane, item[0])):
        lacking = abilities.lack(kind.needs)
        note = f"  (left out here: {lacking})" if lacking else ""
        click.echo(f"{kind.lane:8} {name:22} {kind.promise}{note}")
    able = sum(not abilities.lack(kind.needs) for kind in CATALOGUE.values())
    click.echo(f"{len(CATALOGUE)} kinds, {able} of which work here")


def _chosen(faults: str | None, abilities: Abilities) -> tuple[Kind, ...]:
    """Return the kinds to draw from.

    Raises a usage error for one that is unknown, and a failure for one that was asked for by name
    and does not work here.
    """
    if faults is None:
        return tuple(kind for kind in CATALOGUE.values() if not abilities.lack(kind.needs))
    chosen = []
    for name in dict.fromkeys(part.strip() for part in faults.split(",") if part.strip()):
        if name not in CATALOGUE:
            raise click.UsageError(f"there is no fault {name!r}; --list-faults shows all")
        lacking = abilities.lack(CATALOGUE[name].needs)
        if lacking:
            raise click.ClickException(f"the fault {name} does not work here: {lacking}")
        chosen.append(CATALOGUE[name])
    if not chosen:
        raise click.UsageError("--faults names none")
    return tuple(chosen)


def _again(
    minutes: float, nodes: str, seed: int, rate: int, *, rootless: bool, faults: str | None
) -> str:
    """Return the command line that tries the same again."""
    words = ["--nodes", nodes, "--seed", str(seed), "--rate", str(rate)]
    words += ["--rootless"] if rootless else []
    words += ["--faults", faults] if faults else []
    return invocation("real", "--minutes", f"{minutes:g}", *words)
