"""Gemma 3, the text model: two rotations, windows of attention, norms before and behind each part.

https://arxiv.org/abs/2503.19786
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import activation, activation_problems
from linnet_export.graph.decoders.base import Decoder, DecoderBody, decoder_problems
from linnet_export.graph.decoders.layers import (
    AttentionShape,
    CachedAttention,
    DecoderLayer,
    GatedNetwork,
    RmsNorm,
    Rotation,
)
from linnet_export.graph.decoders.llama import head_of

__all__ = ["DECODER"]


def _body(model: PreTrainedModel, context: int) -> DecoderBody:
    whole: Any = model
    config, decoder = whole.config, whole.model
    rotations = {kind: _rotation(decoder.rotary_emb, kind, context) for kind in set(config.layer_types)}
    layers = [
        _layer(layer, config, number, rotations[config.layer_types[number]], context)
        for number, layer in enumerate(decoder.layers)
    ]
    return DecoderBody(
        decoder.embed_tokens.weight,
        layers,
        _norm(decoder.norm, config),
        head=head_of(whole),
        word_scale=float(config.hidden_size**0.5),
    )


def _rotation(rotary: Any, kind: str, context: int) -> Rotation:
    frequencies: Tensor = getattr(rotary, f"{kind}_inv_freq")
    return Rotation(frequencies.detach(), context, float(getattr(rotary, f"{kind}_attention_scaling")))


def _norm(norm: Any, config: Any) -> RmsNorm:
    # the model multiplies with 1 + weight
    return RmsNorm(1.0 + norm.weight.detach(), config.rms_norm_eps)


def _layer(layer: Any, config: Any, number: int, rotation: Rotation, context: int) -> DecoderLayer:
    own, network = layer.self_attn, layer.mlp
    shape = AttentionShape(
        heads=config.num_attention_heads,
        key_heads=config.num_key_value_heads,
        head_width=config.head_dim,
        context=context,
        scale=config.query_pre_attn_scalar**-0.5,
        window=int(config.sliding_window) if config.layer_types[number] == "sliding_attention" else -1,
    )
    attention = CachedAttention(
        own.q_proj,
        own.k_proj,
        own.v_proj,
        shape,
        number,
        rotation=rotation,
        query_norm=_norm(own.q_norm, config),
        key_norm=_norm(own.k_norm, config),
    )
    return DecoderLayer(
        _norm(layer.input_layernorm, config),
        attention,
        own.o_proj,
        _norm(layer.pre_feedforward_layernorm, config),
        GatedNetwork(network.gate_proj, network.up_proj, activation(config, "hidden_activation")),
        network.down_proj,
        behind_attention=_norm(layer.post_attention_layernorm, config),
        behind_network=_norm(layer.post_feedforward_layernorm, config),
    )


def _problems(config: Any) -> list[str]:
    problems = [
        f"{setting} is {getattr(config, setting)}, expected none"
        for setting in ("attn_logit_softcapping", "final_logit_softcapping")
        if getattr(config, setting, None)
    ]
    if getattr(config, "use_bidirectional_attention", False):
        problems.append("expected causal attention, got use_bidirectional_attention true")
    return [*decoder_problems(config), *problems, *activation_problems(config, "hidden_activation")]


DECODER = Decoder(model_type="gemma3_text", body=_body, problems=_problems)
