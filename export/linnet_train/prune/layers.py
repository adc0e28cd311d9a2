"""Removal of encoder layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import transformers
from torch import nn

from linnet_train.errors import ShrinkError

__all__ = ["drop_layers", "encoder_layers"]


def encoder_layers(model: transformers.PreTrainedModel) -> tuple[nn.Module, str, nn.ModuleList]:
    """Return the module that holds the layers, the name of its list, and the list.

    Raises:
        ShrinkError: there is no such list (ALBERT's layers are one layer, repeated).
    """
    count = int(model.config.num_hidden_layers)
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.ModuleList) and len(child) == count:
                return module, name, child
    raise ShrinkError(f"{model.config.model_type} has no list of {count} layers of which some could be left out")


def drop_layers(model: transformers.PreTrainedModel, keep: Sequence[int]) -> str:
    """Keep only these layers, in their order, in place.

    Args:
        model: an encoder.
        keep: places of the layers that stay, counted from 0.

    Raises:
        ShrinkError: there is no such layer.
    """
    owner, name, layers = encoder_layers(model)
    missing = [place for place in keep if place >= len(layers)]
    if missing:
        raise ShrinkError(f"layers {missing} are to stay, the model has the layers 0 to {len(layers) - 1}")
    config: Any = model.config
    config.num_hidden_layers = len(keep)
    setattr(owner, name, nn.ModuleList(layers[place] for place in keep))
    return f"{len(keep)} of {len(layers)} layers: {', '.join(map(str, keep))}"
