"""From one row per token to one row per text, as sentence-transformers' ``Pooling`` module does it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from linnet_export.graph.layers import MASKED_SCORE, Frame, first_tokens, per_token

__all__ = ["POOLINGS"]


def _mean(hidden: Tensor, frame: Frame) -> Tensor:
    # a product, not aten.mean: XNNPACK has no mean over tokens, and the portable kernel is slow
    keep = hidden.new_ones(1, frame.length) if frame.keep is None else frame.keep
    total = torch.bmm(keep.unsqueeze(1), per_token(hidden, frame)).view(-1, hidden.shape[1])
    return total / keep.sum(1, keepdim=True)


def _max(hidden: Tensor, frame: Frame) -> Tensor:
    rows = per_token(hidden, frame)
    if frame.keep is not None:
        rows = rows + ((1.0 - frame.keep) * MASKED_SCORE).unsqueeze(2)
    return torch.amax(rows, dim=1)


POOLINGS: dict[str, Callable[[Tensor, Frame], Tensor]] = {"cls": first_tokens, "max": _max, "mean": _mean}
"""From hidden state [tokens, hidden] to embeddings [batch, hidden]."""
