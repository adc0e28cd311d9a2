"""Horizontal bar charts: one row for each item, one bar for each series."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

from linnet.cli.console import cell_width, shorten
from linnet_bench.html.axes import NARROW, Axis, fit_scale, label, picture, text_width
from linnet_bench.html.charts import details
from linnet_bench.html.figures import significant
from linnet_bench.html.marks import legend
from linnet_bench.html.markup import Content, Markup, element
from linnet_bench.html.table import table

__all__ = ["Bar", "bar_chart"]

_THICKNESS, _GAP, _NAME = 13, 9, 15


@dataclasses.dataclass(frozen=True)
class Bar:
    """One row.

    Attributes:
        name: label at its left.
        values: one for each series, in their order; None: no value.
        note: tooltip of the row.
    """

    name: str
    values: Sequence[float | None]
    note: str = ""


def bar_chart(
    title: str,
    bars: Sequence[Bar],
    *,
    axis: Axis,
    series: Sequence[str] = (),
    written: Callable[[float], str] = significant,
    description: str = "",
    listed: bool = True,
) -> Markup:
    """Return horizontal bars, each with its figure, and a table.

    Args:
        title: caption of the chart.
        bars: rows from top to bottom, at least one.
        axis: meaning of the length; linear axes start at zero.
        series: names of the bars of one row; none for one bar.
        written: converts a value to text.
        description: the finding in a sentence.
        listed: the figures are below as a table; False where the page has them elsewhere.

    Raises:
        ValueError: there is no bar, a row has another number of values, or a value does not fit the axis.
    """
    count = max(1, len(series))
    for bar in bars:
        if len(bar.values) != count:
            raise ValueError(f"{bar.name}: {len(bar.values)} values for {count} series")
    axis = dataclasses.replace(axis, from_zero=True)
    figures = _bar_table(title, bars, series or [axis.title], written) if listed else None
    return picture(
        title, lambda width: _drawn(width, bars, axis, written), legend(series), figures, description=description
    )


def _drawn(width: int, bars: Sequence[Bar], axis: Axis, written: Callable[[float], str]) -> tuple[float, list[Content]]:
    """Return the height of the drawing and what is in it, for a width in pixels."""
    layout = _layout(width, bars, axis, written)
    drawn: list[Content] = [element("g", _row(bar, 4 + at * layout.row, layout)) for at, bar in enumerate(bars)]
    height = 4 + len(bars) * layout.row + 16
    if not layout.above:
        drawn.append(element("line", x1=layout.start, x2=layout.start, y1=0, y2=height - 18, class_="axis"))
    drawn.append(label(axis.hint, width - 2, height - 3, anchor="end", class_="title"))
    return height, drawn


@dataclasses.dataclass(frozen=True)
class _Layout:
    """Where the parts of a row are, in pixels.

    Attributes:
        above: the name is above the bars, as a phone is too narrow for both side by side.
        limit: most cells of a name.
        left, start: left end of the scale, and of a bar of length 0.
        row: height of a row.
        scale: from a value to its place.
        written: from a value to its text.
    """

    above: bool
    limit: int
    left: float
    start: float
    row: int
    scale: Callable[[float], float]
    written: Callable[[float], str]


def _layout(width: int, bars: Sequence[Bar], axis: Axis, written: Callable[[float], str]) -> _Layout:
    above = width <= NARROW
    limit = 48 if above else 42
    known = [value for bar in bars for value in bar.values if value is not None]
    left = 2.0 if above else min(max((cell_width(bar.name) for bar in bars), default=0), limit) * 6.6 + 10
    right = max(map(text_width, map(written, known))) + 10 if known else 10
    scale = fit_scale(axis, known or [1.0], left, width - right)
    count = len(bars[0].values) if bars else 1
    return _Layout(
        above=above,
        limit=limit,
        left=left,
        start=left if axis.log else scale(0.0),
        row=count * _THICKNESS + _GAP + (_NAME if above else 0),
        scale=scale,
        written=written,
    )


def _row(bar: Bar, top: float, layout: _Layout) -> list[Content]:
    content: list[Content] = [element("title", f"{bar.name}: {bar.note}" if bar.note else bar.name)]
    name = shorten(bar.name, layout.limit)
    if layout.above:
        content.append(label(name, layout.left, top + 11, class_="name"))
    else:
        middle = top + len(bar.values) * _THICKNESS / 2 + 3
        content.append(label(name, layout.left - 8, middle, anchor="end", class_="name"))
    first = top + (_NAME if layout.above else 0)
    for at, value in enumerate(bar.values):
        content += _bar(at, value, first + at * _THICKNESS, layout)
    return content


def _bar(index: int, value: float | None, top: float, layout: _Layout) -> list[Content]:
    if value is None or not math.isfinite(value):
        return []
    end = layout.scale(value)
    left, width = min(layout.start, end), max(abs(end - layout.start), 1.0)
    drawn = element("rect", x=left, y=top, width=width, height=_THICKNESS - 2, rx=2, class_="bar")
    return [
        element("g", drawn, class_=f"series-{index % 6}"),
        label(layout.written(value), left + width + 5, top + _THICKNESS - 3, class_="tick"),
    ]


def _bar_table(title: str, bars: Sequence[Bar], names: Sequence[str], written: Callable[[float], str]) -> Markup:
    rows: list[list[Content]] = [
        [bar.name, *("" if value is None else written(value) for value in bar.values)] for bar in bars
    ]
    return details(table(["", *names], rows, caption=title, right=range(1, len(names) + 1)))
