"""Pooling of token rows to one row per text, as in sentence-transformers' ``Pooling`` module."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from linnet_export.graph.layers import MASKED_SCORE, BatchLayout, first_tokens, per_token

__all__ = ["POOLINGS"]


def _mean(hidden: Tensor, layout: BatchLayout) -> Tensor:
    # a product, not aten.mean: XNNPACK has no mean over tokens, and the portable kernel is slow
    keep = hidden.new_ones(1, layout.length) if layout.keep is None else layout.keep
    total = torch.bmm(keep.unsqueeze(1), per_token(hidden, layout)).view(-1, hidden.shape[1])
    return total / keep.sum(1, keepdim=True)


def _max(hidden: Tensor, layout: BatchLayout) -> Tensor:
    rows = per_token(hidden, layout)
    if layout.keep is not None:
        rows = rows + ((1.0 - layout.keep) * MASKED_SCORE).unsqueeze(2)
    return torch.amax(rows, dim=1)


POOLINGS: dict[str, Callable[[Tensor, BatchLayout], Tensor]] = {"cls": first_tokens, "max": _max, "mean": _mean}
"""From hidden state [tokens, hidden] to embeddings [batch, hidden]."""
