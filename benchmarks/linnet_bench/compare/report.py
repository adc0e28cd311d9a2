"""HTML page of a comparison."""

from __future__ import annotations

import math

from linnet.cli.console import counted
from linnet_bench.compare.result import Comparison
from linnet_bench.compare.table import costs, latencies, like_first, notes, ran, speed_name
from linnet_bench.html import Axis, Content, Page, Point, Series, element, line_chart, scatter_chart, table

__all__ = ["comparison_page"]


def comparison_page(comparison: Comparison) -> str:
    """Return the page: files, costs and accuracy, Pareto plots, latency by length, machine."""
    first = comparison.files[0].file
    names = ", ".join(file.label for file in comparison.files)
    machine = comparison.environment
    page = Page(
        f"{names}: side by side",
        maker="linnet compare",
        subtitle=f"{first.source or 'unknown'}, {first.model_type}, {first.task}",
        footer=f"Made by linnet compare, {comparison.created}, linnet {machine.versions.linnet}.",
    )
    page.section("The files", *_costs(comparison), _notes(comparison))
    charts = [*_charts(comparison)]
    if charts:
        page.section("Which are worth having", charts)
    if any(file.latencies for file in comparison.files):
        tables = [_table(rows, title) for title, rows in latencies(comparison)]
        page.section("Latency by length", *_lines(comparison), *tables)
    where = ", ".join(filter(None, (machine.board, machine.cpu, machine.architecture, machine.os)))
    page.section("Where it was measured", element("p", where), element("p", " ".join(machine.cpu_features)))
    return page.render()


def _table(content: tuple[list[str], list[list[str]]], caption: str) -> Content:
    headers, rows = content
    return table([*headers], rows, caption=caption, right=range(2, len(headers)))


def _costs(comparison: Comparison) -> list[Content]:
    """Return size, memory and start, then the accuracy: as one table they are wider than a screen."""
    headers, rows = costs(comparison)
    split = headers.index(like_first(comparison))
    tables: list[Content] = []
    for columns, caption in (
        ([*range(split), len(headers) - 1], "Size, memory and start"),
        ([0, *range(split, len(headers) - 1)], "Accuracy"),
    ):
        cells = [[row[column] for column in columns] for row in rows]
        first = 2 if columns[1] == 1 else 1
        tables.append(table([headers[column] for column in columns], cells, caption=caption,
                            right=range(first, len(columns)), unbroken=(0,)))  # fmt: skip
    return tables


def _notes(comparison: Comparison) -> list[Content]:
    return [element("p", note, class_="note") for note in notes(comparison)]


_AGAINST = {"agreement": "agreement with the original", "cosine_mean": "mean cosine with the original"}


def _charts(comparison: Comparison) -> list[Content]:
    """Return charts of size and latency against accuracy; files that lack one of them are left out."""
    values = [comparison.accuracy_of(file) for file in comparison.files]
    most = 1.0 if all(value <= 1 for value in values if math.isfinite(value)) else math.inf
    name = comparison.accuracy if comparison.settings.data else _AGAINST.get(comparison.accuracy, comparison.accuracy)
    accuracy = Axis(name, better="high", most=most)
    speed = f"{speed_name(comparison)}, {counted(comparison.threads, 'thread')}"
    sizes = [(file.label, file.file.size / 1e6, comparison.accuracy_of(file)) for file in comparison.files]
    speeds = [(file.label, comparison.speed_of(file) / 1e6, comparison.accuracy_of(file)) for file in comparison.files]
    charts: list[Content] = []
    for title, rows, axis in (
        ("Accuracy by size of the file", sizes, Axis("size", "MB", better="low")),
        ("Accuracy by latency", speeds, Axis(speed, "ms", better="low")),
    ):
        points = [Point(label, x, y) for label, x, y in rows if math.isfinite(x) and math.isfinite(y)]
        if points:
            charts.append(scatter_chart(title, points, x=axis, y=accuracy))
    return charts


def _lines(comparison: Comparison) -> list[Content]:
    charts: list[Content] = []
    for threads in comparison.settings.threads:
        series = []
        for file in comparison.files:
            own = [latency for latency in file.decoding or file.latencies if latency.threads == threads]
            points = [(float(latency.tokens), latency.summary.p50_ns / 1e6) for latency in own]
            band = [(latency.summary.p50_ns / 1e6, latency.summary.p90_ns / 1e6) for latency in own]
            series += [Series(file.label, points, band)] if points else []
        if series:
            decoder = any(file.decoding for file in comparison.files)
            what = "one token behind a context, by " if decoder else ""
            title = f"p50 of {what}{ran(comparison)} on {counted(threads, 'thread')}"
            x, y = Axis("tokens", whole=True, ticks=comparison.settings.lengths), Axis("latency", "ms", better="low")
            charts.append(line_chart(title, series, x=x, y=y, band_name="p50 to p90"))
    return charts
