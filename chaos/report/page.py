"""The report of a run as one HTML file that needs nothing else: no script, no font, no network."""

from collections.abc import Iterator
from html import escape
from typing import Final

from chaos.report.run_report import Moment, RunReport, Violation
from chaos.report.section import Mood, Row, Section, facts, sections, verdict
from chaos.report.table import is_figure
from chaos.report.timeline_picture import draw

_MOST_VIOLATIONS: Final = 200

_STYLE: Final = """
:root { --ink: #1a2230; --dim: #667085; --paper: #ffffff; --ground: #f4f6f9; --line: #e3e7ee;
  --good: #14804a; --bad: #c81e32; --good-ground: #e8f6ee; --bad-ground: #fdecee; --code: #f1f3f7 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #98a2b3; --paper: #171c26;
  --ground: #0f131a; --line: #2a3140; --good: #4cc38a; --bad: #ff7b8a; --good-ground: #12301f;
  --bad-ground: #3a161c; --code: #202735 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 64px }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 12px }
h2 { font-size: 12px; letter-spacing: .06em; text-transform: uppercase; color: var(--dim);
  font-weight: 600; margin: 0 0 12px }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 20px; margin: 0 0 16px; overflow-x: auto; min-width: 0 }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 16px;
  margin-bottom: 16px; align-items: start }
.cards .card { margin: 0 }
.verdict { display: inline-block; padding: 4px 14px; border-radius: 999px; font-weight: 600;
  margin-bottom: 16px }
.verdict.good { color: var(--good); background: var(--good-ground) }
.verdict.plain { color: var(--ink); background: var(--code) }
.verdict.bad { color: var(--bad); background: var(--bad-ground) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0 }
dt { color: var(--dim) } dd { margin: 0; overflow-wrap: anywhere }
code, pre { font: 12.5px/1.55 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace }
code { background: var(--code); border-radius: 4px; padding: 1px 5px; overflow-wrap: anywhere }
pre { background: var(--code); border-radius: 8px; padding: 12px 14px; margin: 10px 0 0;
  overflow: auto; max-height: 480px }
table { border-collapse: collapse; width: 100% }
th { text-align: left; color: var(--dim); font-weight: 500; padding: 0 14px 6px 0 }
td { border-top: 1px solid var(--line); padding: 6px 14px 6px 0; vertical-align: top;
  overflow-wrap: anywhere }
td:first-child { white-space: nowrap }
th.figure, td.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tr.good td.mood { color: var(--good); font-weight: 600 }
tr.bad td.mood { color: var(--bad); font-weight: 600 }
.violation { border-left: 4px solid var(--bad) }
.violation h3 { margin: 0 0 6px; color: var(--bad); font-size: 15px }
.violation p { margin: 0 0 8px; overflow-wrap: anywhere }
summary { cursor: pointer; color: var(--dim); margin-top: 8px }
figure { margin: 0 } svg { width: 100%; min-width: 900px; display: block }
svg text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink) }
svg text.axis { fill: var(--dim); text-anchor: middle; font-size: 11px }
svg text.mark { fill: #fff; font-size: 10px }
svg .odd { fill: var(--ground) } svg .even { fill: var(--paper) }
svg line.axis { stroke: var(--dim) }
svg line.violation { stroke: #d6001c; stroke-width: 1.5; stroke-dasharray: 4 3 }
.legend { display: flex; flex-wrap: wrap; gap: 6px 18px; margin-top: 12px; color: var(--dim) }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px;
  margin-right: 6px }
.legend b { color: var(--ink); font-weight: 500 }
.dim { color: var(--dim) }
@media print { body { background: #fff } .card { break-inside: avoid } pre { max-height: none } }
"""


def render(report: RunReport) -> str:
    """Return `report` as a complete HTML document; everything in it from the run is escaped."""
    listed = [section for section in sections(report) if section.rows]
    wide = [section for section in listed if section.title == "Figures"]
    narrow = [section for section in listed if section.title != "Figures"]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body><main>",
        *_header(report),
        *_violations(report),
        *(_card(section) for section in wide),
        *_timeline(report),
        '<div class="cards">',
        *(_card(section) for section in narrow),
        "</div></main></body></html>\n",
    ]
    return "\n".join(parts)


def _header(report: RunReport) -> Iterator[str]:
    sentence, mood = verdict(report)
    yield f'<header class="card"><h1>{escape(report.title)}</h1>'
    yield f'<div class="verdict {mood.value}">{escape(sentence)}</div><dl>'
    for name, value in facts(report):
        shown = escape(value)
        if name in ("command", "commit"):
            shown = f"<code>{shown}</code>"
        yield f"<dt>{escape(name)}</dt><dd>{shown}</dd>"
    yield "</dl></header>"


def _violations(report: RunReport) -> Iterator[str]:
    for violation in report.violations[:_MOST_VIOLATIONS]:
        yield _violation(violation)
    hidden = len(report.violations) - _MOST_VIOLATIONS
    if hidden > 0:
        yield (
            f'<section class="card violation"><p>and {hidden:,} more violations: '
            "see the JSON report</p></section>"
        )


def _violation(violation: Violation) -> str:
    seed = f" (seed {violation.seed})" if violation.seed >= 0 else ""
    again = f"<p>again: <code>{escape(violation.reproduce)}</code></p>"
    timeline = escape("\n".join(violation.timeline))
    return (
        f'<section class="card violation"><h3>{escape(violation.invariant)}{seed}</h3>'
        f"<p>{escape(violation.what)}</p>{again if violation.reproduce else ''}"
        + (
            f"<details open><summary>{len(violation.timeline):,} steps</summary>"
            f"<pre>{timeline}</pre></details>"
            if violation.timeline
            else ""
        )
        + "\n".join(_figure(violation.moments))
        + "</section>"
    )


def _timeline(report: RunReport) -> Iterator[str]:
    if not report.timeline:
        return
    if any(report.timeline == one.moments for one in report.violations[:_MOST_VIOLATIONS]):
        return  # It is drawn there.
    of = f" of {report.timeline_of}" if report.timeline_of else ""
    yield f'<section class="card"><h2>Timeline{escape(of)}</h2>'
    yield from _figure(report.timeline)
    yield "</section>"


def _figure(moments: list[Moment]) -> Iterator[str]:
    picture = draw(moments)
    if not picture.moments:
        return
    yield "<figure>"
    yield picture.svg
    yield '<figcaption class="legend">'
    for kind, colour, count in picture.legend:
        yield f'<span><i style="background:{colour}"></i><b>{escape(kind)}</b> {count:,}</span>'
    if picture.marks < picture.moments:
        yield (
            f"<span>{picture.moments:,} moments in {picture.marks:,} marks: "
            "those too close to be told apart are one</span>"
        )
    yield "</figcaption></figure>"


def _card(section: Section) -> str:
    figures = [
        all(is_figure(row.cells[number]) for row in section.rows)
        for number in range(len(section.columns))
    ]
    classes = ["figure" if is_right else "" for is_right in figures]
    head = "".join(
        f'<th class="{name}">{escape(column)}</th>'
        for column, name in zip(section.columns, classes, strict=True)
    )
    rows = "".join(_row(section, row, classes) for row in section.rows)
    return (
        f'<section class="card"><h2>{escape(section.title)}</h2>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _row(section: Section, row: Row, classes: list[str]) -> str:
    cells = []
    for column, cell, name in zip(section.columns, row.cells, classes, strict=True):
        shown = escape(cell)
        if column == "command" and cell:
            shown = f"<code>{shown}</code>"
        telling = column in ("met", "value") or (name and cell != "0")
        colour = " mood" if telling or (name and row.mood is Mood.GOOD) else ""
        cells.append(f'<td class="{name}{colour}">{shown}</td>')
    return f'<tr class="{row.mood.value}">{"".join(cells)}</tr>'
