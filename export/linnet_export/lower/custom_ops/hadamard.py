"""Custom operator for the Hadamard transform of blocks of a row, in front of a layer that rounds to 8 bits."""

from __future__ import annotations

import torch
from torch import Tensor

from linnet_export.lower.custom_ops.library import LIBRARY, define

__all__ = ["hadamard", "hadamard_block", "hadamard_matrix"]

define("hadamard", "Tensor x, int block")

_BLOCKS = (64, 32, 16)
"""Sizes that the kernel knows: runtime_bindings/runtime/kernels/hadamard.h."""


def hadamard_block(width: int) -> int | None:
    """Return the size of the blocks of a row, the largest that divides it; None if none does."""
    return next((block for block in _BLOCKS if width % block == 0), None)


def hadamard_matrix(size: int) -> Tensor:
    """Return the orthogonal Hadamard matrix of Sylvester's construction, float64 [size, size], a power of two."""
    matrix = torch.ones(1, 1, dtype=torch.float64)
    while len(matrix) < size:
        matrix = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64), matrix)
    return matrix / size**0.5


def hadamard(x: Tensor, block: int) -> Tensor:
    """Multiply each ``block`` numbers of a row of float32 [tokens, width] with :func:`hadamard_matrix`."""
    result: Tensor = torch.ops.linnet.hadamard(x, block)
    return result


@torch.library.impl(LIBRARY, "hadamard", "CPU")
def _compute(x: Tensor, block: int) -> Tensor:
    blocks = x.double().view(-1, block)
    return (blocks @ hadamard_matrix(block)).view(x.shape).float()


@torch.library.impl(LIBRARY, "hadamard.out", "CPU")
def _compute_out(x: Tensor, block: int, *, out: Tensor) -> Tensor:
    return out.copy_(_compute(x, block))


@torch.library.register_fake("linnet::hadamard", lib=LIBRARY)
def _shape(x: Tensor, block: int) -> Tensor:
    return torch.empty_like(x)
