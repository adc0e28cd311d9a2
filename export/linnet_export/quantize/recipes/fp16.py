"""fp16: float16 weights, float32 arithmetic."""

from __future__ import annotations

from linnet_export.quantize.embeddings import EMBEDDINGS
from linnet_export.quantize.precisions import PRECISIONS
from linnet_export.quantize.recipes.base import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="fp16",
    help="half of the size and no loss, as fast as fp32",
    exact=False,
    linear=PRECISIONS["fp16"],
    embedding=EMBEDDINGS["fp16"],
    weight_bits=16,
)
