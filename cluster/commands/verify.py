"""`quorumbook verify`: replay what the nodes have saved, offline, and confirm every digest."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cluster.console import (
    FAILED,
    data_option,
    failures_explained,
    json_option,
    say_json,
    say_table,
    usdc,
)
from cluster.deployment import open_deployment

if TYPE_CHECKING:
    from node.audit.report import AuditReport

_DIGITS = 16


@click.command("verify", short_help="replay saved logs offline and confirm every digest")
@click.argument(
    "directories", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--acknowledgements",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Replies as received (`replay --save-replies`): each must be in the log, unaltered.",
)
@data_option
@json_option
def command(
    directories: tuple[Path, ...], acknowledgements: Path | None, *, data: Path, as_json: bool
) -> None:
    """Replay the log of each node of --data, or of node DIRECTORIES or backups, and compare.

    Nodes may run meanwhile. Code 1 when anything is damaged, differs, is not conserved, or was
    acknowledged and lost.

    Example: quorumbook verify --json | jq .agreement
    """
    from node.audit.acknowledgements import AcknowledgementError
    from node.audit.verify import verify

    with failures_explained(AcknowledgementError):
        roots = directories or _node_folders(data)
        report = verify(roots, acknowledgements=acknowledgements)
    if as_json:
        say_json(report.to_dict())
    else:
        say_audit(report)
    if report.acknowledgements is not None and not report.acknowledgements.total:
        click.echo(f"{acknowledgements} holds no acknowledgement: nothing was proved", err=True)
    if not report.ok:
        sys.exit(FAILED)


def _node_folders(data: Path) -> tuple[Path, ...]:
    deployment = open_deployment(data)
    return tuple(deployment.folder(member.number) for member in deployment.members)


def say_audit(report: "AuditReport") -> None:
    """Print an audit for people.

    A row a node, then what they have in common, then everything wrong.
    """
    columns = (
        "node",
        "sound",
        "replayed to",
        "commands",
        "fills",
        "chain digest",
        "ledger digest",
        "deposits, USDC",
        "exact",
    )
    rows = []
    for node in report.nodes:
        said = node.to_dict()
        replay, end, kept = said.get("replay", {}), said["end"] or {}, said["conservation"]
        rows.append(
            (
                Path(said["directory"]).name,
                "yes" if said["ok"] else "NO",
                replay.get("to_index", "-"),
                replay.get("commands", "-"),
                replay.get("fills", "-"),
                end.get("chain", "-")[:_DIGITS],
                end.get("ledger", "-")[:_DIGITS],
                usdc(kept["deposits"]) if kept else "-",
                "yes" if kept and kept["exact"] else "NO",
            )
        )
    say_table("", columns, rows)
    if report.agreement is not None:
        same = "agree" if report.agreement.equal else "DIFFER"
        click.echo(f"all logs reach index {report.agreement.index}: the nodes {same} there")
    if report.acknowledgements is not None:
        seen = report.acknowledgements
        click.echo(
            f"acknowledged {seen.total}, found in the log {seen.found}, "
            f"lost {seen.lost}, altered {seen.altered}"
        )
    for finding in report.all_findings():
        click.echo(f"finding: {finding}")
