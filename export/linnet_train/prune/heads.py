"""Pruning of attention heads by importance; the exporter removes the zeroed heads from the program.

The importance of a head is that of its output, by the same estimate as for neurons (Michel et al.,
<https://arxiv.org/abs/1905.10650>, section 4.1, use the gradient of a gate on each head). transformers derives the
width of a head from the hidden size, so heads cannot be removed from a checkpoint. Their weights are set to zero; zeros
get no gradient, so they stay zero during training, and the exporter removes the heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from linnet_train.errors import ShrinkError
from linnet_train.prune.importance import input_importance, kept_share
from linnet_train.prune.layers import encoder_layers

__all__ = ["prune_heads"]

_QUERY, _KEY, _VALUE, _OUTPUT = (
    f"attention.{name}" for name in ("self.query", "self.key", "self.value", "output.dense")
)
_MODEL_TYPES = ("bert", "electra", "roberta", "xlm-roberta")  # the exporter removes zeroed heads of these


def prune_heads(
    model: transformers.PreTrainedModel,
    count: int,
    batches: Sequence[dict[str, Any]],
    loss: Callable[[Any, dict[str, Any]], Tensor] | None = None,
) -> str:
    """Zero all but the ``count`` most important heads of each layer, in place.

    Args:
        model: a trained model that returns a loss.
        count: heads that stay.
        batches: tensors with labels.
        loss: (model, batch) -> a scalar; None: the model's own.

    Raises:
        ShrinkError: the exporter does not support the architecture, or there are not more than ``count`` heads.
    """
    config: Any = model.config
    heads = int(config.num_attention_heads)
    if config.model_type not in _MODEL_TYPES:
        raise ShrinkError(f"heads is for {', '.join(_MODEL_TYPES)}; the model is {config.model_type}")
    if count >= heads:
        raise ShrinkError(f"heads is {count}, the model has {heads}; expected fewer")
    layers = encoder_layers(model)[2]
    outputs = [_linear(layer, _OUTPUT) for layer in layers]
    importance = [channels.view(heads, -1).sum(dim=1) for channels in input_importance(model, outputs, batches, loss)]
    for layer, scores in zip(layers, importance, strict=True):
        pruned = torch.ones(heads, dtype=torch.bool)
        pruned[scores.topk(count).indices] = False
        _zero(layer, pruned.repeat_interleave(_linear(layer, _VALUE).out_features // heads))
    kept = kept_share(importance, count)
    return f"{count} of {heads} heads in each layer, with {kept:.0%} of the importance; the exporter removes the rest"


def _zero(layer: nn.Module, channels: Tensor) -> None:
    with torch.no_grad():
        for name in (_QUERY, _KEY, _VALUE):
            linear = _linear(layer, name)
            linear.weight[channels] = 0
            if linear.bias is not None:
                linear.bias[channels] = 0
        _linear(layer, _OUTPUT).weight[:, channels] = 0


def _linear(layer: nn.Module, name: str) -> nn.Linear:
    linear = layer.get_submodule(name)
    assert isinstance(linear, nn.Linear)
    return linear
