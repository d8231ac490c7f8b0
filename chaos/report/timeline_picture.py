"""The timeline of a run as one SVG picture: a lane each for who, a colour each for what."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from chaos.report.run_report import Moment

_WIDTH: Final = 1160
_GUTTER: Final = 116
_RIGHT: Final = 20
_TOP: Final = 10
_ROW: Final = 16
_MARK: Final = 12
_LANE_PADDING: Final = 7
_AXIS: Final = 34
_MOST_ROWS: Final = 12
_MOST_MARKS: Final = 2_500
_CELL: Final = 4
"""Marks of one kind in one lane that start and end within the same cell are drawn once."""

_KNOWN: Final = {
    "violation": "#d6001c",
    "not seen": "#d6001c",
    "seen": "#1f9d55",
    "kill": "#e4572e",
    "power": "#b23a48",
    "pause": "#e0a100",
    "partition": "#f08a24",
    "leader": "#1f9d55",
    "heal": "#57b894",
    "restart": "#3aa6a6",
    "start": "#3aa6a6",
}
_OTHERS: Final = (
    "#3b6fd4",
    "#8e5bd0",
    "#c9539c",
    "#7a8b99",
    "#5c7f2b",
    "#9b6a3c",
    "#2f8fc4",
    "#b0418b",
    "#6c6fc5",
    "#4d908e",
    "#a05195",
    "#7f7f2a",
)


class Mark(NamedTuple):
    """One thing drawn: `times` moments that lie at the same place."""

    lane: str
    kind: str
    left: float
    right: float
    text: str
    times: int


class Picture(NamedTuple):
    """The drawing, what its colours mean (kind, colour, how many), and how much it shows."""

    svg: str
    legend: list[tuple[str, str, int]]
    moments: int
    marks: int


def draw(moments: Sequence[Moment]) -> Picture:
    """Return the picture of `moments`; those too close to be told apart are drawn as one.

    The title of a mark, which browsers show under the pointer, says what happened and how often.
    """
    if not moments:
        return Picture("", [], 0, 0)
    begin = min(moment.at_ms for moment in moments)
    end = max(max(moment.at_ms, moment.until_ms) for moment in moments)
    scale = (_WIDTH - _GUTTER - _RIGHT) / max(end - begin, 1e-6)
    marks = _thinned(moments, begin, scale)
    counts: dict[str, int] = {}
    for moment in moments:
        counts[moment.kind] = counts.get(moment.kind, 0) + 1
    colours = _colours(counts)
    parts: list[str] = []
    bottom = float(_TOP)
    lanes = sorted({moment.lane for moment in moments}, key=_natural)
    for number, lane in enumerate(lanes):
        rows = _rows([mark for mark in marks if mark.lane == lane])
        tall = max(1, len(rows)) * _ROW + 2 * _LANE_PADDING
        parts += _lane(lane, number, bottom, tall)
        for row, placed in enumerate(rows):
            top = bottom + _LANE_PADDING + row * _ROW + (_ROW - _MARK) / 2
            parts += [_shape(mark, top, colours[mark.kind]) for mark in placed]
        bottom += tall
    parts += _violations(marks, bottom)
    parts += _axis(begin, end, scale, bottom)
    height = bottom + _AXIS
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
        f'aria-label="Timeline of the run">{"".join(parts)}</svg>'
    )
    legend = [(kind, colours[kind], counts[kind]) for kind in sorted(counts)]
    return Picture(svg, legend, len(moments), len(marks))


def _thinned(moments: Sequence[Moment], begin: float, scale: float) -> list[Mark]:
    cell = _CELL
    while True:
        marks = _merged(moments, begin, scale, cell)
        if len(marks) <= _MOST_MARKS or cell >= _WIDTH:
            return marks
        cell *= 2


def _merged(moments: Sequence[Moment], begin: float, scale: float, cell: int) -> list[Mark]:
    merged: dict[tuple[str, str, int, int], Mark] = {}
    for moment in sorted(moments, key=lambda moment: moment.at_ms):
        left = _GUTTER + (moment.at_ms - begin) * scale
        right = _GUTTER + (moment.until_ms - begin) * scale if moment.until_ms >= 0 else left
        right = max(right, left)
        key = (moment.lane, moment.kind, int(left / cell), int(right / cell))
        earlier = merged.get(key)
        if earlier is None:
            text = f"{_time(moment.at_ms)} {moment.kind}: {moment.text}"
            merged[key] = Mark(moment.lane, moment.kind, left, right, text, 1)
        else:
            merged[key] = earlier._replace(times=earlier.times + 1, right=max(earlier.right, right))
    return sorted(merged.values(), key=lambda mark: (mark.left, mark.right))


def _rows(marks: Iterable[Mark]) -> list[list[Mark]]:
    """Return `marks` in rows without overlap; past the last row the least crowded takes more."""
    rows: list[list[Mark]] = []
    ends: list[float] = []
    for mark in marks:
        reach = max(mark.right, mark.left + _CELL) + 1
        free = next((row for row, end in enumerate(ends) if end <= mark.left), None)
        if free is None and len(rows) < _MOST_ROWS:
            rows.append([])
            ends.append(0.0)
            free = len(rows) - 1
        elif free is None:
            free = ends.index(min(ends))
        rows[free].append(mark)
        ends[free] = max(ends[free], reach)
    return rows


def _lane(name: str, number: int, top: float, height: float) -> Iterator[str]:
    tone = "even" if number % 2 else "odd"
    yield f'<rect class="{tone}" x="0" y="{top:.1f}" width="{_WIDTH}" height="{height:.1f}"/>'
    shown = name if len(name) <= 16 else name[:15] + "…"
    yield (
        f'<text class="lane" x="10" y="{top + height / 2 + 4:.1f}">{escape(shown)}'
        f"<title>{escape(name)}</title></text>"
    )


def _shape(mark: Mark, top: float, colour: str) -> str:
    width = max(mark.right - mark.left, 3.0)
    times = f" ({mark.times:,} times)" if mark.times > 1 else ""
    span = mark.right - mark.left > _CELL
    shape = (
        f'<rect x="{mark.left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_MARK}" rx="2" '
        f'fill="{colour}"/>'
    )
    label = ""
    if span and width > 7 * len(mark.kind) + 8:
        label = (
            f'<text class="mark" x="{mark.left + 5:.1f}" y="{top + _MARK - 3:.1f}">'
            f"{escape(mark.kind)}</text>"
        )
    return f"<g><title>{escape(mark.text + times)}</title>{shape}{label}</g>"


def _violations(marks: Iterable[Mark], bottom: float) -> Iterator[str]:
    """Yield a line through all lanes at each violation: where to look first."""
    for mark in marks:
        if mark.kind == "violation":
            yield (
                f'<line class="violation" x1="{mark.left + 1.5:.1f}" y1="{_TOP}" '
                f'x2="{mark.left + 1.5:.1f}" y2="{bottom:.1f}"/>'
            )


def _axis(begin: float, end: float, scale: float, top: float) -> Iterator[str]:
    yield (
        f'<line class="axis" x1="{_GUTTER}" y1="{top:.1f}" x2="{_WIDTH - _RIGHT}" y2="{top:.1f}"/>'
    )
    step = _step((end - begin) / 9)
    at = -(-begin // step) * step + 0.0  # Never minus zero.
    while at <= end:
        x = _GUTTER + (at - begin) * scale
        yield f'<line class="axis" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{top + 5:.1f}"/>'
        yield f'<text class="axis" x="{x:.1f}" y="{top + 19:.1f}">{_time(at)}</text>'
        at += step


def _step(least: float) -> float:
    """Return the next round number of ms: 1, 2 or 5 times a power of ten."""
    power = 0.001
    while True:
        for factor in (1, 2, 5):
            if power * factor >= least:
                return power * factor
        power *= 10


def _time(at_ms: float) -> str:
    if abs(at_ms) < 10_000:
        return f"{at_ms:,.3f}".rstrip("0").rstrip(".") + " ms"
    return f"{at_ms / 1000:,.3f}".rstrip("0").rstrip(".") + " s"


def _colours(kinds: Iterable[str]) -> dict[str, str]:
    colours = {}
    others = 0
    for kind in sorted(kinds):
        known = _KNOWN.get(kind)
        if known is None:
            known = _OTHERS[others % len(_OTHERS)]
            others += 1
        colours[kind] = known
    return colours


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort "node 10" behind "node 9"."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
