"""float32 everywhere: nothing is quantized, on purpose."""

from __future__ import annotations

from torch import nn

from linnet_export.recipes.base import QuantizationSummary, Recipe

__all__ = ["RECIPE"]


def _apply(module: nn.Module) -> QuantizationSummary:
    kept = [name for name, each in module.named_modules() if isinstance(each, nn.Linear | nn.Embedding)]
    return QuantizationSummary("fp32", 0, 0, tuple(kept), "none: weights and arithmetic are float32")


RECIPE = Recipe("fp32", exact=True, apply=_apply)
