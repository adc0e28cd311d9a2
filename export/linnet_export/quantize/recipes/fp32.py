"""float32 everywhere: nothing is quantized, on purpose."""

from __future__ import annotations

from linnet_export.quantize.embeddings import EMBEDDINGS
from linnet_export.quantize.precisions import PRECISIONS
from linnet_export.quantize.recipes.base import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="fp32",
    help="changes nothing",
    exact=True,
    linear=PRECISIONS["fp32"],
    embedding=EMBEDDINGS["fp32"],
    weight_bits=32,
)
