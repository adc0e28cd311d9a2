"""GPT-2 and DistilGPT2: learned positions, layer normalization, one layer for queries, keys and values."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import activation, activation_problems
from linnet_export.graph.decoders.base import Decoder, DecoderBody, decoder_problems
from linnet_export.graph.decoders.layers import AttentionShape, CachedAttention, DecoderLayer, PlainNetwork, ShiftedNorm
from linnet_export.graph.decoders.llama import head_of
from linnet_export.graph.layers import make_linear

__all__ = ["DECODER"]


def _body(model: PreTrainedModel, context: int) -> DecoderBody:
    whole: Any = model
    decoder = whole.transformer
    layers = [_layer(layer, whole.config, number, context) for number, layer in enumerate(decoder.h)]
    return DecoderBody(
        decoder.wte.weight,
        layers,
        ShiftedNorm(decoder.ln_f),
        head=head_of(whole),
        position=decoder.wpe.weight.detach()[:context],
    )


def _layer(layer: Any, config: Any, number: int, context: int) -> DecoderLayer:
    own, network = layer.attn, layer.mlp
    width = config.n_embd // config.n_head
    scale = width**-0.5 if config.scale_attn_weights else 1.0
    if config.scale_attn_by_inverse_layer_idx:
        scale /= number + 1
    shape = AttentionShape(config.n_head, config.n_head, width, context, scale)
    # Conv1D of transformers holds its weight as [in, out]
    weights, biases = own.c_attn.weight.detach().t().chunk(3), own.c_attn.bias.detach().chunk(3)
    query, key, value = (make_linear(weight, bias) for weight, bias in zip(weights, biases, strict=True))
    return DecoderLayer(
        ShiftedNorm(layer.ln_1),
        CachedAttention(query, key, value, shape, number),
        make_linear(own.c_proj.weight.detach().t(), own.c_proj.bias),
        ShiftedNorm(layer.ln_2),
        PlainNetwork(
            make_linear(network.c_fc.weight.detach().t(), network.c_fc.bias), activation(config, "activation_function")
        ),
        make_linear(network.c_proj.weight.detach().t(), network.c_proj.bias),
    )


def _problems(config: Any) -> list[str]:
    return [*decoder_problems(config), *activation_problems(config, "activation_function")]


DECODER = Decoder(model_type="gpt2", body=_body, problems=_problems)
