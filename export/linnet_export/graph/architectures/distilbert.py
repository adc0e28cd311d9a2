"""DistilBERT, BERT without token types and pooler: https://arxiv.org/abs/1910.01108."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import (
    Architecture,
    DeviceBody,
    Function,
    TokenEmbeddings,
    activation,
    activation_problems,
    encoder_problems,
    positions_within,
    stack_layers,
)
from linnet_export.graph.layers import Attention, EncoderLayer, LayerNorm, OutputLinear, copy_linear

__all__ = ["ARCHITECTURE"]


def _layer(layer: Any, config: Any, shift: Tensor | None) -> EncoderLayer:
    attention = layer.attention
    return EncoderLayer(
        Attention(attention.q_lin, attention.k_lin, attention.v_lin, config.n_heads, shift),
        attention.out_lin,
        layer.sa_layer_norm,
        layer.ffn.lin1,
        activation(config, "activation"),
        layer.ffn.lin2,
        layer.output_layer_norm,
        shift,
    )


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    base: Any = model.base_model
    config = base.config
    parts = base.embeddings
    position = positions_within(config, parts.position_embeddings, max_length)
    embeddings = TokenEmbeddings(parts.word_embeddings, position, None, parts.LayerNorm, False)
    layers, shift = stack_layers(
        base.transformer.layer, embeddings.shift, lambda layer, left: _layer(layer, config, left)
    )
    return DeviceBody(
        embeddings,
        layers,
        heads=config.n_heads,
        hidden_size=config.dim,
        takes_token_types=False,
        shift=shift,
    )


def _sequence_head(model: Any) -> nn.Module:
    return nn.Sequential(
        copy_linear(model.pre_classifier), Function(functional.relu), copy_linear(model.classifier, OutputLinear)
    )


def _fill_mask_head(model: Any) -> nn.Module:
    return nn.Sequential(
        copy_linear(model.vocab_transform),
        Function(activation(model.config, "activation")),
        LayerNorm(model.vocab_layer_norm),
        copy_linear(model.vocab_projector),
    )


def _problems(config: Any) -> list[str]:
    return [*encoder_problems(config), *activation_problems(config, "activation")]


ARCHITECTURE = Architecture("distilbert", _body, _sequence_head, _fill_mask_head, problems=_problems)
