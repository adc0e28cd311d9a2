"""Custom operators for multi-head self-attention with int8 products.

XNNPACK multiplies queries with keys, and weights with values, in float32 only, and writes the matrix of scores to
memory in between. These operators round on the fly and never write the scores. One is plain; the others know places:
by a bias, by rotation and a window, or by keys and queries of distances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from linnet_export.lower.custom_ops.library import LIBRARY, define

__all__ = ["int8_attention", "int8_biased_attention", "int8_disentangled_attention", "int8_rotary_attention"]

_LARGEST = 127.0
_LARGEST_WEIGHT = 255.0
_BLOCK = 32
"""Keys whose weights share their resolution; runtime_bindings/runtime/kernels/attention.h has the same number."""
_SMALLEST = 1e-36
"""Magnitude of a row of zeros: 127 divided by it must still be a number."""
_NEVER, _FLOOR = -1e30, -1e29
"""Score of a key that a query does not see, and the least that the largest of a block counts as."""

define("int8_attention", "Tensor query, Tensor key, Tensor value, int heads")
define("int8_biased_attention", "Tensor query, Tensor key, Tensor value, Tensor bias, int heads")
define(
    "int8_disentangled_attention",
    "Tensor query, Tensor key, Tensor value, Tensor? distance_keys, Tensor? distance_queries, int heads",
)
define(
    "int8_rotary_attention",
    "Tensor query_first, Tensor query_second, Tensor key_first, Tensor key_second, Tensor value, "
    "Tensor cosine, Tensor sine, int heads, int before, int behind",
)


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


def int8_biased_attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, heads: int) -> Tensor:
    """Return the same with a bias by distance added to the scores.

    ``bias`` is float32 [heads, 2 * reach], for reach >= tokens: a score gets the entry reach - 1 + query - key.
    """
    result: Tensor = torch.ops.linnet.int8_biased_attention(query, key, value, bias, heads)
    return result


def int8_disentangled_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    distance_keys: Tensor | None,
    distance_queries: Tensor | None,
    heads: int,
) -> Tensor:
    """Return the same with products of queries and keys with rows of their distance added to the scores.

    Args:
        query: float32 [tokens, heads * head_width], scaled already.
        key: the same.
        value: the same.
        distance_keys: float32 [2 * tokens, heads * head_width], by the distances key - query from -tokens to
            tokens - 1: what queries are multiplied with. None: nothing is added.
        distance_queries: the same by the distances query - key, scaled already: what keys are multiplied with.
        heads: number of heads.
    """
    result: Tensor = torch.ops.linnet.int8_disentangled_attention(
        query, key, value, distance_keys, distance_queries, heads
    )
    return result


def int8_rotary_attention(
    query: tuple[Tensor, Tensor],
    key: tuple[Tensor, Tensor],
    value: Tensor,
    rotation: tuple[Tensor, Tensor],
    heads: int,
    window: tuple[int, int] = (-1, -1),
) -> Tensor:
    """Return the same with rotated queries and keys, and with a window.

    Args:
        query: both halves of every head, float32 [tokens, heads * head_width / 2], scaled already.
        key: the same.
        value: float32 [tokens, heads * head_width].
        rotation: cosines and sines by place, float32 [at least tokens, 1, head_width / 2].
        heads: number of heads.
        window: keys that a query sees in front of its own place and behind it; -1: all.
    """
    result: Tensor = torch.ops.linnet.int8_rotary_attention(*query, *key, value, *rotation, heads, *window)
    return result


@torch.library.impl(LIBRARY, "int8_attention", "CPU")
def _plain(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    return _attended(_by_head(query, heads), _by_head(key, heads), _by_head(value, heads), None)


@torch.library.impl(LIBRARY, "int8_biased_attention", "CPU")
def _biased(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, heads: int) -> Tensor:
    pairs = bias[:, bias.shape[1] // 2 - 1 + _query_minus_key(query.shape[0])]
    return _attended(_by_head(query, heads), _by_head(key, heads), _by_head(value, heads), pairs)


@torch.library.impl(LIBRARY, "int8_disentangled_attention", "CPU")
def _disentangled(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    distance_keys: Tensor | None,
    distance_queries: Tensor | None,
    heads: int,
) -> Tensor:
    queries, keys = _by_head(query, heads), _by_head(key, heads)
    place = query.shape[0] + _query_minus_key(query.shape[0])
    pairs = torch.zeros(())
    if distance_keys is not None:
        products = _products(queries, _by_head(distance_keys, heads))
        pairs = pairs + products.gather(2, place.t().expand(heads, -1, -1))
    if distance_queries is not None:
        products = _products(keys, _by_head(distance_queries, heads))
        pairs = pairs + products.gather(2, place.t().expand(heads, -1, -1)).transpose(1, 2)
    return _attended(queries, keys, _by_head(value, heads), pairs)


@torch.library.impl(LIBRARY, "int8_rotary_attention", "CPU")
def _rotary(
    query_first: Tensor,
    query_second: Tensor,
    key_first: Tensor,
    key_second: Tensor,
    value: Tensor,
    cosine: Tensor,
    sine: Tensor,
    heads: int,
    before: int,
    behind: int,
) -> Tensor:
    tokens = value.shape[0]
    cosine, sine = cosine[:tokens].flatten(1), sine[:tokens].flatten(1)

    def rotated(first: Tensor, second: Tensor) -> Tensor:
        first, second = _by_head(first, heads), _by_head(second, heads)
        return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)

    distance = _query_minus_key(tokens)
    unseen = ((distance > before) & (before >= 0)) | ((-distance > behind) & (behind >= 0))
    edges = unseen.float() * _NEVER if bool(unseen.any()) else None
    query, key = rotated(query_first, query_second), rotated(key_first, key_second)
    return _attended(query, key, _by_head(value, heads), edges)


def _by_head(rows: Tensor, heads: int) -> Tensor:
    return rows.view(rows.shape[0], heads, -1).transpose(0, 1)


def _query_minus_key(tokens: int) -> Tensor:
    places = torch.arange(tokens)
    return places.unsqueeze(1) - places


def _attended(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    """Return float32 [tokens, width] of float32 [heads, tokens, head_width]; the bias is [..., tokens, tokens]."""
    value_scale, values = _rounded(values, 1)
    scores = _products(queries, keys)
    if bias is not None:
        scores = scores + bias
    largest = scores.amax(-1, keepdim=True)
    mixed, total = torch.zeros_like(values), torch.zeros_like(largest)
    for block, block_values in zip(scores.split(_BLOCK, -1), values.split(_BLOCK, 1), strict=True):
        block_largest = block.amax(-1, keepdim=True).clamp(min=_FLOOR)
        weights = torch.round(torch.exp(block - block_largest) * _LARGEST_WEIGHT)
        share = torch.exp(block_largest - largest)
        mixed += torch.bmm(weights, block_values) * share
        total += weights.sum(-1, keepdim=True) * share
    mixed = mixed / total * value_scale
    return mixed.transpose(0, 1).reshape(mixed.shape[1], -1)


def _products(left: Tensor, right: Tensor) -> Tensor:
    """Return float32 [heads, n, m] of the rounded rows of [heads, n, head_width] and [heads, m, head_width]."""
    left_scale, left = _rounded(left, -1)
    right_scale, right = _rounded(right, -1)
    return torch.bmm(left, right.transpose(1, 2)) * right_scale.transpose(1, 2) * left_scale


def _rounded(x: Tensor, over: int) -> tuple[Tensor, Tensor]:
    """Return scales and whole numbers within -127 to 127 (as float32: their sums of products are exact)."""
    largest = x.abs().amax(over, keepdim=True).clamp(min=_SMALLEST)
    return largest / _LARGEST, torch.round(x * (_LARGEST / largest))


def _register_out(name: str, compute: Callable[..., Tensor], value: int) -> None:
    """Register the form that a program calls, and the shape: that of the argument number ``value``."""

    def compute_out(*arguments: Any, out: Tensor) -> Tensor:
        return out.copy_(compute(*arguments))

    def shape(*arguments: Any) -> Tensor:
        like: Tensor = arguments[value]
        return torch.empty_like(like)

    torch.library.impl(LIBRARY, f"{name}.out", "CPU")(compute_out)
    torch.library.register_fake(f"linnet::{name}", shape, lib=LIBRARY)


_register_out("int8_attention", _plain, 2)
_register_out("int8_biased_attention", _biased, 2)
_register_out("int8_disentangled_attention", _disentangled, 2)
_register_out("int8_rotary_attention", _rotary, 4)
