"""8da4w, as torchao calls it: int4 weights in groups with dynamic int8 activations, int4 word embeddings."""

from __future__ import annotations

from linnet_export.quantize.embeddings import EMBEDDINGS
from linnet_export.quantize.precisions import PRECISIONS
from linnet_export.quantize.recipes.base import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="8da4w",
    help="the smallest: about a seventh of the size",
    exact=False,
    linear=PRECISIONS["int4"],
    embedding=EMBEDDINGS["4w"],
    weight_bits=4,
)
