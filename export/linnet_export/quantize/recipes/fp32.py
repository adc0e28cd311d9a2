"""float32 everywhere: nothing is quantized, on purpose."""

from __future__ import annotations

from linnet_export.quantize.recipes.base import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(name="fp32", help="changes nothing", exact=True, linear="fp32", embedding="fp32", weight_bits=32)
