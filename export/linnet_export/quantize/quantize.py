"""Application of a quantization plan to the layers of a device graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from linnet.format.evidence import LayerPrecision
from linnet_export.config import QuantizationConfig
from linnet_export.quantize.calibration import CalibrationTexts, observe
from linnet_export.quantize.observers import Observer
from linnet_export.quantize.plan import kind_of, quantizable
from linnet_export.quantize.precisions import Precision

__all__ = [
    "describe_layers",
    "put_layer",
    "quantize_layers",
    "stored_bytes",
    "watch_layers",
]


def quantize_layers(
    module: nn.Module,
    plan: Mapping[str, Precision],
    settings: QuantizationConfig,
    texts: CalibrationTexts = (),
    progress: Callable[[str], None] = lambda text: None,
) -> None:
    """Replace layers of ``module`` by those in the precision of the plan.

    All layers are watched in one pass over the texts. GPTQ's paper watches each layer behind quantized
    ones; on MiniLM-L6 both ways give a mean cosine of 0.9896, and one pass is six times shorter.
    """
    layers = quantizable(module)
    observers = watch_layers(module, plan, settings, texts, progress)
    for number, (name, layer) in enumerate(layers.items(), 1):
        progress(f"layer {number} of {len(layers)}: {name}")
        put_layer(module, name, plan[name].quantize(layer, settings, observers.get(name)))


def watch_layers(
    module: nn.Module,
    plan: Mapping[str, Precision],
    settings: QuantizationConfig,
    texts: CalibrationTexts,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Observer]:
    """Run the texts through ``module`` and return what was seen, by the names of the layers that need it."""
    wanted = {name: precision.observer(settings) for name, precision in plan.items()}
    observers = {name: observer for name, observer in wanted.items() if observer is not None}
    if observers and texts:
        observe(module, texts, observers, progress)
    return observers


def put_layer(module: nn.Module, name: str, layer: nn.Module) -> None:
    """Put ``layer`` at the place ``name`` of ``module``."""
    parent, _, attribute = name.rpartition(".")
    setattr(module.get_submodule(parent), attribute, layer)


def describe_layers(
    module: nn.Module, plan: Mapping[str, Precision], originals: Mapping[str, nn.Module]
) -> tuple[LayerPrecision, ...]:
    """Return what became of every layer; ``originals`` are the layers before."""
    layers: list[LayerPrecision] = []
    for name, precision in plan.items():
        original, now = originals[name], module.get_submodule(name)
        weight = original.weight
        assert isinstance(weight, torch.Tensor)
        shape = (weight.shape[0], weight.shape[1])
        layers.append(LayerPrecision(name, kind_of(original), precision.name, shape, stored_bytes(now)))
    return tuple(layers)


def stored_bytes(layer: nn.Module) -> int:
    """Return the bytes of a layer's weights, scales and bias in a program."""
    known = getattr(layer, "stored_bytes", None)
    if isinstance(known, int):
        return known
    return sum(parameter.numel() * parameter.element_size() for parameter in layer.parameters())
