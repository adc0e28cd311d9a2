"""Masked language model head: logits [batch, length, vocabulary]."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from linnet_export.graph.architectures.base import Architecture
from linnet_export.graph.layers import BatchLayout, per_token

__all__ = ["vocabulary_head"]


class _VocabularyHead(nn.Module):
    def __init__(self, predict: nn.Module) -> None:
        super().__init__()
        self.predict = predict

    def forward(self, hidden: Tensor, layout: BatchLayout) -> tuple[Tensor]:
        """Return logits float32 [batch, length, vocabulary] of the hidden state [tokens, hidden]."""
        return (per_token(self.predict(hidden), layout),)


def vocabulary_head(model: Any, architecture: Architecture) -> nn.Module:
    """Return the head of a masked language model."""
    return _VocabularyHead(architecture.fill_mask_head(model))
