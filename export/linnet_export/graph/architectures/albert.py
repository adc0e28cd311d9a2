"""ALBERT, BERT with one layer for all and narrow embeddings: https://arxiv.org/abs/1909.11942."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import (
    Architecture,
    DeviceBody,
    Function,
    TokenEmbeddings,
    activation,
    encoder_problems,
    positions_within,
)
from linnet_export.graph.layers import (
    Attention,
    EncoderLayer,
    LayerNorm,
    OutputLinear,
    copy_linear,
    scaled_linear,
    shifted_linear,
)

__all__ = ["ARCHITECTURE"]


def _layer(layer: Any, config: Any) -> EncoderLayer:
    attention = layer.attention
    # every layer's input lacks the bias of its own last normalization, the first one's, too: see _project
    shift = layer.full_layer_layer_norm.bias.detach()
    return EncoderLayer(
        Attention(attention.query, attention.key, attention.value, config.num_attention_heads, shift),
        attention.dense,
        attention.LayerNorm,
        layer.ffn,
        activation(config, "hidden_act"),
        layer.ffn_output,
        layer.full_layer_layer_norm,
        shift,
    )


def _project(base: Any, embeddings: TokenEmbeddings, layer: EncoderLayer) -> nn.Linear:
    # without the bias that layers expect to be missing, so that all of them are one and the same module
    project = shifted_linear(base.encoder.embedding_hidden_mapping_in, embeddings.shift)
    return scaled_linear(project, torch.ones(project.out_features), -layer.shift)


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    base: Any = model.base_model
    config = base.config
    parts = base.embeddings
    token_types = token_types and parts.token_type_embeddings.weight.shape[0] > 1
    embeddings = TokenEmbeddings(
        parts.word_embeddings,
        positions_within(config, parts.position_embeddings, max_length),
        parts.token_type_embeddings.weight,
        parts.LayerNorm,
        token_types,
    )
    layer = _layer(base.encoder.albert_layer_groups[0].albert_layers[0], config)
    return DeviceBody(
        embeddings,
        [layer] * config.num_hidden_layers,
        heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        takes_token_types=token_types,
        project=_project(base, embeddings, layer),
        shift=layer.shift,
    )


def _sequence_head(model: Any) -> nn.Module:
    return nn.Sequential(
        copy_linear(model.albert.pooler), Function(torch.tanh), copy_linear(model.classifier, OutputLinear)
    )


def _fill_mask_head(model: Any) -> nn.Module:
    predictions = model.predictions
    return nn.Sequential(
        copy_linear(predictions.dense),
        Function(activation(model.config, "hidden_act")),
        LayerNorm(predictions.LayerNorm),
        copy_linear(predictions.decoder),
    )


def _problems(config: Any) -> list[str]:
    several = [
        f"{setting} is {getattr(config, setting)}, supported is 1: one layer that is shared by all"
        for setting in ("num_hidden_groups", "inner_group_num")
        if getattr(config, setting) != 1
    ]
    return [*encoder_problems(config), *several]


ARCHITECTURE = Architecture("albert", _body, _sequence_head, _fill_mask_head, problems=_problems)
