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
    known = [value for bar in bars for value in bar.values if value is not None]
    axis = dataclasses.replace(axis, from_zero=True)

    def draw(width: int) -> tuple[float, list[Content]]:
        above = width <= NARROW  # a phone is too narrow for names beside the bars
        limit = 48 if above else 42
        left = 2.0 if above else min(max((cell_width(bar.name) for bar in bars), default=0), limit) * 6.6 + 10
        right = max(map(text_width, map(written, known))) + 10 if known else 10
        scale = fit_scale(axis, known or [1.0], left, width - right)
        start = left if axis.log else scale(0.0)
        row = count * _THICKNESS + _GAP + (_NAME if above else 0)
        drawn: list[Content] = []
        for index, bar in enumerate(bars):
            top = 4 + index * row
            first = top + (_NAME if above else 0)
            content: list[Content] = [element("title", f"{bar.name}: {bar.note}" if bar.note else bar.name)]
            name = shorten(bar.name, limit)
            if above:
                content.append(label(name, left, top + 11, class_="name"))
            else:
                middle = top + count * _THICKNESS / 2 + 3
                content.append(label(name, left - 8, middle, anchor="end", class_="name"))
            for at, value in enumerate(bar.values):
                content += _bar(at, value, first + at * _THICKNESS, start, scale, written)
            drawn.append(element("g", content))
        height = 4 + len(bars) * row + 16
        if not above:
            drawn.append(element("line", x1=start, x2=start, y1=0, y2=height - 18, class_="axis"))
        drawn.append(label(axis.hint, width - 2, height - 3, anchor="end", class_="title"))
        return height, drawn

    headers: list[Content] = ["", *(series or [axis.title])]
    rows: list[list[Content]] = [
        [bar.name, *("" if value is None else written(value) for value in bar.values)] for bar in bars
    ]
    figures = details(table(headers, rows, caption=title, right=range(1, count + 1))) if listed else None
    return picture(title, draw, legend(series), figures, description=description)


def _bar(
    index: int, value: float | None, top: float, start: float, scale: Callable[[float], float],
    written: Callable[[float], str],
) -> list[Content]:  # fmt: skip
    if value is None or not math.isfinite(value):
        return []
    end = scale(value)
    left, width = min(start, end), max(abs(end - start), 1.0)
    drawn = element("rect", x=left, y=top, width=width, height=_THICKNESS - 2, rx=2, class_="bar")
    return [
        element("g", drawn, class_=f"series-{index % 6}"),
        label(written(value), left + width + 5, top + _THICKNESS - 3, class_="tick"),
    ]
