"""`report`: saved reports again, each or as one."""

from pathlib import Path

import click
import msgspec

from chaos.report.run_report import RunReport, from_json, merge
from chaos.report.target import TARGET_FILE


@click.command("report")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--json", "json_file", type=TARGET_FILE)
@click.option("--html", "html_file", type=TARGET_FILE)
@click.option("--title", help="What to call the merged report.")
def command(
    files: tuple[Path, ...], json_file: Path | None, html_file: Path | None, title: str | None
) -> int:
    """Show saved reports; several are merged into one.

    Counts add up, times and violations are joined. Ends with code 1 when a violation or a missed
    goal is among them. Example: .venv/bin/python -m chaos report soak-*.json --html soak.html
    """
    from chaos.report.publish import publish

    reports = [_read(path) for path in files]
    report = reports[0] if len(reports) == 1 else merge(reports)
    if title is not None:
        report.title = title
    return publish(report, json_file, html_file)


def _read(path: Path) -> RunReport:
    try:
        return from_json(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise click.ClickException(f"{path} is no saved report: {error}") from error
