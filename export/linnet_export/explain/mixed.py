"""Section about automatic mixed precision: size against error, and how sensitive each layer is."""

from __future__ import annotations

from linnet_bench.html import Axis, Bar, Content, Point, bar_chart, element, scatter_chart, table
from linnet_bench.html.figures import bytes_text, significant
from linnet_export.explain.facts import Facts

__all__ = ["mixed_precision"]

_SHOWN = 16


def mixed_precision(facts: Facts) -> list[Content]:
    """Return the curve and the most sensitive layers; nothing if there was no search."""
    if not facts.curve:
        return []
    points = [
        Point(f"{each.raised} raised", each.size / 1e6, each.error, "in this file" if each.chosen else "measured")
        for each in facts.curve
    ]
    chart = scatter_chart(
        "Error of the model by size of its weights",
        points,
        x=Axis("weights", "MB", better="low"),
        y=Axis("relative error of all outputs", log=True, better="low"),
        front=False,
        listed=False,
    )
    rows: list[list[Content]] = [
        [str(each.raised), bytes_text(each.size), significant(each.error), "holds" if each.within else "broken",
         "this file" if each.chosen else ""]
        for each in facts.curve
    ]  # fmt: skip
    text = (
        "Each linear layer was quantized alone, and the change of the answers is its sensitivity. Layers were then "
        "raised to the next precision, those first that take away most error for each byte, until the budget held."
    )
    headers: list[Content] = ["steps raised", "weights", "error", "budget", ""]
    return [element("p", text), chart, table(headers, rows, caption="Mixtures", right=(0, 1, 2)), *_layers(facts)]


def _layers(facts: Facts) -> list[Content]:
    if not facts.sensitivity:
        return []
    worst = sorted(facts.sensitivity, key=lambda each: -each.error)[:_SHOWN]
    bars = [Bar(each.name, [each.error], each.precision) for each in worst]
    axis = Axis("relative error of all outputs, this layer alone quantized")
    return [bar_chart("The most sensitive layers", bars, axis=axis)]
