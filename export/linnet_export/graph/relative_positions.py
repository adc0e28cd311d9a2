"""Relative position biases without a stored matrix of all pairs of tokens.

A row of values by distance becomes a matrix of pairs of tokens by shifting it by one per token. In memory that is
a change of strides, which ``aten.as_strided_copy`` does in one pass: with rows of width w, the place
``i * w + (j - i + c)`` is ``i * (w - 1) + j + c``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linnet_export.graph.layers import frozen_parameter

__all__ = ["RelativePositionBias", "distances", "pairs_of_distances"]


def distances(max_length: int) -> Tensor:
    """Return int64 [2 * max_length], the distances -max_length .. max_length - 1."""
    return torch.arange(-max_length, max_length)


def pairs_of_distances(rows: Tensor, length: int, *, transposed: bool = False) -> Tensor:
    """Return float32 [n, length, length] of float32 [n, length, 2 * length] by token and distance.

    Entry [i, j] is row i at the distance j - i; transposed, row j at the distance i - j.
    """
    width = 2 * length
    by_token, by_other = (1, width - 1) if transposed else (width - 1, 1)
    return rows.as_strided((rows.shape[0], length, length), (length * width, by_token, by_other), length)


class RelativePositionBias(nn.Module):
    """A bias on attention scores that depends on the head and on the distance key - query."""

    def __init__(self, table: Tensor) -> None:
        """Take float32 [heads, 2 * max_length], by head (or one row for all) and :func:`distances`."""
        super().__init__()
        self.table = frozen_parameter(table.unsqueeze(1))
        self.reversed = frozen_parameter(table.flip(1))  # as int8_biased_attention reads it

    def forward(self, length: int) -> Tensor:
        """Return float32 [heads, length, length]."""
        middle = self.table.shape[2] // 2
        near = self.table[:, :, middle - length : middle + length]
        return pairs_of_distances(near.repeat(1, length, 1), length)
