"""Application of a recipe to a device graph, and the summary of what became of its layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import torch
from torch import nn

from linnet.cli.console import counted
from linnet.format.evidence import LayerPrecision
from linnet_export.config import QuantizationConfig
from linnet_export.errors import ExportError
from linnet_export.quantize.calibration import CalibrationTexts
from linnet_export.quantize.plan import make_plan, quantizable
from linnet_export.quantize.precisions import Precision
from linnet_export.quantize.quantize import describe_layers, quantize_layers
from linnet_export.quantize.recipes.base import QuantizationSummary, Recipe

__all__ = ["NothingQuantizedError", "apply_recipe", "summarize"]


class NothingQuantizedError(ExportError):
    """The recipe found nothing to quantize."""


def apply_recipe(
    module: nn.Module,
    recipe: Recipe,
    settings: QuantizationConfig | None = None,
    texts: CalibrationTexts = (),
    progress: Callable[[str], None] = lambda text: None,
) -> QuantizationSummary:
    """Quantize ``module`` in place.

    Args:
        module: the device graph.
        recipe: gives the precision of linear layers and word embedding.
        settings: what differs from the recipe's own choices.
        texts: inputs for calibration; without them, int4 weights are rounded to the nearest.
        progress: called with a short description of each step.

    Raises:
        InvalidArgumentError: a setting names no layer, or one that cannot have what is asked for.
        NothingQuantizedError: the recipe is not exact and quantized nothing.
    """
    settings = settings or QuantizationConfig()
    originals = dict(quantizable(module))
    plan = make_plan(module, recipe, settings)
    if not recipe.exact and all(precision.name == "fp32" for precision in plan.values()):
        raise NothingQuantizedError(
            f"recipe {recipe.name} quantized nothing of {counted(len(plan), 'layer')}; use --recipe fp32"
        )
    with torch.no_grad():
        quantize_layers(module, plan, settings, texts, progress)
    return summarize(recipe, module, plan, originals)


def summarize(
    recipe: Recipe, module: nn.Module, plan: Mapping[str, Precision], originals: Mapping[str, nn.Module]
) -> QuantizationSummary:
    """Return what became of a quantized ``module`` whose layers were ``originals``."""
    layers = describe_layers(module, plan, originals)
    kept = tuple(layer.name for layer in layers if layer.precision == "fp32")
    changed = Counter(layer.kind for layer in layers if layer.precision != "fp32")
    return QuantizationSummary(
        recipe.name, changed["linear"], changed["embedding"], kept, _text(layers, plan, len(kept)), layers
    )


def _text(layers: tuple[LayerPrecision, ...], plan: Mapping[str, Precision], kept: int) -> str:
    quantized = [layer for layer in layers if layer.precision != "fp32"]
    linears = Counter(plan[layer.name].words for layer in quantized if layer.kind == "linear")
    tables = dict.fromkeys(plan[layer.name].words for layer in quantized if layer.kind == "embedding")
    if not quantized:
        return "none: weights and arithmetic are float32"
    parts = [f"{counted(count, 'linear layer')} with {words}" for words, count in linears.items()]
    parts += [f"word embeddings {words}" for words in tables]
    return f"{', '.join(parts)}; {counted(kept, 'layer')} and the attention products of forward in float32"
