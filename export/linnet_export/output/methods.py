"""Which methods a file has beside `forward`."""

from __future__ import annotations

from linnet_export.graph.heads import DeviceProgram
from linnet_export.quantize.recipes import get_recipe

__all__ = ["fused_method"]

_MOST_BITS = 8
"""Where weights have more, so should attention, whose products are in int8 there."""


def fused_method(program: DeviceProgram, recipe: str) -> DeviceProgram | None:
    """Return `forward_fused`, which shares every parameter with ``program``; None if the file has none."""
    return program.with_fused_attention() if get_recipe(recipe).weight_bits <= _MOST_BITS else None
