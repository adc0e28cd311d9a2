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


def _sum(hidden: Tensor, weights: Tensor, layout: BatchLayout) -> Tensor:
    # a product, not aten.mean: XNNPACK has no mean over tokens, and the portable kernel is slow
    return torch.bmm(weights.unsqueeze(1), per_token(hidden, layout)).view(-1, hidden.shape[1])


def _mean(hidden: Tensor, layout: BatchLayout) -> Tensor:
    keep = _kept(hidden, layout)
    return _sum(hidden, keep, layout) / keep.sum(1, keepdim=True)


def _mean_sqrt(hidden: Tensor, layout: BatchLayout) -> Tensor:
    keep = _kept(hidden, layout)
    return _sum(hidden, keep, layout) / torch.sqrt(keep.sum(1, keepdim=True))


def _weighted_mean(hidden: Tensor, layout: BatchLayout) -> Tensor:
    # by the token's place from 1 on; padding stands behind the text, so the count of tokens is the place
    keep = _kept(hidden, layout)
    weights = torch.cumsum(keep, 1) * keep
    return _sum(hidden, weights, layout) / weights.sum(1, keepdim=True)


def _max(hidden: Tensor, layout: BatchLayout) -> Tensor:
    rows = per_token(hidden, layout)
    if layout.keep is not None:
        rows = rows + ((1.0 - layout.keep) * MASKED_SCORE).unsqueeze(2)
    return torch.amax(rows, dim=1)


def _last(hidden: Tensor, layout: BatchLayout) -> Tensor:
    if layout.keep is None:
        return per_token(hidden, layout)[:, -1]
    count = torch.cumsum(layout.keep, 1)
    last = (count == layout.keep.sum(1, keepdim=True)).to(hidden.dtype) * layout.keep
    return _sum(hidden, last, layout)


POOLINGS: dict[str, Callable[[Tensor, BatchLayout], Tensor]] = {
    "cls": first_tokens,
    "lasttoken": _last,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
    "weightedmean": _weighted_mean,
}
"""From hidden state [tokens, hidden] to embeddings [batch, hidden]."""
