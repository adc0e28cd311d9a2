"""Rotations of a decoder's hidden states, so that no channel is much larger than the others.

A few channels of a decoder's hidden states are hundreds of times larger than the rest, and a scale that covers them
leaves few steps for the others. An orthogonal matrix spreads them over all channels: QuaRot,
https://arxiv.org/abs/2404.00456, section 4. Neither kind needs calibration.

The residual stream: root mean square normalization without a weight gives the same for a rotated row, so the matrix is
multiplied into the weights on both sides, at no cost. What feed-forward networks project down: a gate stands between,
so the program transforms it where it runs, in blocks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from linnet_export.config import QuantizationConfig
from linnet_export.graph.decoders.base import DecoderBody, TiedHead
from linnet_export.graph.decoders.layers import BlockTransform, DecoderLayer, GatedNetwork, Norm, RmsNorm
from linnet_export.graph.layers import OutputLinear, frozen_parameter, make_linear
from linnet_export.lower.custom_ops import hadamard_block, hadamard_matrix
from linnet_export.quantize.precisions.int4 import group_scales, round_to_groups

__all__ = ["int4_error", "rotate", "rotate_networks", "rotate_residual", "rotation_matrix"]

_GROUP = QuantizationConfig().linear_group_size

_SEED = 0
"""Of the signs: the same checkpoint gives the same file."""


def rotation_matrix(width: int) -> Tensor:
    """Return an orthogonal matrix float64 [width, width] that spreads each channel over all of them.

    It is the Kronecker product of a Hadamard matrix (Sylvester's construction), as large as the powers of two in
    ``width`` allow, with an orthonormal cosine transform (DCT-II) for the odd rest, behind random signs.
    """
    powers = width & -width
    signs = torch.randint(0, 2, (width,), generator=torch.Generator().manual_seed(_SEED)) * 2.0 - 1.0
    spread = torch.kron(hadamard_matrix(powers), _cosine_transform(width // powers))
    return signs.to(torch.float64).unsqueeze(1) * spread


def _cosine_transform(size: int) -> Tensor:
    place = torch.arange(size, dtype=torch.float64)
    rows = torch.cos(math.pi * (place + 0.5) * place.unsqueeze(1) / size) * math.sqrt(2.0 / size)
    rows[0] /= math.sqrt(2.0)
    return rows


def rotate(body: DecoderBody) -> None:
    """Rotate what can be rotated of ``body``, in place; it computes what it did."""
    rotate_residual(body)
    rotate_networks(body)


def int4_error(body: DecoderBody) -> float:
    """Return the mean squared error of the layers' weights in int4, as a share of their mean square.

    Weights that were in 4 bits once lie on few values, which a rotation mixes: for them it makes int4 worse. All
    others it makes better.
    """
    layers = [layer for layer in body.layers.modules() if isinstance(layer, nn.Linear)]
    errors, squares = 0.0, 0.0
    for weight in (layer.weight.detach() for layer in layers if layer.in_features % _GROUP == 0):
        scale = group_scales(weight, _GROUP, search=False)
        rounded = round_to_groups(weight, scale) * scale.repeat_interleave(_GROUP, 1)
        errors += float((weight - rounded).pow(2).sum())
        squares += float(weight.pow(2).sum())
    return errors / squares if squares else 0.0


def rotate_networks(body: DecoderBody) -> None:
    """Transform what the feed-forward networks of ``body`` project down, in place, where their width allows blocks."""
    for layer in cast(Iterable[DecoderLayer], body.layers):
        down = layer.network_output.dense
        block = hadamard_block(down.in_features)
        if block is None:
            continue
        layer.transform = BlockTransform(block)
        turned = down.weight.to(torch.float64).reshape(-1, block) @ hadamard_matrix(block)
        down.weight = frozen_parameter(turned.view(down.weight.shape))


def rotate_residual(body: DecoderBody) -> bool:
    """Rotate the residual stream of ``body`` in place; return False where its layers do not allow it.

    Layers must read the residual stream behind root mean square normalization and add to it without a norm behind
    (not GPT-2, whose normalization takes the mean away, nor Gemma, which normalizes what is added). A word embedding
    that is the head too gets one more layer in front of the head.
    """
    layers = list(cast(Iterable[DecoderLayer], body.layers))
    if body.position is not None or not all(map(_allows, layers)) or not isinstance(body.norm, RmsNorm):
        return False
    with torch.no_grad():
        rotation = rotation_matrix(body.hidden_size)
        for layer in layers:
            attention, network = layer.attention, layer.network
            inner = [network.gate, network.up] if isinstance(network, GatedNetwork) else [network.expand]
            _rotate_readers(layer.attention_norm, [attention.query, attention.key, attention.value], rotation)
            _rotate_readers(layer.network_norm, inner, rotation)
            _rotate_writer(layer.attention_output.dense, rotation)
            _rotate_writer(layer.network_output.dense, rotation)
        if isinstance(body.head, TiedHead):
            body.head = TiedHead(_turned_head(body.norm, rotation))
        else:
            _rotate_readers(body.norm, [body.head], rotation)
        body.word.weight = frozen_parameter(body.word.weight.to(torch.float64) @ rotation)
    return True


def _allows(layer: DecoderLayer) -> bool:
    plain = layer.behind_attention is None and layer.behind_network is None
    return plain and isinstance(layer.attention_norm, RmsNorm) and isinstance(layer.network_norm, RmsNorm)


def _rotate_readers(norm: Norm, readers: list[nn.Linear], rotation: Tensor) -> None:
    """Multiply the weight of ``norm`` and the rotation into the layers that read its result."""
    scale = _taken_weight(norm)
    for reader in readers:
        reader.weight = frozen_parameter((reader.weight.to(torch.float64) * scale) @ rotation)


def _rotate_writer(writer: nn.Linear, rotation: Tensor) -> None:
    writer.weight = frozen_parameter(rotation.T @ writer.weight.to(torch.float64))
    if writer.bias is not None:
        writer.bias = frozen_parameter(rotation.T @ writer.bias.to(torch.float64))


def _turned_head(norm: RmsNorm, rotation: Tensor) -> OutputLinear:
    """Return the layer that turns a row back, multiplies it with the norm's weight, and turns it again.

    In float32: the error of its result is the error of the logits.
    """
    scale = _taken_weight(norm)
    turned = make_linear((rotation.T * scale) @ rotation, None, OutputLinear)
    assert isinstance(turned, OutputLinear)
    return turned


def _taken_weight(norm: Norm) -> Tensor:
    """Return the weight of a norm, float64 [width], and leave ones in its place."""
    assert isinstance(norm, RmsNorm)
    weight = norm.weight.to(torch.float64)
    norm.weight = frozen_parameter(torch.ones_like(weight))
    return weight
