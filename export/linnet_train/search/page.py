"""HTML page of a search."""

from __future__ import annotations

import math

from linnet.cli.console import counted
from linnet.version import version
from linnet_bench.html import Axis, Page, Point, element, scatter_chart, table
from linnet_train.search.report import SearchReport

__all__ = ["search_page"]


def search_page(report: SearchReport) -> str:
    """Return the page: the trials that are worth having, and all of them by size and by latency."""
    best = report.best
    outcome = "none fits the budget" if best is None else f"the best that fits is trial {best.number}"
    page = Page(
        f"{report.output.name}: {counted(len(report.trials), 'trial')}",
        maker="linnet train",
        subtitle=f"{report.metric} on held-out rows, of the exported files; {outcome}.",
        footer=f"Made by linnet train --search, linnet {version()}.",
    )
    headers, rows = report.rows()
    caption = "No other trial is better in one of the three and as good in the others"
    page.section("Worth having", table(headers, rows, caption=caption, right=range(1, len(headers))))
    most = 1.0 if all(trial.value <= 1 for trial in report.trials) else math.inf
    metric = Axis(report.metric, better="high", most=most)
    for title, axis, values in (
        ("By size of the file", Axis("size", "MB", better="low"), [trial.megabytes for trial in report.trials]),
        ("By latency", Axis("p50", "ms", better="low"), [trial.milliseconds for trial in report.trials]),
    ):
        points = [
            Point(str(trial.number), x, trial.value, "fits" if trial.fits else "over the budget")
            for trial, x in zip(report.trials, values, strict=True)
        ]
        page.section(title, scatter_chart(f"{report.metric}: {title.lower()}", points, x=axis, y=metric))
    if report.failures:
        page.section("Failed", [element("p", failure) for failure in report.failures])
    return page.render()
