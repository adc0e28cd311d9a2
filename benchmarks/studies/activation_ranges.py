"""Ranges of the inputs of linear layers, over all texts and per token; draws docs/how-to/activation_ranges.svg.

``python -m benchmarks.studies.activation_ranges``: real all-MiniLM-L6-v2 on the real sentences of the proof's
built-in set (one in three), and the full MobileBERT configuration. MobileBERT's weights are seeded random ones, so its
values mean nothing; the effect of its structure is real: without normalization the range grows layer by layer.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.paths import ROOT
from benchmarks.peers.models import MINILM, MOBILEBERT, ModelSpec, checkpoint_folder
from linnet_export.checkpoint import load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.graph.program import device_module
from linnet_export.proof import device_inputs
from linnet_export.proof.texts import read_texts, select_texts
from linnet_export.quantize.calibration import observe

__all__ = ["LayerRange", "main", "measure"]

_EVERY = 3
"""Every third text is used: eighteen sentences and some edge cases show the same ranges as all."""

_WIDTH, _HEIGHT, _LEFT, _TOP = 760, 250, 56, 48
_COLOURS = ("#c2410c", "#1d4ed8")
_LINES = ("all texts: what one fixed scale has to hold", "one token (median): what a scale per token has to hold")


@dataclasses.dataclass(frozen=True)
class LayerRange:
    """Ranges of the inputs of one linear layer.

    Attributes:
        name: path of the layer in the device graph.
        overall: maximum minus minimum over all texts.
        token: the same for one token, median over all tokens.
    """

    name: str
    overall: float
    token: float


class _RangeByToken:
    def __init__(self) -> None:
        self.tokens = 0
        self.low, self.high = float("inf"), float("-inf")
        self.ranges: list[float] = []

    def update(self, x: Tensor, y: Tensor) -> None:
        """Add float32 inputs [tokens, in]."""
        low, high = x.amin(1), x.amax(1)
        self.low, self.high = min(self.low, low.min().item()), max(self.high, high.max().item())
        self.ranges += (high - low).tolist()
        self.tokens += len(x)


def measure(spec: ModelSpec) -> list[LayerRange]:
    """Return the ranges of every linear layer of a model, in the order of the graph."""
    checkpoint = load_checkpoint(ExportConfig(model=str(checkpoint_folder(spec)), max_length=128))
    program = device_module(
        checkpoint.model, checkpoint.task, pooling=checkpoint.pooling, normalize=checkpoint.normalize, max_length=128
    )
    texts = device_inputs(checkpoint, select_texts(read_texts(None), checkpoint.task)[::_EVERY], program.inputs)
    names = [name for name, layer in program.named_modules() if isinstance(layer, nn.Linear)]
    observers = {name: _RangeByToken() for name in names}
    with torch.no_grad():
        observe(program, texts, observers)
    return [
        LayerRange(name, observer.high - observer.low, statistics.median(observer.ranges))
        for name, observer in observers.items()
        if observer.tokens
    ]


def _draw(panels: Sequence[tuple[str, Sequence[LayerRange]]]) -> str:
    height = _HEIGHT * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for number, (title, ranges) in enumerate(panels):
        parts.append(f'<g transform="translate(0 {number * _HEIGHT})">{_panel(title, ranges)}</g>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(title: str, ranges: Sequence[LayerRange]) -> str:
    right, bottom = _WIDTH - 16, _HEIGHT - 34
    top = max(layer.overall for layer in ranges) * 1.05
    step = (right - _LEFT) / max(1, len(ranges) - 1)
    parts = [f'<text x="{_LEFT}" y="16" font-weight="bold">{title}</text>']
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = bottom - share * (bottom - _TOP)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * share:.3g}</text>')
    for index, (name, colour) in enumerate(zip(_LINES, _COLOURS, strict=True)):
        values = [layer.overall if index == 0 else layer.token for layer in ranges]
        places = [
            f"{_LEFT + number * step:.1f},{bottom - value / top * (bottom - _TOP):.1f}"
            for number, value in enumerate(values)
        ]
        parts.append(f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{_LEFT + index * 300}" y="34" fill="{colour}">{name}</text>')
    parts.append(
        f'<text x="{right}" y="{_HEIGHT - 12}" text-anchor="end">linear layers, in the order of the graph</text>'
    )
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both models, print the widest layers and draw the chart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.activation_ranges", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=ROOT / "docs" / "how-to" / "activation_ranges.svg", help="where to draw"
    )
    args = parser.parse_args(arguments)
    measured = {spec: measure(spec) for spec in (MINILM, MOBILEBERT)}
    for spec, ranges in measured.items():
        print(f"{spec.title}: range of the inputs, all texts and median token")
        for layer in sorted(ranges, key=lambda layer: -layer.overall / layer.token)[:5]:
            print(f"  {layer.name:<32} {layer.overall:9.2f} {layer.token:9.2f}  {layer.overall / layer.token:5.1f} x")
        ratios = [layer.overall / layer.token for layer in ranges]
        print(f"  median over {len(ranges)} layers: {statistics.median(ratios):.1f} x")
    args.output.write_text(_draw([(spec.title, ranges) for spec, ranges in measured.items()]), encoding="utf-8")
    print(args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
