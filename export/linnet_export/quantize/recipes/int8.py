"""int8 weights: linear layers with dynamic int8 activations, word embeddings as int8 rows."""

from __future__ import annotations

from linnet_export.quantize.embeddings import EMBEDDINGS
from linnet_export.quantize.precisions import PRECISIONS
from linnet_export.quantize.recipes.base import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="int8",
    help="a quarter of the size, no calibration",
    exact=False,
    linear=PRECISIONS["int8"],
    embedding=EMBEDDINGS["8w"],
    weight_bits=8,
)
