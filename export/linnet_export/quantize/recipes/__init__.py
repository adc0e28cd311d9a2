"""Registry of the quantization recipes by name, one file each."""

from __future__ import annotations

from linnet.errors import CallerError
from linnet_export.errors import ExportError
from linnet_export.quantize.recipes import fp16, fp32, int8, int8_activation_int4_weight, int8_static
from linnet_export.quantize.recipes.base import QuantizationSummary, Recipe
from linnet_export.registry import Registry

__all__ = ["QuantizationSummary", "Recipe", "UnknownRecipeError", "get_recipe", "supported"]


class UnknownRecipeError(ExportError, CallerError):
    """There is no such recipe."""


_MODULES = (fp32, fp16, int8, int8_static, int8_activation_int4_weight)
_KNOWN: Registry[Recipe] = Registry(
    "recipe", {module.RECIPE.name: module.RECIPE for module in _MODULES}, UnknownRecipeError
)


def supported() -> tuple[str, ...]:
    """Return the names of the recipes, sorted."""
    return _KNOWN.names()


def get_recipe(name: str) -> Recipe:
    """Return a recipe by name.

    Raises:
        UnknownRecipeError: there is none; the message lists the supported ones.
    """
    return _KNOWN.get(name)
