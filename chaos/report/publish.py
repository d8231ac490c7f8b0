"""How every command ends: the report printed, saved where it was asked for, and the exit code."""

from pathlib import Path
from typing import Final

import click

from chaos.report.page import render
from chaos.report.run_report import RunReport, to_json
from chaos.report.table import print_report

HELD: Final = 0
FAILED: Final = 1


def publish(report: RunReport, json_file: Path | None, html_file: Path | None) -> int:
    """Print `report`, write the files asked for, and return the exit code of the command.

    0 when every invariant held and every figure met its goal, else 1. Folders of the files are made
    when they are missing. Raises click.ClickException when a file cannot be written.
    """
    print_report(report)
    if json_file is not None:
        _write(json_file, to_json(report))
    if html_file is not None:
        _write(html_file, render(report).encode())
    return HELD if report.held and all(figure.met for figure in report.figures) else FAILED


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error}") from error
    click.echo(f"wrote {path} ({len(content):,} bytes)")
