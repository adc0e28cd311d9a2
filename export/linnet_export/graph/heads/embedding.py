"""Embedding head: pooling, layers and normalization, or the hidden state of every token.

They follow sentence-transformers' modules ``Pooling``, ``Dense``, ``LayerNorm`` and ``Normalize``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linnet_export.graph.architectures.base import Function
from linnet_export.graph.heads.base import HeadSettings, UnsupportedHeadError
from linnet_export.graph.layers import ACTIVATIONS, BatchLayout, LayerNorm, copy_linear, per_token
from linnet_export.graph.pooling import POOLINGS
from linnet_export.graph.sentence_layers import Dense, Normalize

__all__ = ["embedding_head"]

_SMALLEST_LENGTH = 1e-12
"""`eps` of torch.nn.functional.normalize, which sentence-transformers uses."""


class _UnitLength(nn.Module):
    def forward(self, rows: Tensor) -> Tensor:
        length = torch.sqrt((rows * rows).sum(-1, keepdim=True))
        return rows / torch.clamp(length, min=_SMALLEST_LENGTH)


class _EmbeddingHead(nn.Module):
    def __init__(self, settings: HeadSettings) -> None:
        super().__init__()
        names = [] if settings.pooling == "none" else settings.pooling.split("+")
        self.pools = [POOLINGS[name] for name in names]
        layers = [_device_layer(layer) for layer in settings.layers]
        self.layers = nn.Sequential(*layers, *([_UnitLength()] if settings.normalize else []))
        self.truncate_dim = settings.truncate_dim

    def forward(self, hidden: Tensor, layout: BatchLayout) -> tuple[Tensor]:
        """Return float32 [batch, width], or [batch, length, hidden] without pooling."""
        if self.pools:
            pooled = [pool(hidden, layout) for pool in self.pools]
            rows = pooled[0] if len(pooled) == 1 else torch.cat(pooled, dim=-1)
        else:
            rows = per_token(hidden, layout)
        rows = self.layers(rows)
        return (rows if self.truncate_dim is None else rows[..., : self.truncate_dim],)


def _device_dense(dense: Dense) -> Dense:
    name = type(dense.activation).__name__.lower()
    activation = nn.Identity() if name == "identity" else Function(ACTIVATIONS[name])
    residual = copy_linear(dense.residual) if isinstance(dense.residual, nn.Linear) else dense.residual
    return Dense(copy_linear(dense.linear), activation, residual)


def _device_layer(layer: nn.Module) -> nn.Module:
    if isinstance(layer, Dense):
        return _device_dense(layer)
    if isinstance(layer, nn.LayerNorm):
        return LayerNorm(layer)
    if isinstance(layer, Normalize):
        return _UnitLength()
    raise UnsupportedHeadError(f"the layer {type(layer).__name__} behind the pooling has no form for the device")


def embedding_head(settings: HeadSettings) -> nn.Module:
    """Return the head that makes embeddings as the settings say.

    Raises:
        UnsupportedHeadError: there is no such pooling or layer.
    """
    if settings.pooling != "none" and not set(settings.pooling.split("+")) <= set(POOLINGS):
        raise UnsupportedHeadError(
            f"pooling is {settings.pooling!r}, supported are {', '.join(sorted(POOLINGS))} and none"
        )
    return _EmbeddingHead(settings)
