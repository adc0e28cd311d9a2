"""Custom operator for the product of two matrices by element: a gate, between layers of linnet's delegate.

XNNPACK has it, but a partition of one operator between two delegates costs more than the product.
"""

from __future__ import annotations

import torch
from torch import Tensor

from linnet_export.lower.custom_ops.library import LIBRARY, define

__all__ = ["multiply"]

define("multiply", "Tensor x, Tensor gate")


def multiply(x: Tensor, gate: Tensor) -> Tensor:
    """Return x * gate by element, all float32 [tokens, width]."""
    result: Tensor = torch.ops.linnet.multiply(x, gate)
    return result


@torch.library.impl(LIBRARY, "multiply", "CPU")
def _compute(x: Tensor, gate: Tensor) -> Tensor:
    return x * gate


@torch.library.impl(LIBRARY, "multiply.out", "CPU")
def _compute_out(x: Tensor, gate: Tensor, *, out: Tensor) -> Tensor:
    return out.copy_(_compute(x, gate))


@torch.library.register_fake("linnet::multiply", lib=LIBRARY)
def _shape(x: Tensor, gate: Tensor) -> Tensor:
    return torch.empty_like(x)
