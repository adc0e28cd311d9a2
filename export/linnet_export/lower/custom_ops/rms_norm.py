"""Custom operators for root mean square normalization, of one matrix or of a sum that is needed again."""

from __future__ import annotations

import torch
from torch import Tensor

from linnet_export.lower.custom_ops.library import LIBRARY, define

__all__ = ["add_rms_norm", "rms_norm"]

define("rms_norm", "Tensor x, Tensor weight, float eps")
define("add_rms_norm", "Tensor x, Tensor residual, Tensor weight, float eps", results=2)


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Return float32 [rows, width]: x / sqrt(mean(x^2) + eps) by row, multiplied with weight [width]."""
    result: Tensor = torch.ops.linnet.rms_norm(x, weight, eps)
    return result


def add_rms_norm(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Return x + residual, float32 [rows, width], and that normalized as :func:`rms_norm` does it."""
    result: tuple[Tensor, Tensor] = torch.ops.linnet.add_rms_norm(x, residual, weight, eps)
    return result


@torch.library.impl(LIBRARY, "rms_norm", "CPU")
def _normalize(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight


@torch.library.impl(LIBRARY, "rms_norm.out", "CPU")
def _normalize_out(x: Tensor, weight: Tensor, eps: float, *, out: Tensor) -> Tensor:
    return out.copy_(_normalize(x, weight, eps))


@torch.library.register_fake("linnet::rms_norm", lib=LIBRARY)
def _shape(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return torch.empty_like(x)


@torch.library.impl(LIBRARY, "add_rms_norm", "CPU")
def _add(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    summed = x + residual
    return summed, _normalize(summed, weight, eps)


@torch.library.impl(LIBRARY, "add_rms_norm.out", "CPU")
def _add_out(
    x: Tensor, residual: Tensor, weight: Tensor, eps: float, *, out0: Tensor, out1: Tensor
) -> tuple[Tensor, Tensor]:
    summed, normal = _add(x, residual, weight, eps)
    return out0.copy_(summed), out1.copy_(normal)


@torch.library.register_fake("linnet::add_rms_norm", lib=LIBRARY)
def _shapes(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    return torch.empty_like(x), torch.empty_like(x)
