"""Pooling of token rows to one row per text, as in sentence-transformers' ``Pooling`` module."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from linnet_export.graph.layers import MASKED_SCORE, BatchLayout, first_tokens, per_token

__all__ = ["POOLINGS"]


def _kept(hidden: Tensor, layout: BatchLayout) -> Tensor:
    """Return float32 [batch, length]: 1 for a token, 0 for padding."""
    return hidden.new_ones(1, layout.length) if layout.keep is None else layout.keep


def _pooled(hidden: Tensor, layout: BatchLayout) -> Tensor:
    """Return float32 [batch, length]: 1 for a token that is pooled."""
    return _kept(hidden, layout) if layout.pooled is None else layout.pooled


def _sum(hidden: Tensor, weights: Tensor, layout: BatchLayout) -> Tensor:
    # a product, not aten.mean: XNNPACK has no mean over tokens, and the portable kernel is slow
    return torch.bmm(weights.unsqueeze(1), per_token(hidden, layout)).view(-1, hidden.shape[1])


def _total(weights: Tensor, layout: BatchLayout) -> Tensor:
    total = weights.sum(1, keepdim=True)
    # a prompt can leave no token: the sum is 0 then, and what divides it must not be
    return total if layout.pooled is None else torch.clamp(total, min=1e-9)


def _mean(hidden: Tensor, layout: BatchLayout) -> Tensor:
    pooled = _pooled(hidden, layout)
    return _sum(hidden, pooled, layout) / _total(pooled, layout)


def _mean_sqrt(hidden: Tensor, layout: BatchLayout) -> Tensor:
    pooled = _pooled(hidden, layout)
    return _sum(hidden, pooled, layout) / torch.sqrt(_total(pooled, layout))


def _weighted_mean(hidden: Tensor, layout: BatchLayout) -> Tensor:
    # by the token's place from 1 on, in the text with its prompt; padding stands behind the text, so the count of
    # tokens is the place
    keep = _kept(hidden, layout)
    weights = torch.cumsum(keep, 1) * (keep if layout.pooled is None else layout.pooled)
    return _sum(hidden, weights, layout) / _total(weights, layout)


def _max(hidden: Tensor, layout: BatchLayout) -> Tensor:
    # by the row of the token matrix: XNNPACK cannot add a dimension to [batch, length]
    if layout.pooled is not None:
        # 0 for a token that is pooled, else -infinity, which stays where no token is
        hidden = hidden + (1.0 - 1.0 / layout.pooled.reshape(-1, 1))
    elif layout.keep is not None:
        hidden = hidden + (1.0 - layout.keep.reshape(-1, 1)) * MASKED_SCORE
    return torch.amax(per_token(hidden, layout), dim=1)


def _first(hidden: Tensor, layout: BatchLayout) -> Tensor:
    if layout.pooled is None:
        return first_tokens(hidden, layout)
    # the first of the text if no token is pooled
    place = torch.argmax(layout.pooled, dim=1, keepdim=True).unsqueeze(2)
    return torch.gather(per_token(hidden, layout), 1, place.expand(-1, -1, hidden.shape[1])).squeeze(1)


def _last(hidden: Tensor, layout: BatchLayout) -> Tensor:
    pooled = layout.keep if layout.pooled is None else layout.pooled
    if pooled is None:
        return per_token(hidden, layout)[:, -1]
    count = torch.cumsum(pooled, 1)
    last = (count == pooled.sum(1, keepdim=True)).to(hidden.dtype) * pooled
    return _sum(hidden, last, layout)


POOLINGS: dict[str, Callable[[Tensor, BatchLayout], Tensor]] = {
    "cls": _first,
    "lasttoken": _last,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
    "weightedmean": _weighted_mean,
}
"""From hidden state [tokens, hidden] to embeddings [batch, hidden]."""
