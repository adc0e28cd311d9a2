"""Pruning of feed-forward neurons by importance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from linnet_train.errors import ShrinkError
from linnet_train.prune.importance import input_importance, kept_share
from linnet_train.prune.layers import encoder_layers

__all__ = ["narrow_feed_forward"]

# (from hidden to intermediate, back), by the names that transformers gives them
_PAIRS = (("intermediate.dense", "output.dense"), ("ffn.lin1", "ffn.lin2"))


def narrow_feed_forward(
    model: transformers.PreTrainedModel,
    size: int,
    batches: Sequence[dict[str, Any]],
    loss: Callable[[Any, dict[str, Any]], Tensor] | None = None,
) -> str:
    """Keep the ``size`` most important neurons of each layer, in place.

    Args:
        model: a trained model that returns a loss.
        size: neurons that stay.
        batches: tensors with labels.
        loss: (model, batch) -> a scalar; None: the model's own.

    Raises:
        ShrinkError: the layers are of an unknown form, or not wider than ``size``.
    """
    pairs = [_pair(layer) for layer in encoder_layers(model)[2]]
    width = pairs[0][0].out_features
    if size >= width:
        raise ShrinkError(f"intermediate_size is {size}, the model's is {width}; expected less")
    importance = input_importance(model, [contract for _, contract in pairs], batches, loss)
    for (expand, contract), scores in zip(pairs, importance, strict=True):
        chosen = scores.topk(size).indices.sort().values
        _keep(expand, contract, chosen)
    config: Any = model.config
    config.intermediate_size = size  # DistilBERT maps it to hidden_dim
    if hasattr(config, "hidden_dim"):
        config.hidden_dim = size
    kept = kept_share(importance, size)
    return f"{size} of {width} neurons in each feed-forward layer, with {kept:.0%} of the importance"


def _pair(layer: nn.Module) -> tuple[nn.Linear, nn.Linear]:
    modules = dict(layer.named_modules())
    for expand, contract in _PAIRS:
        pair = modules.get(expand), modules.get(contract)
        if isinstance(pair[0], nn.Linear) and isinstance(pair[1], nn.Linear):
            return pair[0], pair[1]
    raise ShrinkError(f"{type(layer).__name__} has no feed-forward layers of a known form ({_PAIRS[0][0]}, ...)")


def _keep(expand: nn.Linear, contract: nn.Linear, chosen: Tensor) -> None:
    with torch.no_grad():
        expand.weight = nn.Parameter(expand.weight[chosen].clone())
        expand.bias = nn.Parameter(expand.bias[chosen].clone())
        contract.weight = nn.Parameter(contract.weight[:, chosen].clone())
    expand.out_features = contract.in_features = len(chosen)
