"""int8 weights with one scale per output, activations as int8 with one scale per token.

The scales of the activations are found while the layer runs, so nothing has to be calibrated, and a token
with large values costs only itself its resolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linnet_export.config import QuantizationConfig
from linnet_export.quantize.observers import Observer
from linnet_export.quantize.operators import INT8, int8_linear
from linnet_export.quantize.precisions.base import Precision, always_supported, never_observed
from linnet_export.quantize.precisions.fp32 import PRECISION as FP32

__all__ = ["PRECISION", "Int8Linear", "quantize_rows"]

_SMALLEST_SCALE = torch.finfo(torch.float32).tiny
"""XNNPACK refuses a scale that is not a normal number; a row of zeros would have one."""


def quantize_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return int8 rows and their float32 scales [rows]: weight is about rows * scale.

    Symmetric: the largest magnitude of a row becomes 127, and -128 is not used.
    """
    weight = weight.detach().to(torch.float32)
    scale = (weight.abs().amax(dim=1) / INT8[1]).clamp(min=_SMALLEST_SCALE)
    rows = torch.round(weight / scale.unsqueeze(1)).clamp(*INT8)
    return rows.to(torch.int8), scale


class Int8Linear(nn.Module):
    """A linear layer with int8 weights [out, in], scales [out] and int8 activations per token.

    Attributes:
        stored_bytes: bytes of weights, scales and bias in a program.
    """

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
        self.stored_bytes = rows.numel() + 4 * len(scale) + (0 if linear.bias is None else 4 * len(linear.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [tokens, in] to float32 [tokens, out]."""
        result: Tensor = int8_linear(x, self.weight, self.scale, self.zero_point, self.bias)
        return result


def _quantize(linear: nn.Linear, _: QuantizationConfig, __: Observer | None) -> nn.Module:
    return Int8Linear(linear)


PRECISION = Precision(
    "int8",
    "int8 weights per output channel and dynamic int8 activations per token",
    _quantize,
    never_observed,
    always_supported,
    higher=FP32,
)
