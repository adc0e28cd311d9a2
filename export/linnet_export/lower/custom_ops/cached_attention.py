"""Custom operator for causal grouped-query attention over a cache of keys and values in int8 or float32.

The cache is an input of the method, whose memory the runtime owns. The operator writes the rows of its tokens in place,
although its schema does not say so: torch.export turns a declared mutation of an input into a copy of the whole cache
in and out of the method. Each layer writes and reads rows of its own, so the order of the layers' calls is that of
their other arguments.
"""

from __future__ import annotations

import torch
from torch import Tensor

from linnet_export.lower.custom_ops.library import LIBRARY, define

__all__ = ["cache_row_bytes", "cached_attention"]

_LARGEST = 127.0
_LARGEST_WEIGHT = 255.0
_BLOCK = 32
"""Keys whose weights share their resolution, by absolute place."""
_SMALLEST = 1e-36
_SMALLEST_QUERY = 1e-20
"""Magnitude of a row or a query of zeros; runtime_bindings/runtime/kernels has these numbers too."""
_ALIGNMENT = 32
"""Of a row: loads of so many bytes cross no cache line."""
_FLOAT_BYTES = 4

_ARGUMENTS = (
    "Tensor query, Tensor key, Tensor value, Tensor cache, Tensor start, Tensor? cosine, Tensor? sine, "
    "int layer, int heads, int key_heads, int window"
)
define("cached_attention", _ARGUMENTS)


def cache_row_bytes(key_heads: int, width: int) -> int:
    """Return the bytes of a token's row in one layer of an int8 cache, for heads of ``width`` numbers.

    A row has int8 keys [key_heads, width], int8 values [key_heads, width], float32 scales of the keys [key_heads] and
    of the values [key_heads], and zeros up to a multiple of 32 bytes.
    """
    return _up(_scales_at(key_heads, width) + 2 * key_heads * _FLOAT_BYTES, _ALIGNMENT)


def cached_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cache: Tensor,
    start: Tensor,
    rotation: tuple[Tensor, Tensor] | None,
    layer: int,
    heads: int,
    key_heads: int,
    window: int = -1,
) -> Tensor:
    """Write keys and values of tokens to a layer of a cache, and return what their queries get from it.

    Args:
        query: float32 [tokens, heads * width], scaled already.
        key: float32 [tokens, key_heads * width]; a query head h reads the key head h // (heads // key_heads).
        value: the same.
        cache: uint8 [layers, capacity, cache_row_bytes(key_heads, width)], or float32 [layers, capacity,
            2 * key_heads * width] with all keys of a token, rotated, and then its values; written in place.
        start: int64 [1]: tokens that are in the cache already.
        rotation: cosines and sines by place, float32 [at least start + tokens, width / 2]; the halves (a, b) of a head
            become (a cos - b sin, b cos + a sin). None: nothing is rotated.
        layer: number of the layer.
        heads: number of query heads, a multiple of ``key_heads``.
        key_heads: number of key and value heads.
        window: keys that a query sees, its own included; -1: all so far.

    With uint8, keys, values and queries have a symmetric int8 scale per token and head. The softmax weights of a query
    times the scales of the values become 8 bits relative to the largest of their block of 32 places.

    Returns:
        float32 [tokens, heads * width].
    """
    cosine, sine = (None, None) if rotation is None else rotation
    result: Tensor = torch.ops.linnet.cached_attention(
        query, key, value, cache, start, cosine, sine, layer, heads, key_heads, window
    )
    return result


@torch.library.impl(LIBRARY, "cached_attention", "CPU")
def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cache: Tensor,
    start: Tensor,
    cosine: Tensor | None,
    sine: Tensor | None,
    layer: int,
    heads: int,
    key_heads: int,
    window: int,
) -> Tensor:
    tokens, begin = query.shape[0], int(start)
    _check(cache, begin, tokens, key_heads, query.shape[1] // heads)
    queries, keys, values = (_by_head(rows, n) for rows, n in ((query, heads), (key, key_heads), (value, key_heads)))
    if cosine is not None and sine is not None:
        angles = cosine[begin : begin + tokens], sine[begin : begin + tokens]
        queries, keys = _rotated(queries, *angles), _rotated(keys, *angles)
    places = torch.arange(begin + tokens)
    distance = places[begin:].unsqueeze(1) - places
    unseen = (distance < 0) | ((distance >= window) & (window >= 0))
    rows = cache[layer]
    if cache.dtype == torch.float32:
        rows[begin : begin + tokens] = torch.cat([_rows(keys), _rows(values)], 1)
        seen = rows[: begin + tokens].view(begin + tokens, 2, key_heads, -1).permute(1, 2, 0, 3)
        scores = queries @ _for_group(seen[0], heads).transpose(1, 2)
        return _rows(torch.softmax(scores.masked_fill(unseen, -torch.inf), -1) @ _for_group(seen[1], heads))
    rows[begin : begin + tokens] = _packed(keys, values)
    read = _unpacked(rows[: begin + tokens], key_heads, queries.shape[-1])
    return _rows(_mixed(queries, [_for_group(part, heads) for part in read], unseen))


def _mixed(queries: Tensor, read: list[Tensor], unseen: Tensor) -> Tensor:
    """Return float32 [heads, tokens, width] of what :func:`_unpacked` returns, for every head."""
    keys, key_scales, values, value_scales = read
    largest = queries.abs().amax(-1, keepdim=True).clamp(min=_SMALLEST_QUERY)
    rounded = torch.round(queries * (_LARGEST / largest))
    scores = rounded @ keys.transpose(1, 2) * key_scales.unsqueeze(1) * (largest / _LARGEST)
    scores = scores.masked_fill(unseen, -torch.inf)
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    mixed = torch.zeros_like(queries)
    scaled = weights * value_scales.unsqueeze(1)
    for block, block_values in zip(scaled.split(_BLOCK, -1), values.split(_BLOCK, 1), strict=True):
        most = block.amax(-1, keepdim=True).clamp(min=_SMALLEST)
        mixed += torch.round(block * (_LARGEST_WEIGHT / most)) @ block_values * (most / _LARGEST_WEIGHT)
    return mixed / weights.sum(-1, keepdim=True)


def _check(cache: Tensor, begin: int, tokens: int, key_heads: int, width: int) -> None:
    expected = 2 * key_heads * width if cache.dtype == torch.float32 else cache_row_bytes(key_heads, width)
    if cache.dtype not in (torch.float32, torch.uint8) or cache.shape[-1] != expected:
        raise ValueError(
            f"the cache is {cache.dtype} with rows of {cache.shape[-1]}, expected uint8 with rows of "
            f"{cache_row_bytes(key_heads, width)} or float32 with rows of {2 * key_heads * width}"
        )
    if begin < 0 or begin + tokens > cache.shape[1]:
        raise ValueError(
            f"start is {begin} for {tokens} tokens, expected 0 to {cache.shape[1] - tokens}: the cache has room for "
            f"{cache.shape[1]} tokens"
        )


def _by_head(rows: Tensor, heads: int) -> Tensor:
    return rows.view(rows.shape[0], heads, -1).transpose(0, 1)


def _rows(by_head: Tensor) -> Tensor:
    return by_head.transpose(0, 1).reshape(by_head.shape[1], -1)


def _for_group(by_key_head: Tensor, heads: int) -> Tensor:
    return by_key_head.repeat_interleave(heads // by_key_head.shape[0], 0)


def _rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)


def _packed(keys: Tensor, values: Tensor) -> Tensor:
    """Return rows uint8 [tokens, row_bytes] of float32 [key_heads, tokens, width]."""
    key_heads, tokens, width = keys.shape
    packed = torch.zeros(tokens, cache_row_bytes(key_heads, width), dtype=torch.uint8)
    for number, part in enumerate((keys, values)):
        largest = part.abs().amax(-1, keepdim=True).clamp(min=_SMALLEST)
        rounded = torch.round(part * (_LARGEST / largest)).to(torch.int8)
        at = number * key_heads * width
        packed[:, at : at + key_heads * width] = _rows(rounded).view(torch.uint8)
        at = _scales_at(key_heads, width) + number * key_heads * _FLOAT_BYTES
        scales = (largest / _LARGEST).squeeze(-1).t().contiguous()
        packed[:, at : at + key_heads * _FLOAT_BYTES] = scales.view(torch.uint8)
    return packed


def _unpacked(rows: Tensor, key_heads: int, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return keys [key_heads, n, width], their scales [key_heads, n], values and their scales, as float32."""
    found: list[Tensor] = []
    for number in range(2):
        at = number * key_heads * width
        numbers = rows[:, at : at + key_heads * width].contiguous().view(torch.int8)
        found.append(_by_head(numbers, key_heads).float())
        at = _scales_at(key_heads, width) + number * key_heads * _FLOAT_BYTES
        found.append(rows[:, at : at + key_heads * _FLOAT_BYTES].contiguous().view(torch.float32).t())
    return found[0], found[1], found[2], found[3]


def _scales_at(key_heads: int, width: int) -> int:
    return _up(2 * key_heads * width, _FLOAT_BYTES)


def _up(value: int, multiple: int) -> int:
    return (value + multiple - 1) // multiple * multiple


@torch.library.impl(LIBRARY, "cached_attention.out", "CPU")
def _attend_out(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cache: Tensor,
    start: Tensor,
    cosine: Tensor | None,
    sine: Tensor | None,
    layer: int,
    heads: int,
    key_heads: int,
    window: int,
    *,
    out: Tensor,
) -> Tensor:
    return out.copy_(_attend(query, key, value, cache, start, cosine, sine, layer, heads, key_heads, window))


@torch.library.register_fake("linnet::cached_attention", lib=LIBRARY)
def _shape(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cache: Tensor,
    start: Tensor,
    cosine: Tensor | None,
    sine: Tensor | None,
    layer: int,
    heads: int,
    key_heads: int,
    window: int,
) -> Tensor:
    return torch.empty_like(query)
