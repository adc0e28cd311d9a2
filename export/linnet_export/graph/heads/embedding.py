"""Embedding head: pooling and normalization, or the hidden state of every token.

Pooling and normalization follow sentence-transformers' ``Pooling`` and ``Normalize`` modules.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linnet_export.graph.heads.base import HeadSettings, UnsupportedHeadError
from linnet_export.graph.layers import BatchLayout, per_token
from linnet_export.graph.pooling import POOLINGS

__all__ = ["embedding_head"]

_SMALLEST_LENGTH = 1e-12
"""`eps` of torch.nn.functional.normalize, which sentence-transformers uses."""


class _EmbeddingHead(nn.Module):
    def __init__(self, settings: HeadSettings) -> None:
        super().__init__()
        self.pool = POOLINGS.get(settings.pooling, per_token)
        self.normalize = settings.normalize

    def forward(self, hidden: Tensor, layout: BatchLayout) -> tuple[Tensor]:
        """Return float32 [batch, hidden], or [batch, length, hidden] without pooling."""
        rows = self.pool(hidden, layout)
        if self.normalize:
            length = torch.sqrt((rows * rows).sum(-1, keepdim=True))
            rows = rows / torch.clamp(length, min=_SMALLEST_LENGTH)
        return (rows,)


def embedding_head(settings: HeadSettings) -> nn.Module:
    """Return the head that pools and normalizes as the settings say.

    Raises:
        UnsupportedHeadError: there is no such pooling.
    """
    if settings.pooling != "none" and settings.pooling not in POOLINGS:
        raise UnsupportedHeadError(
            f"pooling is {settings.pooling!r}, supported are {', '.join(sorted(POOLINGS))} and none"
        )
    return _EmbeddingHead(settings)
