"""int8 weights: linear layers with dynamic int8 activations, word embeddings as int8 rows.

A linear layer has one symmetric scale per output; its input gets one asymmetric scale per token while it
runs. The layer says so with one operator of its own (:mod:`linnet_export.recipes.int8_operator`), so no
calibration and no graph capture is needed, and the eager module computes what the device computes.
"""

from __future__ import annotations

import executorch.exir.passes._quant_patterns_and_replacements  # noqa: F401  defines embedding_byte
import torch
from torch import Tensor, nn

from linnet_export.layers import AnswerLinear
from linnet_export.recipes.base import QuantizationSummary, Recipe
from linnet_export.recipes.int8_operator import LARGEST, int8_linear

__all__ = ["RECIPE", "Int8Embedding", "Int8Linear", "quantize_rows"]

_SMALLEST_SCALE = torch.finfo(torch.float32).tiny
"""XNNPACK refuses a scale that is not a normal number; a row of zeros would have one."""


def quantize_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return int8 rows and their float32 scales [rows]: weight is about rows * scale.

    Symmetric: the largest magnitude of a row becomes 127, and -128 is not used.
    """
    weight = weight.detach().to(torch.float32)
    scale = (weight.abs().amax(dim=1) / LARGEST).clamp(min=_SMALLEST_SCALE)
    rows = torch.round(weight / scale.unsqueeze(1)).clamp(-LARGEST, LARGEST)
    return rows.to(torch.int8), scale


class Int8Linear(nn.Module):
    """A linear layer with int8 weights [out, in], scales [out] and int8 activations per token."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        rows, scale = quantize_rows(linear.weight)
        self.weight: Tensor
        self.register_buffer("weight", rows)
        self.scale: Tensor
        self.register_buffer("scale", scale)
        self.zero_point: Tensor
        self.register_buffer("zero_point", torch.zeros(len(scale), dtype=torch.int64))
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [tokens, in] to float32 [tokens, out]."""
        result: Tensor = int8_linear(x, self.weight, self.scale, self.zero_point, self.bias)
        return result


class Int8Embedding(nn.Module):
    """An embedding table of int8 rows [rows, width] with a float32 scale per row."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        rows, scale = quantize_rows(embedding.weight)
        self.embedding_dim = embedding.embedding_dim
        self.weight: Tensor
        self.register_buffer("weight", rows)
        self.scale: Tensor
        self.register_buffer("scale", scale)

    def forward(self, ids: Tensor) -> Tensor:
        """Return float32 [..., width] of int64 [...]."""
        result: Tensor = torch.ops.quantized_decomposed.embedding_byte(self.weight, self.scale, None, -128, 127, ids)
        return result


def _apply(module: nn.Module) -> QuantizationSummary:
    counts = {Int8Linear: 0, Int8Embedding: 0}
    kept: list[str] = []
    for name, child in list(module.named_modules()):
        if not isinstance(child, nn.Linear | nn.Embedding):
            continue
        if not _worth_it(name, child):
            kept.append(name)
            continue
        quantized = Int8Linear(child) if isinstance(child, nn.Linear) else Int8Embedding(child)
        counts[type(quantized)] += 1
        _replace(module, name, quantized)
    return QuantizationSummary(
        "int8", counts[Int8Linear], counts[Int8Embedding], tuple(kept), _text(counts[Int8Linear], len(kept))
    )


def _worth_it(name: str, child: nn.Module) -> bool:
    if isinstance(child, nn.Embedding):
        return name.endswith("word")
    return not isinstance(child, AnswerLinear)


def _replace(module: nn.Module, name: str, quantized: nn.Module) -> None:
    parent, _, attribute = name.rpartition(".")
    setattr(module.get_submodule(parent), attribute, quantized)


def _text(linears: int, kept: int) -> str:
    return (
        f"{linears} linear layers with int8 weights per output channel and dynamic int8 activations per token, "
        f"word embeddings int8 per row; {kept} layers and the attention products in float32"
    )


RECIPE = Recipe("int8", exact=False, apply=_apply)
