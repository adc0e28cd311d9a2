"""int8 weights with one scale per output, activations as int8 with one scale for all texts: XNNPACK's qs8.

The scales of inputs and outputs are chosen on calibration texts, so nothing is measured while the layer runs.
What comes and was not in those texts is cut off at their range.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linnet.errors import InvalidArgumentError
from linnet_export.config import QuantizationConfig
from linnet_export.quantize.observers import OBSERVERS, Observer, RangeObserver
from linnet_export.quantize.operators import int8_static_linear
from linnet_export.quantize.precisions.base import Precision, always_supported
from linnet_export.quantize.precisions.int8 import PRECISION as INT8
from linnet_export.quantize.precisions.int8 import Int8Linear

__all__ = ["PRECISION", "Int8StaticLinear", "affine_parameters"]


def affine_parameters(low: float, high: float) -> tuple[float, int]:
    """Return scale and zero point of an asymmetric int8 range that holds low, high and zero.

    As in https://arxiv.org/abs/1712.05877, section 3: zero itself has no error.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    scale = max((high - low) / 255, torch.finfo(torch.float32).tiny)
    return scale, max(-128, min(127, round(-128 - low / scale)))


class Int8StaticLinear(Int8Linear):
    """A linear layer of int8 weights [out, in] whose input and output are int8 with fixed scales."""

    def __init__(self, linear: nn.Linear, inputs: tuple[float, int], outputs: tuple[float, int]) -> None:
        """Take a layer and scale and zero point of its inputs and of its outputs."""
        super().__init__(linear)
        self.inputs, self.outputs = inputs, outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [tokens, in] to float32 [tokens, out]."""
        result: Tensor = int8_static_linear(
            x, self.weight, self.scale, self.zero_point, self.bias, *self.inputs, *self.outputs
        )
        return result


def _quantize(linear: nn.Linear, _: QuantizationConfig, observed: Observer | None) -> nn.Module:
    if not isinstance(observed, RangeObserver) or not observed.tokens:
        raise InvalidArgumentError(
            "expected calibration texts that run every layer, as int8-static needs them, got no calibration texts"
        )
    return Int8StaticLinear(linear, affine_parameters(*observed.inputs()), affine_parameters(*observed.outputs()))


def _observer(settings: QuantizationConfig) -> Observer | None:
    return RangeObserver(OBSERVERS[settings.range_observer])


PRECISION = Precision(
    "int8-static",
    "int8 weights per output channel and int8 activations with calibrated scales",
    _quantize,
    _observer,
    always_supported,
    higher=INT8,
)
