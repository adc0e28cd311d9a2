"""Importance of the inputs of linear layers, by which neurons and heads are ranked.

Importance is the first-order estimate of how much the loss would change without the input,
``|activation * gradient|`` summed over tokens (Molchanov et al., <https://arxiv.org/abs/1611.06440>).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers
from torch import Tensor, nn

__all__ = ["input_importance", "kept_share"]


def input_importance(
    model: transformers.PreTrainedModel,
    layers: Sequence[nn.Linear],
    batches: Sequence[dict[str, Any]],
    loss: Callable[[Any, dict[str, Any]], Tensor] | None = None,
) -> list[Tensor]:
    """Compute the importance of each input of each of these layers: float32 [inputs] each.

    Args:
        model: a trained model that returns a loss.
        layers: linear layers whose inputs are ranked.
        batches: tensors with labels.
        loss: (model, batch) -> a scalar; None: the model's own.
    """
    scores = [torch.zeros(layer.in_features) for layer in layers]
    seen: list[Tensor] = []

    def watch(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        inputs[0].retain_grad()
        seen.append(inputs[0])

    handles = [layer.register_forward_pre_hook(watch) for layer in layers]
    try:
        model.eval()
        for batch in batches:
            seen.clear()
            (model(**batch).loss if loss is None else loss(model, dict(batch))).backward()
            for score, values in zip(scores, seen, strict=True):
                gradient = torch.zeros_like(values) if values.grad is None else values.grad
                # whole texts, so that a neuron that helps one token and harms another is not counted twice
                score += (values * gradient).sum(dim=1).abs().sum(dim=0).detach()
            model.zero_grad(set_to_none=True)
    finally:
        for handle in handles:
            handle.remove()
    return scores


def kept_share(importance: Sequence[Tensor], count: int) -> float:
    """Return the share of the importance that the ``count`` largest of each layer have, the mean of all layers."""
    return sum(float(scores.topk(count).values.sum() / scores.sum()) for scores in importance) / len(importance)
