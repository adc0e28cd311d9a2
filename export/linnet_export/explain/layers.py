"""Sections of `linnet explain` about the size of the file by part, and sizes and errors of layers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from linnet.format.evidence import LayerError, LayerPrecision
from linnet_bench.html import Axis, Bar, Content, Series, bar_chart, element, line_chart, table
from linnet_bench.html.figures import bytes_text, grouped, percent, significant
from linnet_export.explain.facts import Facts
from linnet_export.explain.sections import missing

__all__ = ["errors", "sizes"]

_WORST_SHOWN = 16
_BLOCK = re.compile(r"^(.*?\.\d+)\.")  # body.layers.3.attention.query -> body.layers.3


def sizes(facts: Facts) -> list[Content]:
    """Return the section about the size of the file by part, and of its weights by encoder layer."""
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
    layers = facts.evidence.report.layers
    if layers is None:
        return missing("Size by layer")
    blocks: dict[str, list[LayerPrecision]] = {}
    for layer in layers:
        match = _BLOCK.match(layer.name)
        blocks.setdefault(match[1] if match else layer.name, []).append(layer)
    rows: list[list[Content]] = [
        [name, str(len(block)), ", ".join(dict.fromkeys(layer.precision for layer in block)), _total(block)]
        for name, block in blocks.items()
    ]
    headers: list[Content] = ["part of the encoder", "layers", "precision", "weights"]
    return table(headers, rows, caption="Weights of linear layers and embedding tables", right=(1, 3))


def _total(layers: Sequence[LayerPrecision]) -> str:
    return bytes_text(sum(layer.stored_bytes for layer in layers))


def errors(facts: Facts) -> list[Content]:
    """Return the section about the error of each quantized layer: along the graph, the largest ones, and all."""
    layers, measured = facts.evidence.report.layers, facts.evidence.details.layer_errors
    if layers is None:
        return [missing("Error by layer")]
    known = [(layer, measured[layer.name]) for layer in layers if layer.name in measured]
    if not known:
        reason = facts.evidence.reason or "there was no proof"
        return [missing("Error by layer", f"{reason}, so it was not measured.")]
    texts = facts.evidence.details.layer_texts
    text = (
        f"Relative L2 error of each layer's output against float32, over all tokens of {texts} texts of "
        "the proof. “At the true input” is what the layer itself costs; “in the running model” the errors of the "
        "layers before it arrive at its input. A layer to keep in a higher precision stands out in the first."
    )
    return [element("p", text), _along([error for _, error in known]), *_worst(known), _all(layers, measured)]


_SERIES = ("in the running model", "at the true input")


def _along(errors: Sequence[LayerError]) -> Content:
    shown = [error for error in errors if error.given > 0 or error.running > 0]
    if len(shown) < 2:
        return element("p", "No layer differs from float32.")
    lines = [
        Series(_SERIES[0], [(number, error.running) for number, error in enumerate(shown, 1) if error.running]),
        Series(_SERIES[1], [(number, error.given) for number, error in enumerate(shown, 1) if error.given]),
    ]
    return line_chart(
        "Error along the graph",
        [line for line in lines if line.points],
        x=Axis("layer, in the order of the graph", whole=True),
        y=Axis("relative error", log=True, better="low"),
        listed=False,
        marked=len(shown) <= 80,
    )


def _worst(measured: Sequence[tuple[LayerPrecision, LayerError]]) -> list[Content]:
    worst = sorted(measured, key=lambda pair: -pair[1].given)[:_WORST_SHOWN]
    if not worst or not worst[0][1].given:
        return []
    title = "The layers that cost most" if len(measured) > _WORST_SHOWN else "Error by layer"
    bars = [
        Bar(layer.name, [error.running, error.given], f"{layer.precision}, {bytes_text(layer.stored_bytes)}")
        for layer, error in worst
    ]
    return [bar_chart(title, bars, axis=Axis("relative error", better="low"), series=_SERIES, listed=False)]


def _all(layers: Sequence[LayerPrecision], errors: Mapping[str, LayerError]) -> Content:
    rows: list[list[Content]] = [
        [layer.name, layer.precision, bytes_text(layer.stored_bytes), *_cells(errors.get(layer.name))]
        for layer in layers
    ]
    headers: list[Content] = ["layer", "precision", "size", "at the true input", "in the running model"]
    listed = table(headers, rows, caption="Every layer, in the order of the graph", right=(2, 3, 4))
    return element("details", element("summary", f"All {len(layers)} layers as a table"), listed)


def _cells(error: LayerError | None) -> tuple[str, str]:
    return ("", "") if error is None else (significant(error.given), significant(error.running))
