"""int8-static: int8 weights and calibrated int8 activations, word embeddings as int8 rows."""

from __future__ import annotations

from linnet_export.quantize.embeddings import EMBEDDINGS
from linnet_export.quantize.precisions import PRECISIONS
from linnet_export.quantize.recipes.base import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="int8-static",
    help="as int8, with scales of the activations fixed on your texts",
    exact=False,
    linear=PRECISIONS["int8-static"],
    embedding=EMBEDDINGS["8w"],
    weight_bits=8,
    needs_calibration=True,
)
