"""Interface of a precision of linear layers or of embedding tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from torch import nn

from linnet_export.config import QuantizationConfig
from linnet_export.quantize.observers import Observer

__all__ = ["Precision", "always_supported", "never_observed"]


@dataclasses.dataclass(frozen=True)
class Precision:
    """One way to store and compute a linear layer, or to store an embedding table.

    Attributes:
        name: as in ``--keep NAME=PRECISION`` and ``--embedding``; unique among those of one kind of layer.
        words: what is special about it, for the manifest; empty for float32.
        quantize: (layer, settings, what was observed) -> the layer in this precision.
        observer: settings -> what has to be watched on calibration texts; None if nothing.
        reason_unsupported: (layer, settings) -> why a layer cannot have it; empty if it can.
        fallback: the precision of a layer that cannot have this one; None if every layer can.
        higher: the next precision that errs less and that mixed precision may raise a layer to; None if there is none.
    """

    name: str
    words: str
    quantize: Callable[[Any, QuantizationConfig, Observer | None], nn.Module]
    observer: Callable[[QuantizationConfig], Observer | None]
    reason_unsupported: Callable[[Any, QuantizationConfig], str]
    fallback: Precision | None = None
    higher: Precision | None = None


def never_observed(_: QuantizationConfig) -> None:
    """Return None: nothing has to be watched."""


def always_supported(_: nn.Module, __: QuantizationConfig) -> str:
    """Return "": any layer can have it."""
    return ""
