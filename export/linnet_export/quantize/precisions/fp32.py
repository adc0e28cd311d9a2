"""float32: the layer stays as it is."""

from __future__ import annotations

from torch import nn

from linnet_export.config import QuantizationConfig
from linnet_export.quantize.observers import Observer
from linnet_export.quantize.precisions.base import Precision, always_supported, never_observed

__all__ = ["PRECISION"]


def _keep(linear: nn.Linear, _: QuantizationConfig, __: Observer | None) -> nn.Module:
    return linear


PRECISION = Precision("fp32", "", _keep, never_observed, always_supported)
