"""Fake quantization for quantization-aware training: float modules that round as the exported ones do.

Fine-tuning puts these modules in the place of linear layers and embedding tables, trains the float weights
behind them, and exports the result with the same recipe. Rounding has no useful gradient, so the gradient is
passed through it as if it were not there (the straight-through estimator, https://arxiv.org/abs/1308.3432),
as torchao's quantization-aware training does it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.errors import CallerError
from linnet_export.config import QuantizationConfig
from linnet_export.errors import ExportError
from linnet_export.quantize.embeddings import Int4Embedding, Int8Embedding
from linnet_export.quantize.operators import round_activations
from linnet_export.quantize.plan import make_plan, quantizable
from linnet_export.quantize.precisions.int4 import group_scales, round_to_groups
from linnet_export.quantize.precisions.int8 import quantize_rows
from linnet_export.quantize.quantize import put_layer
from linnet_export.quantize.recipes import Recipe

__all__ = ["FakeQuantizedEmbedding", "FakeQuantizedLinear", "NotTrainableError", "prepare_for_training"]

FakeWeight = Callable[[Tensor], Tensor]
"""From float32 weights to what their quantized form stands for, float32 of the same shape."""


class NotTrainableError(ExportError, CallerError):
    """The recipe uses a precision that training cannot imitate."""


class FakeQuantizedLinear(nn.Module):
    """A linear layer with float weights that are rounded, as its inputs are, whenever it runs."""

    def __init__(self, linear: nn.Linear, fake: FakeWeight) -> None:
        """Take over weight [out, in] and bias [out] of a layer; they are trained in place."""
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias
        self._fake = fake

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [tokens, in] to float32 [tokens, out]."""
        weight = _straight_through(self.weight, self._fake(self.weight))
        return functional.linear(_straight_through(x, round_activations(x.detach())), weight, self.bias)


class FakeQuantizedEmbedding(nn.Module):
    """An embedding table with float rows [rows, width] that are rounded whenever they are looked up."""

    def __init__(self, embedding: nn.Embedding, fake: FakeWeight) -> None:
        """Take over the rows of a table; they are trained in place."""
        super().__init__()
        self.weight = embedding.weight
        self._fake = fake

    def forward(self, ids: Tensor) -> Tensor:
        """Return float32 [..., width] of int64 [...]."""
        rows = functional.embedding(ids, self.weight)
        flat = rows.detach().reshape(-1, rows.shape[-1])
        return _straight_through(rows, self._fake(flat).view(rows.shape))


def prepare_for_training(module: nn.Module, recipe: Recipe, settings: QuantizationConfig | None = None) -> nn.Module:
    """Put fake-quantized layers where ``recipe`` will quantize, in place; return ``module``.

    What the prepared module computes is what the exported one computes with the same weights; int4 weights
    are rounded to the nearest, so export with ``algorithm="rtn"`` what was trained like this.

    Raises:
        NotTrainableError: a layer gets a precision that is calibrated, which training cannot imitate.
    """
    settings = settings or QuantizationConfig()
    layers = quantizable(module)
    plan = make_plan(module, recipe, settings)
    fakes = _fakes(settings)
    unknown = sorted({precision.name for precision in plan.values()} - set(fakes) - {"fp32"})
    if unknown:
        raise NotTrainableError(f"{recipe.name} uses {', '.join(unknown)}, training can imitate {', '.join(fakes)}")
    for name, layer in layers.items():
        if plan[name].name == "fp32":
            continue
        kind = FakeQuantizedEmbedding if isinstance(layer, nn.Embedding) else FakeQuantizedLinear
        layer.weight.requires_grad_(True)
        put_layer(module, name, kind(layer, fakes[plan[name].name]))  # type: ignore[arg-type]
    return module


def _fakes(settings: QuantizationConfig) -> dict[str, FakeWeight]:
    def int8(weight: Tensor) -> Tensor:
        rows, scale = quantize_rows(weight)
        return rows.to(torch.float32) * scale.unsqueeze(1)

    def int4(weight: Tensor) -> Tensor:
        scale = group_scales(weight, settings.linear_group_size)
        return round_to_groups(weight, scale) * scale.repeat_interleave(settings.linear_group_size, 1)

    def table(kind: Callable[[nn.Embedding], nn.Module]) -> FakeWeight:
        def fake(rows: Tensor) -> Tensor:
            result: Tensor = kind(nn.Embedding.from_pretrained(rows))(torch.arange(len(rows)))
            return result

        return fake

    def four_bit(embedding: nn.Embedding) -> nn.Module:
        return Int4Embedding(embedding, min(settings.row_group_size, embedding.embedding_dim))

    return {"int8": int8, "int4": int4, "8w": table(Int8Embedding), "4w": table(four_bit)}


def _straight_through(value: Tensor, rounded: Tensor) -> Tensor:
    """Return ``rounded`` with the gradient of ``value``."""
    return value + (rounded - value).detach()
