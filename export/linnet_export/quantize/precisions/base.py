"""Interface of a precision of linear layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from torch import nn

from linnet_export.config import QuantizationConfig
from linnet_export.quantize.observers import Observer

__all__ = ["Precision", "always_supported", "never_observed"]


@dataclasses.dataclass(frozen=True)
class Precision:
    """One way to store and compute a linear layer.

    Attributes:
        name: as in ``--keep NAME=PRECISION``.
        words: what is special about it, for the manifest; empty for float32.
        quantize: (layer, settings, what was observed) -> the layer in this precision.
        observer: settings -> what has to be watched on calibration texts; None if nothing.
        reason_unsupported: (layer, settings) -> why a layer cannot have it; empty if it can.
        fallback: the precision of a layer that cannot have this one.
        higher: the next precision that errs less, empty if there is none.
    """

    name: str
    words: str
    quantize: Callable[[nn.Linear, QuantizationConfig, Observer | None], nn.Module]
    observer: Callable[[QuantizationConfig], Observer | None]
    reason_unsupported: Callable[[nn.Linear, QuantizationConfig], str]
    fallback: str = ""
    higher: str = ""


def never_observed(_: QuantizationConfig) -> None:
    """Return None: nothing has to be watched."""


def always_supported(_: nn.Linear, __: QuantizationConfig) -> str:
    """Return "": any layer can have it."""
    return ""
