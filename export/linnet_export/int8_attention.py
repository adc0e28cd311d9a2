"""One operator for multi-head self-attention with int8 products, which linnet's own runtime brings along.

XNNPACK multiplies queries with keys, and weights with values, in float32 only, and writes the matrix of scores to
memory in between. linnet's operator rounds on the fly and never writes the scores. A stock ExecuTorch runtime
lacks it, so it stands in a method of its own (`forward_fused`) beside a `forward` that every runtime can run;
both read the same weights of the file. linnet takes it where the processor has AVX-512 VNNI.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["OPERATOR", "int8_attention"]

OPERATOR = "linnet::int8_attention.out"
"""Name in the program; runtime_bindings/core/kernels/attention_operator.cpp registers it."""

_LARGEST = 127.0
_LARGEST_WEIGHT = 32700
"""Below the largest int16, as the device rounds the exponential."""
_LARGEST_SUM = 2**31 - 1
_SMALLEST = 1e-36
"""Magnitude of a row of zeros: 127 divided by it must still be a number."""

_LIBRARY = torch.library.Library("linnet", "FRAGMENT")
_LIBRARY.define("int8_attention(Tensor query, Tensor key, Tensor value, int heads) -> Tensor")
_LIBRARY.define(
    "int8_attention.out(Tensor query, Tensor key, Tensor value, int heads, *, Tensor(a!) out) -> Tensor(a!)"
)


def int8_attention(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Return softmax(query key^T) value for one text, by head, in int8 arithmetic.

    Args:
        query: float32 [tokens, heads * head_width], scaled already.
        key: the same.
        value: the same.
        heads: number of heads.

    Queries and keys get one symmetric int8 scale per token and head, values one per channel, and the weights of
    a query become 15 bits relative to their largest, or fewer where a sum of products could leave int32.

    Returns:
        float32 [tokens, heads * head_width].
    """
    result: Tensor = torch.ops.linnet.int8_attention(query, key, value, heads)
    return result


@torch.library.impl(_LIBRARY, "int8_attention", "CPU")
def _compute(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    queries, keys, values = (each.view(each.shape[0], heads, -1).transpose(0, 1) for each in (query, key, value))
    query_scale, queries = _rounded(queries, -1)
    key_scale, keys = _rounded(keys, -1)
    value_scale, values = _rounded(values, 1)
    scores = torch.bmm(queries, keys.transpose(1, 2)) * key_scale.transpose(1, 2)
    scores = (scores - scores.amax(-1, keepdim=True)) * query_scale
    most = min(_LARGEST_WEIGHT, _LARGEST_SUM // int(_LARGEST) // query.shape[0])
    weights = torch.round(torch.exp(scores) * most).double()  # float32 does not hold their sums
    mixed = torch.bmm(weights, values.double()) / weights.sum(-1, keepdim=True) * value_scale
    return mixed.float().transpose(0, 1).reshape(query.shape)


@torch.library.impl(_LIBRARY, "int8_attention.out", "CPU")
def _compute_out(query: Tensor, key: Tensor, value: Tensor, heads: int, *, out: Tensor) -> Tensor:
    return out.copy_(_compute(query, key, value, heads))


@torch.library.register_fake("linnet::int8_attention", lib=_LIBRARY)
def _shape(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    return torch.empty_like(query)


def _rounded(x: Tensor, over: int) -> tuple[Tensor, Tensor]:
    """Return scales and whole numbers within -127 to 127 (as float32: their sums of products are exact)."""
    largest = x.abs().amax(over, keepdim=True).clamp(min=_SMALLEST)
    return largest / _LARGEST, torch.round(x * (_LARGEST / largest))
