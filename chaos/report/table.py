"""The report of a run for a terminal."""

from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from chaos.report.run_report import RunReport, Violation
from chaos.report.section import Mood, Section, facts, sections, verdict

_STYLES: Final = {Mood.PLAIN: "", Mood.GOOD: "green", Mood.BAD: "bold red"}
_PIPE_COLUMNS: Final = 160
_MOST_VIOLATIONS: Final = 20
_MOST_TIMELINE_LINES: Final = 60


class _Console(Console):
    """A console that leaves it to its user what happens when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Say so; rich itself would end the process."""
        raise BrokenPipeError


def print_report(report: RunReport) -> None:
    """Print `report` to standard output; as wide as the terminal, 160 columns into a pipe."""
    console = _Console(highlight=False)
    if not console.is_terminal:
        console = _Console(highlight=False, width=_PIPE_COLUMNS)
    console.print(_header(report))
    for section in sections(report):
        if section.rows:
            console.print(_table(section))
    for violation in report.violations[:_MOST_VIOLATIONS]:
        console.print(_violation(violation))
    hidden = len(report.violations) - _MOST_VIOLATIONS
    if hidden > 0:
        console.print(f"and {hidden:,} more violations: see the JSON report", style="bold red")


def _header(report: RunReport) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts(report):
        grid.add_row(name, Text(value))
    sentence, mood = verdict(report)
    style = _STYLES[mood]
    return Panel(
        Group(grid, Text(), Text(sentence, style=style)),
        title=Text(report.title, style="bold"),
        title_align="left",
        border_style=style,
        expand=False,
    )


def _table(section: Section) -> RenderableType:
    table = Table(title=section.title, title_justify="left", title_style="bold", header_style="dim")
    for number, column in enumerate(section.columns):
        figures = all(is_figure(row.cells[number]) for row in section.rows)
        table.add_column(column, justify="right" if figures else "left", overflow="fold")
    for row in section.rows:
        table.add_row(*(Text(cell) for cell in row.cells), style=_STYLES[row.mood])
    return table


def _violation(violation: Violation) -> RenderableType:
    where = f" (seed {violation.seed})" if violation.seed >= 0 else ""
    lines: list[RenderableType] = [Text(violation.what)]
    if violation.reproduce:
        lines.append(Text.assemble(("again: ", "dim"), (violation.reproduce, "bold")))
    hidden = len(violation.timeline) - _MOST_TIMELINE_LINES
    if hidden > 0:
        lines.append(Text(f"  ... {hidden:,} earlier lines are in the JSON report", style="dim"))
    timeline = violation.timeline[-_MOST_TIMELINE_LINES:]
    lines.append(Padding(Text("\n".join(timeline)), (0, 0, 0, 2)))
    return Panel(
        Group(*lines),
        title=Text(violation.invariant + where, style="bold red"),
        title_align="left",
        border_style="red",
    )


def is_figure(cell: str) -> bool:
    """Return whether `cell` is a number, which stands right in its column."""
    return cell.replace(",", "").replace(".", "").replace("-", "").isdigit()
