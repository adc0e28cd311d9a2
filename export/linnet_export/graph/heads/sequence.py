"""Sequence classification head: logits [batch, labels]."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from linnet_export.graph.architectures.base import Architecture
from linnet_export.graph.layers import BatchLayout
from linnet_export.graph.pooling import POOLINGS

__all__ = ["sequence_head"]


class _SequenceHead(nn.Module):
    """A classifier of the first token, or of the mean of all."""

    def __init__(self, classify: nn.Module, pooling: str) -> None:
        super().__init__()
        self.classify = classify
        self.pool = POOLINGS[pooling]

    def forward(self, hidden: Tensor, layout: BatchLayout) -> tuple[Tensor]:
        """Return logits float32 [batch, labels] of the hidden state float32 [tokens, hidden]."""
        return (self.classify(self.pool(hidden, layout)),)


def sequence_head(model: Any, architecture: Architecture) -> nn.Module:
    """Return the head of a model with a sequence classifier."""
    return _SequenceHead(architecture.sequence_head(model), architecture.sequence_pooling(model))
