"""Llama and its like: SmolLM2, Llama 3.2 (https://arxiv.org/abs/2407.21783)."""

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import activation
from linnet_export.graph.decoders.base import Decoder, DecoderBody, decoder_problems, rotation_of
from linnet_export.graph.decoders.layers import (
    AttentionShape,
    CachedAttention,
    DecoderLayer,
    GatedNetwork,
    RmsNorm,
    Rotation,
)

__all__ = ["DECODER", "attention_shape", "head_of", "make_body"]


def attention_shape(config: Any, context: int, window: int = -1) -> AttentionShape:
    """Return the shape of the attention that a configuration of the Llama family describes."""
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return AttentionShape(
        heads=config.num_attention_heads,
        key_heads=config.num_key_value_heads,
        head_width=width,
        context=context,
        scale=width**-0.5,
        window=window,
    )


def head_of(model: Any) -> nn.Linear | None:
    """Return the layer that makes logits; None if the word embedding does."""
    tied = model.lm_head.weight is model.get_input_embeddings().weight
    return None if tied else model.lm_head


def make_body(model: Any, context: int) -> DecoderBody:
    """Return the device graph of a model of the Llama family: with or without biases and norms of heads."""
    config, decoder = model.config, model.model
    rotation = rotation_of(decoder.rotary_emb, context)
    layers = [_layer(layer, config, number, rotation, context) for number, layer in enumerate(decoder.layers)]
    norm = RmsNorm(decoder.norm.weight, config.rms_norm_eps)
    return DecoderBody(decoder.embed_tokens.weight, layers, norm, head=head_of(model))


def _layer(layer: Any, config: Any, number: int, rotation: Rotation, context: int) -> DecoderLayer:
    own, network = layer.self_attn, layer.mlp
    kinds = getattr(config, "layer_types", None)
    window = int(config.sliding_window) if kinds and kinds[number] == "sliding_attention" else -1
    attention = CachedAttention(
        own.q_proj,
        own.k_proj,
        own.v_proj,
        attention_shape(config, context, window),
        number,
        rotation=rotation,
        query_norm=_head_norm(own, "q_norm", config),
        key_norm=_head_norm(own, "k_norm", config),
    )
    return DecoderLayer(
        RmsNorm(layer.input_layernorm.weight, config.rms_norm_eps),
        attention,
        own.o_proj,
        RmsNorm(layer.post_attention_layernorm.weight, config.rms_norm_eps),
        GatedNetwork(network.gate_proj, network.up_proj, activation(config, "hidden_act")),
        network.down_proj,
    )


def _head_norm(own: Any, name: str, config: Any) -> RmsNorm | None:
    norm = getattr(own, name, None)
    return None if norm is None else RmsNorm(norm.weight, config.rms_norm_eps)


def _body(model: PreTrainedModel, context: int) -> DecoderBody:
    return make_body(model, context)


DECODER = Decoder(model_type="llama", body=_body, problems=decoder_problems)
