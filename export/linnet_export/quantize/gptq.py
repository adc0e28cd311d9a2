"""GPTQ rounding of the weights of a linear layer.

E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh, "GPTQ: Accurate Post-Training Quantization for Generative
Pre-trained Transformers", https://arxiv.org/abs/2210.17323, algorithm 1; the inputs are taken in the order
of their importance ("act-order") while the groups stay where they are ("static groups"), as in the authors'
own program, because a device reads a group as a run of neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["round_by_gptq"]

_DAMPING = 0.01
"""Added to the Hessian's diagonal, as a share of its mean (section 3.3 of the paper)."""

_BLOCK = 128
"""Inputs that are finished before the rest of the weights is brought up to date (section 3.3)."""


def round_by_gptq(weight: Tensor, scale: Tensor, hessian: Tensor, limits: tuple[int, int]) -> Tensor:
    """Return int8 [out, in], integers in ``limits``, such that the layer's outputs change least.

    Args:
        weight: float32 [out, in].
        scale: float32 [out, groups], one for in / groups neighbouring inputs.
        hessian: float32 [in, in], mean product of the inputs with themselves.
        limits: least and greatest integer.
    """
    width = weight.shape[1]
    group = width // scale.shape[1]
    hessian = hessian.to(torch.float64).clone()
    order = torch.argsort(hessian.diagonal(), descending=True)
    inverse = _inverse_factor(hessian[order][:, order])
    left = weight.detach().to(torch.float64)[:, order]
    steps = scale.to(torch.float64).repeat_interleave(group, dim=1)[:, order]
    rounded = torch.zeros_like(left)
    for start in range(0, width, _BLOCK):
        end = min(start + _BLOCK, width)
        errors = torch.zeros(len(left), end - start, dtype=torch.float64)
        for column in range(start, end):
            step = steps[:, column]
            rounded[:, column] = torch.round(left[:, column] / step).clamp(*limits)
            error = (left[:, column] - rounded[:, column] * step) / inverse[column, column]
            left[:, column:end] -= torch.outer(error, inverse[column, column:end])
            errors[:, column - start] = error
        left[:, end:] -= errors @ inverse[start:end, end:]
    return rounded[:, torch.argsort(order)].to(torch.int8)


def _inverse_factor(hessian: Tensor) -> Tensor:
    """Return the upper Cholesky factor of the damped Hessian's inverse, float64 [in, in]."""
    diagonal = hessian.diagonal()
    # an input that is always zero has no say: any positive number keeps the matrix regular
    damping = float(diagonal.mean()) * _DAMPING or 1.0
    diagonal.add_(damping)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(hessian))
    factor: Tensor = torch.linalg.cholesky(inverse, upper=True)
    return factor
