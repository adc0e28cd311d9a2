"""BERT and its smaller copies (MiniLM, TinyBERT): https://arxiv.org/abs/1810.04805."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from linnet_export.architectures.base import (
    Architecture,
    DeviceBody,
    Function,
    TokenEmbeddings,
    activation,
    positions_within,
    refuse_decoder,
)
from linnet_export.layers import AnswerLinear, Attention, EncoderLayer, LayerNorm, copy_linear

__all__ = ["ARCHITECTURE", "bert_body", "bert_layer"]


def bert_layer(layer: Any, config: Any) -> EncoderLayer:
    """Return the device form of a ``BertLayer`` (ELECTRA's has the same parts)."""
    attention = layer.attention
    return EncoderLayer(
        Attention(attention.self.query, attention.self.key, attention.self.value, config.num_attention_heads),
        attention.output.dense,
        attention.output.LayerNorm,
        layer.intermediate.dense,
        activation(config, config.hidden_act, "hidden_act"),
        layer.output.dense,
        layer.output.LayerNorm,
    )


def bert_body(base: Any, max_length: int, token_types: bool, project: nn.Linear | None = None) -> DeviceBody:
    """Return the device form of a ``BertModel``; ``project`` follows the embeddings if there is one."""
    config = base.config
    refuse_decoder(config)
    parts = base.embeddings
    # a table of one type has nothing to tell apart: its row is folded into the positions
    token_types = token_types and parts.token_type_embeddings.weight.shape[0] > 1
    embeddings = TokenEmbeddings(
        parts.word_embeddings,
        positions_within(config, parts.position_embeddings, max_length),
        parts.token_type_embeddings.weight,
        parts.LayerNorm,
        token_types,
    )
    return DeviceBody(
        embeddings,
        (bert_layer(layer, config) for layer in base.encoder.layer),
        heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        takes_token_types=token_types,
        project=None if project is None else copy_linear(project),
    )


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    return bert_body(model.base_model, max_length, token_types)


def _sequence_head(model: Any) -> nn.Module:
    return nn.Sequential(
        copy_linear(model.bert.pooler.dense), Function(torch.tanh), copy_linear(model.classifier, AnswerLinear)
    )


def _fill_mask_head(model: Any) -> nn.Module:
    predictions = model.cls.predictions
    return nn.Sequential(
        copy_linear(predictions.transform.dense),
        Function(activation(model.config, model.config.hidden_act, "hidden_act")),
        LayerNorm(predictions.transform.LayerNorm),
        copy_linear(predictions.decoder),
    )


ARCHITECTURE = Architecture("bert", _body, _sequence_head, _fill_mask_head)
