"""BERT and its smaller copies (MiniLM, TinyBERT): https://arxiv.org/abs/1810.04805."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import (
    Architecture,
    DeviceBody,
    Function,
    TokenEmbeddings,
    activation,
    positions_from_padding,
    positions_within,
    stack_layers,
)
from linnet_export.graph.head_pruning import kept_channels, select_channels
from linnet_export.graph.layers import Attention, EncoderLayer, LayerNorm, OutputLinear, copy_linear, shifted_linear

__all__ = ["ARCHITECTURE", "bert_body", "bert_layer"]


def bert_layer(layer: Any, config: Any, shift: Tensor | None, channels: Tensor) -> EncoderLayer:
    """Return the device form of a ``BertLayer`` (ELECTRA's has the same parts), with these channels of its heads."""
    own = layer.attention.self
    heads = config.num_attention_heads * len(channels) // own.value.out_features
    query, key, value = (select_channels(linear, channels) for linear in (own.query, own.key, own.value))
    return EncoderLayer(
        Attention(query, key, value, heads, shift),
        select_channels(layer.attention.output.dense, channels, inputs=True),
        layer.attention.output.LayerNorm,
        layer.intermediate.dense,
        activation(config, "hidden_act"),
        layer.output.dense,
        layer.output.LayerNorm,
        shift,
    )


def bert_body(
    base: Any, max_length: int, token_types: bool, *, project: nn.Linear | None = None, padding: int | None = None
) -> DeviceBody:
    """Return the device form of a ``BertModel``.

    ``project`` follows the embeddings if there is one; ``padding`` is the id that positions are counted without.
    """
    config = base.config
    parts = base.embeddings
    # a table of one type has nothing to tell apart: its row is folded into the positions
    token_types = token_types and parts.token_type_embeddings.weight.shape[0] > 1
    table = parts.position_embeddings
    embeddings = TokenEmbeddings(
        parts.word_embeddings,
        positions_within(config, table, max_length)
        if padding is None
        else positions_from_padding(config, table, max_length, padding),
        parts.token_type_embeddings.weight,
        parts.LayerNorm,
        token_types,
        padding,
    )
    shift = embeddings.shift if project is None else None
    parts_of = [(layer.attention.self.value, layer.attention.output.dense) for layer in base.encoder.layer]
    channels = kept_channels(parts_of, config.num_attention_heads)
    whole = zip(base.encoder.layer, channels, strict=True)
    layers, shift = stack_layers(whole, shift, lambda pair, left: bert_layer(pair[0], config, left, pair[1]))
    return DeviceBody(
        embeddings,
        layers,
        heads=config.num_attention_heads * len(channels[0]) // parts_of[0][0].out_features,
        hidden_size=config.hidden_size,
        takes_token_types=token_types,
        project=None if project is None else shifted_linear(project, embeddings.shift),
        shift=shift,
    )


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    return bert_body(model.base_model, max_length, token_types)


def _sequence_head(model: Any) -> nn.Module:
    return nn.Sequential(
        copy_linear(model.bert.pooler.dense), Function(torch.tanh), copy_linear(model.classifier, OutputLinear)
    )


def _fill_mask_head(model: Any) -> nn.Module:
    predictions = model.cls.predictions
    return nn.Sequential(
        copy_linear(predictions.transform.dense),
        Function(activation(model.config, "hidden_act")),
        LayerNorm(predictions.transform.LayerNorm),
        copy_linear(predictions.decoder),
    )


ARCHITECTURE = Architecture("bert", _body, _sequence_head, _fill_mask_head)
