"""int4 weights in groups, activations as int8 with one scale per token: XNNPACK's qd8-f32-qb4w.

A group is a run of neighbouring inputs of one output and has one scale, which XNNPACK keeps as bfloat16.
torchao calls this 8da4w: 8-bit dynamic activations, 4-bit weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linnet_export.config import QuantizationConfig
from linnet_export.quantize.gptq import round_by_gptq
from linnet_export.quantize.observers import HessianObserver, Observer
from linnet_export.quantize.operators import INT4, int4_linear
from linnet_export.quantize.precisions.base import Precision
from linnet_export.quantize.precisions.int8 import PRECISION as INT8

__all__ = ["PRECISION", "Int4Linear", "group_scales", "round_to_groups"]

_SMALLEST_SCALE = torch.finfo(torch.bfloat16).tiny
"""XNNPACK refuses a scale that is not a normal number; a group of zeros would have one."""

_STEPS = 40
_NARROWEST = 0.5
"""The search for a scale tries 41 of them, down to half of what would clip nothing."""


def group_scales(weight: Tensor, group_size: int, importance: Tensor | None = None, *, search: bool = True) -> Tensor:
    """Return a scale for each group: float32 [out, in / group_size], values that bfloat16 has.

    A smaller scale clips the largest weights and rounds all others less. Of those tried, the one with the
    least squared error is taken, as in the search for clipping thresholds of AWQ
    (https://arxiv.org/abs/2306.00978, section 3.2).

    Args:
        weight: float32 [out, in].
        group_size: inputs per group; a divisor of in.
        importance: float32 [in], weight of an input's error: the mean of its square; None: all alike.
        search: False takes the scale that clips (nearly) nothing.
    """
    groups = weight.detach().to(torch.float32).unflatten(1, (-1, group_size))
    # of sixteen values, the largest magnitude gets 7.5: one side is clipped by half a step, as in torchao
    widest = groups.abs().amax(-1) / ((INT4[1] - INT4[0]) / 2)
    best = _as_stored(widest)
    if not search:
        return best
    factors = None if importance is None else importance.to(torch.float32).unflatten(0, (-1, group_size))
    least = _error(groups, best, factors)
    for step in range(_STEPS + 1):
        scale = _as_stored(widest * (1.0 - (1.0 - _NARROWEST) * step / _STEPS))
        error = _error(groups, scale, factors)
        better = error < least
        best, least = torch.where(better, scale, best), torch.where(better, error, least)
    return best


def round_to_groups(weight: Tensor, scale: Tensor) -> Tensor:
    """Return int8 [out, in], the nearest int4 of each float32 weight [out, in]; scale is [out, groups]."""
    groups = weight.detach().to(torch.float32).unflatten(1, (scale.shape[1], -1))
    return torch.round(groups / scale.unsqueeze(-1)).clamp(*INT4).flatten(1).to(torch.int8)


def _as_stored(scale: Tensor) -> Tensor:
    return scale.clamp(min=_SMALLEST_SCALE).to(torch.bfloat16).to(torch.float32)


def _error(groups: Tensor, scale: Tensor, factors: Tensor | None) -> Tensor:
    scale = scale.unsqueeze(-1)
    squares = (torch.round(groups / scale).clamp(*INT4) * scale - groups).square()
    return (squares if factors is None else squares * factors).sum(-1)


class Int4Linear(nn.Module):
    """A linear layer with int4 weights in groups and int8 activations per token.

    Attributes:
        stored_bytes: bytes of weights, scales and bias in a program.
    """

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None) -> None:
        """Take int8 [out, in] of int4 values, scales [out, groups] of :func:`group_scales`, bias [out]."""
        super().__init__()
        self.weight: Tensor
        self.register_buffer("weight", weight)
        self.scale: Tensor
        self.register_buffer("scale", scale)
        self.zero_point: Tensor
        # int32: XNNPACK takes nothing but zeros for int4 groups
        self.register_buffer("zero_point", torch.zeros(scale.shape, dtype=torch.int32))
        self.bias = bias
        self.stored_bytes = weight.numel() // 2 + 2 * scale.numel() + (0 if bias is None else 4 * len(bias))

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [tokens, in] to float32 [tokens, out]."""
        result: Tensor = int4_linear(x, self.weight, self.scale, self.zero_point, self.bias)
        return result


def _quantize(linear: nn.Linear, settings: QuantizationConfig, observed: Observer | None) -> nn.Module:
    if isinstance(observed, HessianObserver) and observed.tokens:
        hessian = observed.hessian()
        scale = group_scales(linear.weight, settings.linear_group_size, hessian.diagonal())
        weight = round_by_gptq(linear.weight, scale, hessian, INT4)
    else:
        scale = group_scales(linear.weight, settings.linear_group_size)
        weight = round_to_groups(linear.weight, scale)
    return Int4Linear(weight, scale, linear.bias)


def _observer(settings: QuantizationConfig) -> Observer | None:
    return HessianObserver() if settings.linear_algorithm == "gptq" else None


def _reason_unsupported(linear: nn.Linear, settings: QuantizationConfig) -> str:
    if linear.in_features % settings.linear_group_size:
        return f"its width {linear.in_features} is no multiple of the group size {settings.linear_group_size}"
    return ""


PRECISION = Precision(
    "int4",
    "int4 weights per group and dynamic int8 activations per token",
    _quantize,
    _observer,
    _reason_unsupported,
    fallback=INT8,
    higher=INT8,
)
