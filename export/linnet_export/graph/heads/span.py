"""Span head of extractive question answering: start and end logits [batch, length]."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from linnet_export.graph.architectures.base import Architecture
from linnet_export.graph.heads.base import UnsupportedHeadError
from linnet_export.graph.layers import BatchLayout, OutputLinear, make_linear

__all__ = ["span_head"]


class _SpanHead(nn.Module):
    """Two layers of one output each: cutting one layer's output in two would leave XNNPACK."""

    def __init__(self, transform: nn.Module, outputs: nn.Linear) -> None:
        super().__init__()
        self.transform = transform
        weight, bias = outputs.weight, outputs.bias
        self.start = make_linear(weight[0:1], None if bias is None else bias[0:1], OutputLinear)
        self.end = make_linear(weight[1:2], None if bias is None else bias[1:2], OutputLinear)

    def forward(self, hidden: Tensor, layout: BatchLayout) -> tuple[Tensor, Tensor]:
        """Return start and end logits float32 [batch, length] of the hidden state [tokens, hidden]."""
        hidden = self.transform(hidden)
        return self.start(hidden).view(layout.batch, -1), self.end(hidden).view(layout.batch, -1)


def span_head(model: Any, architecture: Architecture) -> nn.Module:
    """Return the head of an extractive question-answering model.

    Raises:
        UnsupportedHeadError: it does not have two outputs.
    """
    transform, outputs = architecture.span_head(model)
    count = outputs.out_features
    if count != 2:
        raise UnsupportedHeadError(
            f"the head has {count} outputs, question-answering needs 2 (start and end); "
            "set num_labels to 2 in config.json if the checkpoint really has two"
        )
    return _SpanHead(transform, outputs)
