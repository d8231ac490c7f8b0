"""How every command ends: the report printed, saved where it was asked for, and the exit code."""

from pathlib import Path
from typing import Final

import click

from chaos.report.listener import listener_may_leave
from chaos.report.page import render
from chaos.report.run_report import RunReport, to_json
from chaos.report.table import print_report

HELD: Final = 0
FAILED: Final = 1


def publish(report: RunReport, json_file: Path | None, html_file: Path | None) -> int:
    """Write the files asked for, print `report`, and return the exit code of the command.

    0 when every invariant held and every figure met its goal, else 1. The files come first: they
    are there even if nobody reads what is printed. When one cannot be written, the report is
    printed all the same; then click.ClickException is raised.
    """
    wrote, failed = [], []
    for path, content in ((json_file, to_json), (html_file, _page)):
        if path is not None:
            try:
                wrote.append(f"wrote {path} ({path.write_bytes(content(report)):,} bytes)")
            except OSError as error:
                failed.append(f"{path} cannot be written: {error}")
    with listener_may_leave():
        print_report(report)
        click.echo("".join(f"{line}\n" for line in wrote), nl=False)
    if failed:
        raise click.ClickException("; ".join(failed))
    return HELD if report.held and all(figure.met for figure in report.figures) else FAILED


def _page(report: RunReport) -> bytes:
    return render(report).encode()
