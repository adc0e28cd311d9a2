"""Line charts with bands, and scatter charts with a Pareto front."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from linnet_bench.html.axes import Axis, Canvas, Scale, draw_frame, fit_scale, label, picture, text_width
from linnet_bench.html.figures import significant
from linnet_bench.html.marks import dashes, legend, marker
from linnet_bench.html.markup import Content, Markup, element
from linnet_bench.html.table import table

__all__ = ["Point", "Series", "line_chart", "pareto_front", "scatter_chart"]


@dataclasses.dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        name: name in the legend.
        points: (x, y), by rising x.
        band: (low, high) at each point; empty for a line alone.
    """

    name: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float]] = ()


@dataclasses.dataclass(frozen=True)
class Point:
    """One point of a chart.

    Attributes:
        name: label beside it.
        x, y: its coordinates.
        group: points of one group share a colour; its name is in the legend.
    """

    name: str
    x: float
    y: float
    group: str = ""


def line_chart(
    title: str,
    series: Sequence[Series],
    *,
    x: Axis,
    y: Axis,
    band_name: str = "band",
    description: str = "",
    height: int = 300,
    listed: bool = True,
    marked: bool = True,
) -> Markup:
    """Return lines, optionally with bands around them, and their figures as a table.

    Args:
        title: caption of the chart.
        series: at least one line; a band has as many entries as its line has points.
        x, y: the axes.
        band_name: meaning of the band, for legend and table.
        description: the finding in a sentence.
        height: height of the drawing, in pixels.
        listed: the figures are below as a table; False where the page has them elsewhere.
        marked: draw a mark at each point.

    Raises:
        ValueError: there is no point, a band does not fit its line, or a value does not fit its axis.
    """
    for line in series:
        if line.band and len(line.band) != len(line.points):
            raise ValueError(f"{line.name}: {len(line.band)} band entries for {len(line.points)} points")
    xs = [point[0] for line in series for point in line.points]
    ys = [point[1] for line in series for point in line.points]
    ys += [edge for line in series for pair in line.band for edge in pair]

    def draw(width: int) -> tuple[float, list[Content]]:
        canvas = Canvas(width, height)
        x_scale, y_scale = _scales(canvas, x, xs, y, ys)
        drawn: list[Content] = [*draw_frame(canvas, x, x_scale, y, y_scale)]
        drawn += [_line(index, line, x_scale, y_scale, marked) for index, line in enumerate(series)]
        return height, drawn

    has_band = any(line.band for line in series)
    names = legend([line.name for line in series], marker)
    note = element("p", f"Shaded: {band_name}.", class_="note") if has_band else None
    figures = _line_table(title, series, x, y, band_name) if listed else None
    return picture(title, draw, names, note, figures, description=description)


def _scales(canvas: Canvas, x: Axis, xs: Sequence[float], y: Axis, ys: Sequence[float]) -> tuple[Scale, Scale]:
    return (
        fit_scale(x, xs, canvas.left, canvas.width - canvas.right),
        fit_scale(y, ys, canvas.height - canvas.bottom, canvas.top),
    )


def _line(index: int, series: Series, x: Scale, y: Scale, marked: bool) -> Markup:
    drawn: list[Content] = []
    if series.band:
        upper = [f"{x(point[0]):.1f},{y(edge[1]):.1f}" for point, edge in zip(series.points, series.band, strict=True)]
        lower = [f"{x(point[0]):.1f},{y(edge[0]):.1f}" for point, edge in zip(series.points, series.band, strict=True)]
        drawn.append(element("polygon", points=" ".join(upper + lower[::-1]), class_="band"))
    places = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in series.points)
    drawn.append(element("polyline", points=places, class_="line", stroke_dasharray=dashes(index)))
    if marked:
        drawn += [marker(index, x(a), y(b)) for a, b in series.points]
    return element("g", drawn, class_=f"series-{index % 6}")


def _line_table(title: str, series: Sequence[Series], x: Axis, y: Axis, band_name: str) -> Markup:
    columns: list[Content] = [x.title]
    for line in series:
        columns.append(line.name if len(series) > 1 else y.title)
        columns += [f"{line.name}: {band_name}"] if line.band else []
    values: dict[float, list[Content]] = {at: [] for at in sorted({a for line in series for a, _ in line.points})}
    for line in series:
        known = {point[0]: index for index, point in enumerate(line.points)}
        for at, cells in values.items():
            index = known.get(at)
            cells.append("" if index is None else significant(line.points[index][1]))
            if line.band:
                cells.append("" if index is None else "\N{EN DASH}".join(map(significant, line.band[index])))
    rows = [[f"{at:g}", *cells] for at, cells in values.items()]
    return details(table(columns, rows, caption=title, right=range(len(columns))))


def scatter_chart(
    title: str,
    points: Sequence[Point],
    *,
    x: Axis,
    y: Axis,
    front: bool = True,
    description: str = "",
    height: int = 340,
    listed: bool = True,
) -> Markup:
    """Return labelled points, the Pareto front through the non-dominated ones, and a table.

    The front is drawn if both axes define which end is better.

    Args:
        title: caption of the chart.
        points: at least one.
        x, y: the axes.
        front: draw the front.
        description: the finding in a sentence.
        height: height of the drawing, in pixels.
        listed: the figures are below as a table; False where the page has them elsewhere.

    Raises:
        ValueError: there is no point, or a value does not fit its axis.
    """
    best = pareto_front(points, x, y) if front else []
    groups = list(dict.fromkeys(point.group for point in points))

    def draw(width: int) -> tuple[float, list[Content]]:
        canvas = Canvas(width, height)
        x_scale, y_scale = _scales(canvas, x, [point.x for point in points], y, [point.y for point in points])
        drawn: list[Content] = [*draw_frame(canvas, x, x_scale, y, y_scale)]
        if len(best) > 1:
            steps = " ".join(f"{x_scale(point.x):.1f},{y_scale(point.y):.1f}" for point in best)
            drawn.append(element("polyline", points=steps, class_="front"))
        places = [(x_scale(point.x), y_scale(point.y)) for point in points]
        for point, (at_x, at_y) in zip(points, places, strict=True):
            index = groups.index(point.group)
            drawn.append(element("g", marker(index, at_x, at_y, 5), class_=f"series-{index % 6}"))
        drawn += _point_labels(canvas, points, places)
        return height, drawn

    headers: list[Content] = ["", x.title, y.title, *(["on the Pareto front"] if best else [])]
    rows: list[list[Content]] = [
        [point.name, significant(point.x), significant(point.y, 4), *(["yes" if point in best else "no"] * bool(best))]
        for point in points
    ]
    figures = details(table(headers, rows, caption=title, right=(1, 2))) if listed else None
    note = "Dashed: the Pareto front. No other point is better in one direction and as good in the other."
    shown = element("p", note, class_="note") if len(best) > 1 else None
    return picture(
        title, draw, legend([group for group in groups if group], marker), shown, figures, description=description
    )


def pareto_front(points: Sequence[Point], x: Axis, y: Axis) -> list[Point]:
    """Return the points that no other point beats or equals in both directions, by rising x.

    Empty if an axis does not define which end is better.
    """
    if x.better is None or y.better is None:
        return []
    sign_x, sign_y = (1 if axis.better == "low" else -1 for axis in (x, y))

    def beaten(point: Point) -> bool:
        return any(
            sign_x * other.x <= sign_x * point.x
            and sign_y * other.y <= sign_y * point.y
            and (other.x, other.y) != (point.x, point.y)
            for other in points
        )

    return sorted((point for point in points if not beaten(point)), key=lambda point: (point.x, point.y))


def _point_labels(canvas: Canvas, points: Sequence[Point], places: Sequence[tuple[float, float]]) -> list[Content]:
    """Return the names beside their points, each at the first candidate position that overlaps nothing."""
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    drawn: list[Content] = []
    for point, (x, y) in zip(points, places, strict=True):
        name = point.name if len(point.name) <= 28 else point.name[:27] + "…"
        width = text_width(name)
        boxes = [(x + dx - (width if left else 0), y + dy - 10, left) for dy in (4, -9, 18, -22, 31) for dx, left in
                 ((9, False), (-9, True))]  # fmt: skip
        boxes += [(x - width / 2, y + dy - 10, False) for dy in (-10, 20)]
        inside = [
            (bx, by)
            for bx, by, _ in boxes
            if bx >= canvas.left and bx + width <= canvas.width - 2 and canvas.top <= by <= canvas.height - 14
        ]
        free = [place for place in inside if not any(_overlap((*place, place[0] + width, place[1] + 13), area)
                                                     for area in taken)]  # fmt: skip
        at = (free or inside or [(max(2.0, x - width - 9), y - 6)])[0]
        taken.append((at[0], at[1], at[0] + width, at[1] + 13))
        drawn.append(label(name, at[0], at[1] + 10, class_="name"))
    return drawn


def _overlap(left: tuple[float, float, float, float], right: tuple[float, float, float, float]) -> bool:
    return left[0] < right[2] and right[0] < left[2] and left[1] < right[3] and right[1] < left[3]


def details(content: Content, summary: str = "The figures as a table") -> Markup:
    """Return collapsed content that a click opens."""
    return element("details", element("summary", summary), content)
