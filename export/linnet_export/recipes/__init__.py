"""Quantization recipes by name."""

from __future__ import annotations

import torch
from torch import nn

from linnet_export.errors import ExportError
from linnet_export.recipes import fp32, int8
from linnet_export.recipes.base import QuantizationSummary, Recipe

__all__ = [
    "NothingQuantizedError",
    "QuantizationSummary",
    "Recipe",
    "UnknownRecipeError",
    "apply_recipe",
    "get_recipe",
    "supported",
]

_KNOWN: dict[str, Recipe] = {each.RECIPE.name: each.RECIPE for each in (fp32, int8)}


class UnknownRecipeError(ExportError):
    """There is no such recipe."""


class NothingQuantizedError(ExportError):
    """The recipe found nothing to quantize."""


def supported() -> tuple[str, ...]:
    """Return the names of the recipes, sorted."""
    return tuple(sorted(_KNOWN))


def get_recipe(name: str) -> Recipe:
    """Return a recipe by name.

    Raises:
        UnknownRecipeError: there is none; the message lists the supported ones.
    """
    if name not in _KNOWN:
        raise UnknownRecipeError(f"recipe is {name!r}, supported are {', '.join(supported())}")
    return _KNOWN[name]


def apply_recipe(module: nn.Module, recipe: str) -> QuantizationSummary:
    """Quantize ``module`` in place.

    Raises:
        UnknownRecipeError: there is no such recipe.
        NothingQuantizedError: the recipe is not exact and quantized nothing.
    """
    chosen = get_recipe(recipe)
    with torch.no_grad():
        summary = chosen.apply(module)
    if not chosen.exact and summary.linears + summary.embeddings == 0:
        raise NothingQuantizedError(
            f"recipe {recipe} quantized nothing of {len(summary.kept)} layers; use --recipe fp32"
        )
    return summary
