"""Custom operator for multi-head self-attention with int8 products.

XNNPACK multiplies queries with keys, and weights with values, in float32 only, and writes the matrix of scores to
memory in between. This operator rounds on the fly and never writes the scores.
"""

from __future__ import annotations

import torch
from torch import Tensor

from linnet_export.lower.custom_ops.library import LIBRARY

__all__ = ["int8_attention"]

_LARGEST = 127.0
_LARGEST_WEIGHT = 255.0
_BLOCK = 32
"""Keys whose weights share their resolution; runtime_bindings/runtime/kernels/attention.h has the same number."""
_SMALLEST = 1e-36
"""Magnitude of a row of zeros: 127 divided by it must still be a number."""

LIBRARY.define("int8_attention(Tensor query, Tensor key, Tensor value, int heads) -> Tensor")
LIBRARY.define("int8_attention.out(Tensor query, Tensor key, Tensor value, int heads, *, Tensor(a!) out) -> Tensor(a!)")


def int8_attention(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Return softmax(query key^T) value for one text, by head, in int8 arithmetic.

    Args:
        query: float32 [tokens, heads * head_width], scaled already.
        key: the same.
        value: the same.
        heads: number of heads.

    Queries and keys get one symmetric int8 scale per token and head, values one per channel, and the weights of
    a query become 8 bits relative to the largest of their block of 32 keys.

    Returns:
        float32 [tokens, heads * head_width].
    """
    result: Tensor = torch.ops.linnet.int8_attention(query, key, value, heads)
    return result


@torch.library.impl(LIBRARY, "int8_attention", "CPU")
def _compute(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    queries, keys, values = (side.view(side.shape[0], heads, -1).transpose(0, 1) for side in (query, key, value))
    query_scale, queries = _rounded(queries, -1)
    key_scale, keys = _rounded(keys, -1)
    value_scale, values = _rounded(values, 1)
    scores = torch.bmm(queries, keys.transpose(1, 2)) * key_scale.transpose(1, 2) * query_scale
    largest = scores.amax(-1, keepdim=True)
    mixed, total = torch.zeros_like(queries), torch.zeros_like(largest)
    for block, block_values in zip(scores.split(_BLOCK, -1), values.split(_BLOCK, 1), strict=True):
        block_largest = block.amax(-1, keepdim=True)
        weights = torch.round(torch.exp(block - block_largest) * _LARGEST_WEIGHT)
        share = torch.exp(block_largest - largest)
        mixed += torch.bmm(weights, block_values) * share
        total += weights.sum(-1, keepdim=True) * share
    mixed = mixed / total * value_scale
    return mixed.transpose(0, 1).reshape(query.shape)


@torch.library.impl(LIBRARY, "int8_attention.out", "CPU")
def _compute_out(query: Tensor, key: Tensor, value: Tensor, heads: int, *, out: Tensor) -> Tensor:
    return out.copy_(_compute(query, key, value, heads))


@torch.library.register_fake("linnet::int8_attention", lib=LIBRARY)
def _shape(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    return torch.empty_like(query)


def _rounded(x: Tensor, over: int) -> tuple[Tensor, Tensor]:
    """Return scales and whole numbers within -127 to 127 (as float32: their sums of products are exact)."""
    largest = x.abs().amax(over, keepdim=True).clamp(min=_SMALLEST)
    return largest / _LARGEST, torch.round(x * (_LARGEST / largest))
