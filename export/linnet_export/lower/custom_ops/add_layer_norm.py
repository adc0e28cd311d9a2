"""Custom operators for layer normalization, of one matrix or of a sum.

XNNPACK has no layer normalization: :class:`linnet_export.graph.layers.LayerNorm` takes nine of its operators, each of
which passes over all tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from linnet_export.lower.custom_ops.library import LIBRARY, define

__all__ = ["add_layer_norm", "layer_norm"]

define("add_layer_norm", "Tensor x, Tensor residual, Tensor weight, float eps")
define("layer_norm", "Tensor x, Tensor weight, float eps")


def add_layer_norm(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Return float32 [tokens, width]: x + residual, normalized by row and multiplied with weight [width]."""
    result: Tensor = torch.ops.linnet.add_layer_norm(x, residual, weight, eps)
    return result


def layer_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Return float32 [tokens, width]: x, normalized by row and multiplied with weight [width]."""
    result: Tensor = torch.ops.linnet.layer_norm(x, weight, eps)
    return result


@torch.library.impl(LIBRARY, "add_layer_norm", "CPU")
def _compute(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> Tensor:
    return functional.layer_norm(x + residual, (x.shape[-1],), weight, None, eps)


@torch.library.impl(LIBRARY, "add_layer_norm.out", "CPU")
def _compute_out(x: Tensor, residual: Tensor, weight: Tensor, eps: float, *, out: Tensor) -> Tensor:
    return out.copy_(_compute(x, residual, weight, eps))


@torch.library.register_fake("linnet::add_layer_norm", lib=LIBRARY)
def _shape(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> Tensor:
    return torch.empty_like(x)


@torch.library.impl(LIBRARY, "layer_norm", "CPU")
def _compute_one(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return functional.layer_norm(x, (x.shape[-1],), weight, None, eps)


@torch.library.impl(LIBRARY, "layer_norm.out", "CPU")
def _compute_one_out(x: Tensor, weight: Tensor, eps: float, *, out: Tensor) -> Tensor:
    return out.copy_(_compute_one(x, weight, eps))


@torch.library.register_fake("linnet::layer_norm", lib=LIBRARY)
def _shape_of_one(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return torch.empty_like(x)
