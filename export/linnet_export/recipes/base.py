"""What a recipe has to provide, and what it reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from torch import nn

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
    """

    recipe: str
    linears: int
    embeddings: int
    kept: tuple[str, ...]
    text: str


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One quantization recipe.

    Attributes:
        name: how users call it.
        exact: the program computes what the original computes, up to float32 rounding.
        apply: changes a module in place and says what it did.
    """

    name: str
    exact: bool
    apply: Callable[[nn.Module], QuantizationSummary]
