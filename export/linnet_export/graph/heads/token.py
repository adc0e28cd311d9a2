"""Token classification head: logits [batch, length, labels]."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from linnet_export.graph.architectures.base import Architecture
from linnet_export.graph.layers import BatchLayout, per_token

__all__ = ["token_head"]


class _TokenHead(nn.Module):
    def __init__(self, classify: nn.Module) -> None:
        super().__init__()
        self.classify = classify

    def forward(self, hidden: Tensor, layout: BatchLayout) -> tuple[Tensor]:
        """Return logits float32 [batch, length, labels] of the hidden state float32 [tokens, hidden]."""
        return (per_token(self.classify(hidden), layout),)


def token_head(model: Any, architecture: Architecture) -> nn.Module:
    """Return the head of a model with a token classifier."""
    return _TokenHead(architecture.token_head(model))
