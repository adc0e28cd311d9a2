"""HTML page of a training: figures, loss and score by epoch, and the classes that are taken for others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from linnet.version import version
from linnet_bench.html import Axis, Bar, Markup, Page, Series, bar_chart, element, line_chart, table
from linnet_train.report import FEWEST_FOR_SHARES, RIGHT_SCORE, TrainReport

__all__ = ["training_page"]

_SCORE = f"eval_{RIGHT_SCORE}"


def training_page(report: TrainReport, log: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of a training.

    Args:
        report: of the training.
        log: entries of the trainer's log.
    """
    chosen = f"epoch {report.best_epoch} of {report.epochs}" if report.best_epoch else "the last epoch"
    reason = f", chosen by {report.chosen_by}" if report.best_epoch and report.chosen_by else ""
    page = Page(
        f"Training of {report.output.name}",
        subtitle=f"{report.task}: {report.rows} rows in {report.steps} steps of {report.batch_size}, "
        f"{report.held_out} rows held out; weights of {chosen}{reason}.",
        footer=f"Made by linnet train, linnet {version()}.",
    )
    if report.warnings:
        page.section("Warnings", [element("p", warning) for warning in report.warnings])
    figures = [(name, "not defined" if math.isnan(value) else f"{value:.4f}") for name, value in report.figures.items()]
    page.section("On the held-out rows", table(("figure", "value"), figures, right=(1,)))
    charts = _charts(log)
    if charts:
        page.section("By epoch", charts)
    if report.confusions:
        page.section("Taken for each other", _confusions(report))
    if report.notes:
        page.section("Notes", [element("p", note) for note in report.notes])
    return page.render()


def _charts(log: Sequence[Mapping[str, Any]]) -> list[Markup]:
    charts = []
    losses = [Series(name, _points(log, key)) for name, key in (("training", "loss"), ("held out", "eval_loss"))]
    shown = [line for line in losses if line.points]
    if shown:
        charts.append(line_chart("Loss by epoch", shown, x=Axis("epoch"), y=Axis("loss", better="low")))
    scores = _points(log, _SCORE)
    if scores:
        line = Series("mean score of the right class", scores)
        charts.append(line_chart("Score by epoch", [line], x=Axis("epoch"), y=Axis("score", better="high")))
    return charts


def _points(log: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    return [(float(entry["epoch"]), float(entry[key])) for entry in log if key in entry and math.isfinite(entry[key])]


def _confusions(report: TrainReport) -> Markup:
    bars = [
        Bar(
            f"{pair.expected} \N{RIGHTWARDS ARROW} {pair.found}",
            (pair.count / pair.rows,),
            f"{pair.count} of {pair.rows}",
        )
        for pair in report.confusions
    ]
    return bar_chart(
        "Share of a class's held-out rows that another class got",
        bars,
        axis=Axis("share", better="low"),
        description=f"Rows are few: {report.held_out} are held out." if report.held_out < FEWEST_FOR_SHARES else "",
    )
