"""Removal of attention heads whose output is zero or unused.

A configuration of transformers cannot express fewer heads than ``hidden_size`` has room for, so a checkpoint keeps
pruned heads as zeros: their value projection is zero, or their columns of the output projection are. Either is enough
to leave a head out without changing an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from linnet_export.graph.layers import make_linear

__all__ = ["kept_channels", "select_channels"]


def kept_channels(pairs: Sequence[tuple[nn.Linear, nn.Linear]], heads: int) -> list[Tensor]:
    """Return the channels of the heads that each layer keeps, int64 [kept heads * width of a head] each.

    All layers keep the same number, because the score bias of a padded batch has one row per head for all layers:
    a layer with more unused heads than another keeps some of them.

    Args:
        pairs: value and output projection of each layer; their channels between are those of the heads.
        heads: of each layer.
    """
    alive = [_alive(value, output, heads) for value, output in pairs]
    most = max((int(used.sum()) for used in alive), default=heads)
    widths = [value.out_features // heads for value, _ in pairs]
    return [_channels(used, max(most, 1), width) for used, width in zip(alive, widths, strict=True)]


def _alive(value: nn.Linear, output: nn.Linear, heads: int) -> Tensor:
    """Return bool [heads]: False where the value projection is zero, or the output projection ignores it."""
    given = value.weight.detach().abs().amax(dim=1)
    if value.bias is not None:
        given = torch.maximum(given, value.bias.detach().abs())
    read = output.weight.detach().abs().amax(dim=0)
    return ((given > 0) & (read > 0)).view(heads, -1).any(dim=1)


def _channels(alive: Tensor, count: int, width: int) -> Tensor:
    # a stable sort puts the used heads first and keeps their order
    kept = torch.argsort((~alive).int(), stable=True)[:count].sort().values
    return (kept[:, None] * width + torch.arange(width)).flatten()


def select_channels(linear: nn.Linear, channels: Tensor, *, inputs: bool = False) -> nn.Linear:
    """Return a layer with only these outputs (or inputs); the layer itself if that is all of them."""
    if len(channels) == (linear.in_features if inputs else linear.out_features):
        return linear
    if inputs:
        return make_linear(linear.weight[:, channels], linear.bias)
    return make_linear(linear.weight[channels], None if linear.bias is None else linear.bias[channels])
