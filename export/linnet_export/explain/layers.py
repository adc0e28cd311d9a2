"""Sections about sizes and errors by part and by layer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from linnet_bench.html import Axis, Bar, Content, Series, bar_chart, element, line_chart, table
from linnet_bench.html.figures import bytes_text, grouped, percent, significant
from linnet_export.explain.facts import Facts, Layer
from linnet_export.explain.sections import missing

__all__ = ["errors", "sizes"]

_WORST_SHOWN = 16
_BLOCK = re.compile(r"^(.*?\.\d+)\.")  # body.layers.3.attention.query -> body.layers.3


def sizes(facts: Facts) -> list[Content]:
    """Return the file by part, and its weights by encoder layer."""
    chart = bar_chart(
        "Size by part",
        [Bar(part.name, [part.size / 1e6], bytes_text(part.size)) for part in facts.parts],
        axis=Axis("size", "MB"),
        written=lambda value: bytes_text(value * 1e6),
        listed=False,
    )
    rows: list[list[Content]] = [
        [part.name, grouped(part.size), bytes_text(part.size), percent(part.size / facts.size)] for part in facts.parts
    ]
    rows.append(["file", grouped(facts.size), bytes_text(facts.size), percent(1.0)])
    listed = table(["part", "bytes", "", "share"], rows, caption="The whole file", right=(1, 2, 3), total=True)
    return [chart, listed, _blocks(facts)]


def _blocks(facts: Facts) -> Content:
    if facts.layers is None:
        return missing("Size by layer")
    blocks: dict[str, list[Layer]] = {}
    for layer in facts.layers:
        found = _BLOCK.match(layer.name)
        blocks.setdefault(found[1] if found else layer.name, []).append(layer)
    rows: list[list[Content]] = [
        [name, str(len(layers)), ", ".join(dict.fromkeys(each.precision for each in layers)), _total(layers)]
        for name, layers in blocks.items()
    ]
    headers: list[Content] = ["part of the encoder", "layers", "precision", "weights"]
    return table(headers, rows, caption="Weights of linear layers and embedding tables", right=(1, 3))


def _total(layers: Sequence[Layer]) -> str:
    return bytes_text(sum(each.size for each in layers))


def errors(facts: Facts) -> list[Content]:
    """Return the error of every layer after quantization: along the graph, the worst ones, and all."""
    if facts.layers is None:
        return [missing("Error by layer")]
    measured = [each for each in facts.layers if each.given is not None and each.running is not None]
    if not measured:
        return [missing("Error by layer", f"{facts.reason or 'there was no proof'}, so it was not measured.")]
    text = (
        f"Relative L2 error of each layer's output against float32, over all tokens of {facts.layer_texts} texts of "
        "the proof. “At the true input” is what the layer itself costs; “in the running model” the errors of the "
        "layers before it arrive at its input. A layer to keep in a higher precision stands out in the first."
    )
    return [element("p", text), _along(measured), *_worst(measured), _all(facts.layers)]


_SERIES = ("in the running model", "at the true input")


def _along(measured: Sequence[Layer]) -> Content:
    shown = [each for each in measured if (each.given or 0) > 0 or (each.running or 0) > 0]
    if len(shown) < 2:
        return element("p", "No layer differs from float32.")
    lines = [
        Series(_SERIES[0], [(number, each.running) for number, each in enumerate(shown, 1) if each.running]),
        Series(_SERIES[1], [(number, each.given) for number, each in enumerate(shown, 1) if each.given]),
    ]
    return line_chart(
        "Error along the graph",
        [each for each in lines if each.points],
        x=Axis("layer, in the order of the graph"),
        y=Axis("relative error", log=True, better="low"),
        listed=False,
        marked=len(shown) <= 80,
    )


def _worst(measured: Sequence[Layer]) -> list[Content]:
    worst = sorted(measured, key=lambda each: -(each.given or 0.0))[:_WORST_SHOWN]
    if not worst or not worst[0].given:
        return []
    title = "The layers that cost most" if len(measured) > _WORST_SHOWN else "Error by layer"
    bars = [Bar(each.name, [each.running, each.given], f"{each.precision}, {bytes_text(each.size)}") for each in worst]
    return [bar_chart(title, bars, axis=Axis("relative error", better="low"), series=_SERIES, listed=False)]


def _all(layers: Sequence[Layer]) -> Content:
    rows: list[list[Content]] = [
        [each.name, each.precision, bytes_text(each.size), _error(each.given), _error(each.running)] for each in layers
    ]
    headers: list[Content] = ["layer", "precision", "size", "at the true input", "in the running model"]
    listed = table(headers, rows, caption="Every layer, in the order of the graph", right=(2, 3, 4))
    return element("details", element("summary", f"All {len(layers)} layers as a table"), listed)


def _error(value: float | None) -> str:
    return "" if value is None else significant(value)
