"""Section of `linnet explain` about automatic mixed precision: size and error, and the sensitivity of layers."""

from __future__ import annotations

from linnet.format.evidence import MixedPrecision
from linnet_bench.html import Axis, Bar, Content, Point, bar_chart, element, scatter_chart, table
from linnet_bench.html.figures import bytes_text, significant
from linnet_export.explain.facts import Facts

__all__ = ["mixed_precision"]

_SHOWN = 16


def mixed_precision(facts: Facts) -> list[Content]:
    """Return the section with the curve and the most sensitive layers; empty without automatic mixed precision."""
    mixed = facts.evidence.report.mixed_precision
    if mixed is None or not mixed.curve:
        return []
    points = [
        Point(
            f"{point.raised} raised", point.stored_bytes / 1e6, point.error,
            "in this file" if point.raised == mixed.raised else "measured",
        )
        for point in mixed.curve
    ]  # fmt: skip
    chart = scatter_chart(
        "Error of the model by size of its weights",
        points,
        x=Axis("weights", "MB", better="low"),
        y=Axis("relative error of all outputs", log=True, better="low"),
        front=False,
        listed=False,
    )
    rows: list[list[Content]] = [
        [str(point.raised), bytes_text(point.stored_bytes), significant(point.error),
         "holds" if point.within else "broken", "this file" if point.raised == mixed.raised else ""]
        for point in mixed.curve
    ]  # fmt: skip
    text = (
        "Each linear layer was quantized alone, and the change of the answers is its sensitivity. Layers were then "
        "raised to the next precision, those first that take away most error for each byte, until the budget held."
    )
    headers: list[Content] = ["steps raised", "weights", "error", "budget", ""]
    return [element("p", text), chart, table(headers, rows, caption="Mixtures", right=(0, 1, 2)), *_layers(mixed)]


def _layers(mixed: MixedPrecision) -> list[Content]:
    if not mixed.layers:
        return []
    worst = sorted(mixed.layers, key=lambda layer: -layer.error)[:_SHOWN]
    bars = [Bar(layer.name, [layer.error], layer.precision) for layer in worst]
    axis = Axis("relative error of all outputs, this layer alone quantized")
    return [bar_chart("The most sensitive layers", bars, axis=axis)]
