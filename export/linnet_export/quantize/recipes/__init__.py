"""Quantization recipes by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import torch
from torch import nn

from linnet.errors import CallerError
from linnet.format.evidence import LayerPrecision
from linnet_export.config import QuantizationConfig
from linnet_export.errors import ExportError
from linnet_export.quantize.calibration import CalibrationTexts
from linnet_export.quantize.embeddings import EMBEDDINGS
from linnet_export.quantize.plan import check_settings, make_plan, quantizable
from linnet_export.quantize.precisions import PRECISIONS
from linnet_export.quantize.quantize import describe_layers, quantize_layers, stored_bytes
from linnet_export.quantize.recipes import fp16, fp32, int8, int8_activation_int4_weight, int8_static
from linnet_export.quantize.recipes.base import QuantizationSummary, Recipe
from linnet_export.registry import Registry

__all__ = [
    "CalibrationTexts",
    "NothingQuantizedError",
    "QuantizationSummary",
    "Recipe",
    "UnknownRecipeError",
    "apply_recipe",
    "check_settings",
    "get_recipe",
    "is_calibrated",
    "stored_bytes",
    "summarize",
    "supported",
]


class UnknownRecipeError(ExportError, CallerError):
    """There is no such recipe."""


_MODULES = (fp32, fp16, int8, int8_static, int8_activation_int4_weight)
_KNOWN: Registry[Recipe] = Registry("recipe", {each.RECIPE.name: each.RECIPE for each in _MODULES}, UnknownRecipeError)


class NothingQuantizedError(ExportError):
    """The recipe found nothing to quantize."""


def supported() -> tuple[str, ...]:
    """Return the names of the recipes, sorted."""
    return _KNOWN.names()


def get_recipe(name: str) -> Recipe:
    """Return a recipe by name.

    Raises:
        UnknownRecipeError: there is none; the message lists the supported ones.
    """
    return _KNOWN.get(name)


def is_calibrated(recipe: Recipe, settings: QuantizationConfig) -> bool:
    """Return whether texts would change what the recipe does."""
    used = {recipe.linear, *(precision for _, precision in settings.keep)}
    return any(PRECISIONS[name].observer(settings) is not None for name in used if name in PRECISIONS)


def apply_recipe(
    module: nn.Module,
    recipe: str,
    settings: QuantizationConfig | None = None,
    texts: CalibrationTexts = (),
    progress: Callable[[str], None] = lambda text: None,
) -> QuantizationSummary:
    """Quantize ``module`` in place.

    Args:
        module: the device graph.
        recipe: its name.
        settings: what differs from the recipe's own choices.
        texts: inputs for calibration; without them, int4 weights are rounded to the nearest.
        progress: told what happens, in a few words.

    Raises:
        UnknownRecipeError: there is no such recipe.
        InvalidArgumentError: a setting names no layer, or one that cannot have what is asked for.
        NothingQuantizedError: the recipe is not exact and quantized nothing.
    """
    chosen, settings = get_recipe(recipe), settings or QuantizationConfig()
    originals = dict(quantizable(module))
    plan = make_plan(module, chosen, settings)
    if not chosen.exact and set(plan.values()) <= {"fp32"}:
        raise NothingQuantizedError(f"recipe {recipe} quantized nothing of {len(plan)} layers; use --recipe fp32")
    with torch.no_grad():
        quantize_layers(module, plan, settings, texts, progress)
    return summarize(recipe, module, plan, originals)


def summarize(
    recipe: str, module: nn.Module, plan: Mapping[str, str], originals: Mapping[str, nn.Module]
) -> QuantizationSummary:
    """Return what became of a quantized ``module`` whose layers were ``originals``."""
    layers = describe_layers(module, plan, originals)
    kept = tuple(each.name for each in layers if each.precision == "fp32")
    changed = Counter(each.kind for each in layers if each.precision != "fp32")
    return QuantizationSummary(recipe, changed["linear"], changed["embedding"], kept, _text(layers, len(kept)), layers)


def _text(layers: tuple[LayerPrecision, ...], kept: int) -> str:
    linears = Counter(each.precision for each in layers if each.kind == "linear" and each.precision != "fp32")
    tables = Counter(each.precision for each in layers if each.kind == "embedding" and each.precision != "fp32")
    if not linears and not tables:
        return "none: weights and arithmetic are float32"
    parts = [f"{count} linear layers with {PRECISIONS[name].words}" for name, count in linears.items()]
    parts += [f"word embeddings {EMBEDDINGS[name].words}" for name in tables]
    return f"{', '.join(parts)}; {kept} layers and the attention products of forward in float32"
