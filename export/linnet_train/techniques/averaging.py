"""Averaging layer: a last encoder layer in which the first token becomes the mean of all tokens.

A classifier of transformers reads the first token, and a sentence encoder was trained so that the mean of its tokens
says what a text means: with few rows, the first token never learns it. In a layer whose queries and keys are zero every
token attends to all tokens alike; with the identity as value projection it receives their mean, which the output
projection makes so large that the residual beside it hardly counts, and which the layer norms bring back to unit
variance. The checkpoint stays one that transformers and the exporter know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from linnet_export.errors import CheckpointError
from linnet_train.prune.layers import encoder_layers

__all__ = ["AVERAGING", "add_averaging_layer"]

AVERAGING: Mapping[str, Callable[[Any], nn.Linear]] = {
    "bert": lambda model: model.bert.pooler.dense,
    "roberta": lambda model: model.classifier.dense,
    "xlm-roberta": lambda model: model.classifier.dense,
}
"""By `model_type`: the layer that reads the first token, and has a tanh behind it."""

_GAIN = 30.0  # of the mean beside the residual
_PART = 0.3  # of what the layer norm gives, so that the tanh stays nearly linear


def add_averaging_layer(model: Any) -> str:
    """Append the layer to a classifier, in place, and let what reads the first token begin as the identity.

    Returns:
        a sentence about it.

    Raises:
        CheckpointError: the architecture is none of :data:`AVERAGING`.
    """
    config = model.config
    reads = AVERAGING.get(config.model_type)
    if reads is None:
        raise CheckpointError(
            f"pooling = mean is known for {', '.join(AVERAGING)}, and the checkpoint is a {config.model_type}; "
            "take pooling = first"
        )
    _, _, layers = encoder_layers(model)
    layer: Any = type(layers[-1])(config, layer_idx=len(layers))
    identity = torch.eye(config.hidden_size)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.attention.self.value.weight.copy_(identity)
        layer.attention.output.dense.weight.copy_(_GAIN * identity)
        for norm in (layer.attention.output.LayerNorm, layer.output.LayerNorm):
            norm.weight.fill_(1)
        read = reads(model)
        read.weight.copy_(_PART * identity)
        read.bias.zero_()
    layers.append(layer.to(read.weight.device))
    config.num_hidden_layers = len(layers)
    return f"{len(layers)} layers: in the last the first token becomes the mean of all (--pooling first leaves it out)"
