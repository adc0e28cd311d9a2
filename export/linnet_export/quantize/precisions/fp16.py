"""float16 weights with float32 arithmetic: half the size, hardly any error.

XNNPACK unpacks the weights to float32 when the program is loaded, so any CPU runs it, as fast as float32.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linnet_export.config import QuantizationConfig
from linnet_export.quantize.observers import Observer
from linnet_export.quantize.operators import fp16_linear
from linnet_export.quantize.precisions.base import Precision, never_observed
from linnet_export.quantize.precisions.fp32 import PRECISION as FP32

__all__ = ["PRECISION", "Fp16Linear"]


class Fp16Linear(nn.Module):
    """A linear layer of float16 weights [out, in] and a float32 bias [out].

    Attributes:
        stored_bytes: bytes of weights and bias in a program.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight: Tensor
        self.register_buffer("weight", linear.weight.detach().to(torch.float16))
        self.bias = linear.bias
        self.stored_bytes = 2 * self.weight.numel() + (0 if linear.bias is None else 4 * len(linear.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [tokens, in] to float32 [tokens, out]."""
        result: Tensor = fp16_linear(x, self.weight, self.bias)
        return result


def _quantize(linear: nn.Linear, _: QuantizationConfig, __: Observer | None) -> nn.Module:
    return Fp16Linear(linear)


def _reason_unsupported(linear: nn.Linear, _: QuantizationConfig) -> str:
    largest = linear.weight.abs().max().item()
    limit = torch.finfo(torch.float16).max
    return f"its largest weight {largest:.3g} is above the {limit:.0f} of float16" if largest > limit else ""


PRECISION = Precision(
    "fp16", "float16 weights", _quantize, never_observed, _reason_unsupported, fallback=FP32, higher=FP32
)
