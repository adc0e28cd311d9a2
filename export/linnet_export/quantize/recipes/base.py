"""What a recipe has to provide, and what it reports."""

from __future__ import annotations

import dataclasses

from linnet.format.evidence import LayerPrecision
from linnet_export.quantize.precisions import Precision

__all__ = ["QuantizationSummary", "Recipe"]


@dataclasses.dataclass(frozen=True)
class QuantizationSummary:
    """What a recipe did.

    Attributes:
        recipe: its name.
        linears: number of quantized linear layers.
        embeddings: number of quantized embedding tables.
        kept: names of the linear layers and embedding tables that stay in float32.
        text: the same in words, for the manifest.
        layers: every linear layer and embedding table, in the order of the graph.
    """

    recipe: str
    linears: int
    embeddings: int
    kept: tuple[str, ...]
    text: str
    layers: tuple[LayerPrecision, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """One quantization recipe.

    Attributes:
        name: how users call it.
        help: what it does and when to use it, in a line.
        exact: the program computes what the original computes, up to float32 rounding.
        linear: precision of linear layers.
        embedding: precision of the word embedding.
        weight_bits: bits of most weights.
        needs_calibration: texts of the user's own have to be given.
    """

    name: str
    help: str
    exact: bool
    linear: Precision
    embedding: Precision
    weight_bits: int
    needs_calibration: bool = False

    @property
    def fused(self) -> bool:
        """True if the file gets `forward_fused`, whose attention multiplies in int8.

        Where weights have more than 8 bits, so should the products of attention.
        """
        return self.weight_bits <= 8
