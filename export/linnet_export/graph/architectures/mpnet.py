"""MPNet, BERT with a learned bias by distance: https://arxiv.org/abs/2004.09297."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import PreTrainedModel
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from linnet_export.graph.architectures.base import (
    Architecture,
    DeviceBody,
    TokenEmbeddings,
    activation,
    encoder_problems,
    positions_from_padding,
    stack_layers,
)
from linnet_export.graph.architectures.roberta import fill_mask_head, sequence_head
from linnet_export.graph.layers import Attention, EncoderLayer
from linnet_export.graph.relative_positions import RelativePositionBias, distances

__all__ = ["ARCHITECTURE"]

_PADDING = 1
"""Positions are counted from this row and without tokens of this id: transformers' MPNetEmbeddings fixes it."""

_BUCKETS = 32
"""Buckets of distances, whatever relative_attention_num_buckets says: MPNetEncoder's default is what runs."""


def _layer(layer: Any, config: Any, shift: Tensor | None) -> EncoderLayer:
    attention = layer.attention.attn
    return EncoderLayer(
        Attention(attention.q, attention.k, attention.v, config.num_attention_heads, shift),
        attention.o,
        layer.attention.LayerNorm,
        layer.intermediate.dense,
        activation(config, "hidden_act"),
        layer.output.dense,
        layer.output.LayerNorm,
        shift,
    )


def _bias(encoder: Any, max_length: int) -> RelativePositionBias:
    # transformers' bucket of a distance key - query
    bucket = MPNetEncoder.relative_position_bucket(distances(max_length), num_buckets=_BUCKETS)
    return RelativePositionBias(encoder.relative_attention_bias.weight.detach()[bucket].t())


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    base: Any = model.base_model
    config = base.config
    parts = base.embeddings
    position = positions_from_padding(config, parts.position_embeddings, max_length, _PADDING)
    embeddings = TokenEmbeddings(parts.word_embeddings, position, None, parts.LayerNorm, False, _PADDING)
    layers, shift = stack_layers(base.encoder.layer, embeddings.shift, lambda layer, left: _layer(layer, config, left))
    return DeviceBody(
        embeddings,
        layers,
        heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        takes_token_types=False,
        shift=shift,
        distance_bias=_bias(base.encoder, max_length),
    )


def _problems(config: Any) -> list[str]:
    problems = encoder_problems(config)
    if config.relative_attention_num_buckets < _BUCKETS:
        problems.append(
            f"expected relative_attention_num_buckets to be at least {_BUCKETS}, which transformers reads whatever the "
            f"setting says, got {config.relative_attention_num_buckets}"
        )
    return problems


def _positions(config: Any) -> int:
    return int(config.max_position_embeddings) - _PADDING - 1


ARCHITECTURE = Architecture("mpnet", _body, sequence_head, fill_mask_head, problems=_problems, positions=_positions)
