"""Layers of decoders with a key/value cache, from stock operators and from linnet's.

Tokens travel as one matrix [tokens, width], as in :mod:`linnet_export.graph.layers`. With stock operators each layer
keeps its keys and values in buffers that the program changes; with linnet's, all layers share one cache, an input.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet_export.graph.layers import (
    MASKED_SCORE,
    Activation,
    BatchLayout,
    LayerNorm,
    copy_linear,
    frozen_parameter,
    scaled_linear,
)
from linnet_export.lower.custom_ops import cached_attention, hadamard, hadamard_matrix, multiply, rms_norm

__all__ = [
    "AttentionShape",
    "BlockTransform",
    "CachedAttention",
    "DecoderLayer",
    "DecoderStep",
    "GatedNetwork",
    "Norm",
    "PlainNetwork",
    "Projection",
    "RmsNorm",
    "Rotation",
    "ShiftedNorm",
]


class DecoderStep(NamedTuple):
    """One call of a decoder: where its tokens stand, and what it remembers.

    Attributes:
        start: int64 [1], tokens before this call.
        positions: int64 [tokens], of the tokens; None with linnet's operators, which count from ``start``.
        cache: uint8 or float32 [layers, capacity, row], the keys and values of linnet's operators; None with stock
            operators.
    """

    start: Tensor
    positions: Tensor | None = None
    cache: Tensor | None = None


class Norm(nn.Module):
    """Normalization of float32 [tokens, width] by row; ``fused`` takes linnet's operator."""

    def of(self, x: Tensor, *, fused: bool) -> Tensor:
        """Normalize."""
        raise NotImplementedError


class RmsNorm(Norm):
    """Root mean square normalization: https://arxiv.org/abs/1910.07467.

    x / sqrt(mean(x^2) + eps) * weight.
    """

    def __init__(self, weight: Tensor, eps: float) -> None:
        super().__init__()
        width = weight.shape[0]
        self.weight = frozen_parameter(weight)
        self.epsilon = eps
        self.average: Tensor
        self.register_buffer("average", torch.full((1, width), 1.0 / width))
        self.eps: Tensor
        self.register_buffer("eps", torch.full((1,), eps))

    def of(self, x: Tensor, *, fused: bool) -> Tensor:
        """Normalize float32 [tokens, width]."""
        if fused:
            return rms_norm(x, self.weight, self.epsilon)
        mean = functional.linear(x * x, self.average, self.eps)
        return x * torch.rsqrt(mean) * self.weight


class ShiftedNorm(Norm):
    """Layer normalization with a bias."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.norm = LayerNorm(norm)

    def of(self, x: Tensor, *, fused: bool) -> Tensor:
        """Normalize float32 [tokens, width]."""
        return self.norm.of(x, BatchLayout(1, x.shape[0], fused=fused))


class Rotation(nn.Module):
    """Rotary positions: cosines and sines float32 [positions, head width / 2].

    The first and the second half of a head are the pairs, as in transformers' Llama.
    """

    def __init__(self, frequencies: Tensor, positions: int, factor: float = 1.0) -> None:
        """Take the angle of each pair for one position, float32 [head width / 2]; ``factor`` scales both tables."""
        super().__init__()
        angles = torch.outer(torch.arange(positions, dtype=torch.float32), frequencies.to(torch.float32))
        self.cosine: Tensor
        self.register_buffer("cosine", angles.cos() * factor)
        self.sine: Tensor
        self.register_buffer("sine", angles.sin() * factor)

    def of(self, x: Tensor, positions: Tensor) -> Tensor:
        """Rotate float32 [tokens, heads, head width] by the positions int64 [tokens]."""
        cosine = functional.embedding(positions, self.cosine).unsqueeze(1)
        sine = functional.embedding(positions, self.sine).unsqueeze(1)
        half = x.shape[-1] // 2
        first, second = x[..., :half], x[..., half:]
        return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)


class Projection(nn.Module):
    """A linear layer whose result is added to the residual stream."""

    def __init__(self, dense: nn.Linear) -> None:
        super().__init__()
        self.dense = copy_linear(dense)
        self.ones: Tensor
        self.register_buffer("ones", torch.ones(dense.out_features))

    def added(self, x: Tensor, residual: Tensor, *, fused: bool) -> Tensor:
        """Return residual + dense(x) for float32 [tokens, in] and [tokens, out]."""
        projected: Tensor = self.dense(x)
        # linnet's delegate adds a residual in the form that MobileBERT has
        return projected + residual * self.ones if fused else residual + projected


@dataclasses.dataclass(frozen=True)
class AttentionShape:
    """Shape of a decoder's attention.

    Attributes:
        heads: of queries.
        key_heads: of keys and values, each read by heads / key_heads of the queries.
        head_width: of all heads.
        context: most positions.
        scale: of the products of queries and keys.
        window: keys that a query sees, its own among them; -1: all.
    """

    heads: int
    key_heads: int
    head_width: int
    context: int
    scale: float
    window: int = -1


class CachedAttention(nn.Module):
    """Causal attention over a cache of keys and values.

    Attributes:
        number: of the layer, whose part of the cache it is.
    """

    def __init__(
        self,
        query: nn.Linear,
        key: nn.Linear,
        value: nn.Linear,
        shape: AttentionShape,
        number: int,
        *,
        rotation: Rotation | None = None,
        query_norm: RmsNorm | None = None,
        key_norm: RmsNorm | None = None,
    ) -> None:
        """Take the projections, unscaled; ``query_norm`` and ``key_norm`` normalize each head."""
        super().__init__()
        self.shape, self.number = shape, number
        if query_norm is None:
            self.query = scaled_linear(query, torch.full((query.out_features,), shape.scale))
        else:
            self.query = copy_linear(query)
            query_norm = RmsNorm(query_norm.weight * shape.scale, query_norm.epsilon)
        self.key, self.value = copy_linear(key), copy_linear(value)
        self.query_norm, self.key_norm = query_norm, key_norm
        self.rotation = rotation
        room = (shape.key_heads, shape.head_width, shape.context)
        # keys stand transposed: the product with queries then needs no copy of them
        self.keys: Tensor
        self.register_buffer("keys", torch.zeros(room), persistent=False)
        self.values: Tensor
        self.register_buffer("values", torch.zeros(room[0], room[2], room[1]), persistent=False)

    def forward(self, x: Tensor, step: DecoderStep) -> Tensor:
        """Return float32 [tokens, heads * head width] of float32 [tokens, width]."""
        fused = step.cache is not None
        query = self._by_head(self.query(x), self.query_norm, fused=fused)
        key = self._by_head(self.key(x), self.key_norm, fused=fused)
        value = self.value(x)
        if step.cache is not None:
            rotation = None if self.rotation is None else (self.rotation.cosine, self.rotation.sine)
            heads = (self.shape.heads, self.shape.key_heads, self.shape.window)
            return cached_attention(query, key, value, step.cache, step.start, rotation, self.number, *heads)
        assert step.positions is not None
        return self._stock(query, key, value, step.positions)

    def _by_head(self, x: Tensor, norm: RmsNorm | None, *, fused: bool) -> Tensor:
        if norm is None:
            return x
        width = x.shape[-1]
        return norm.of(x.view(-1, self.shape.head_width), fused=fused).view(-1, width)

    def _stock(self, query: Tensor, key: Tensor, value: Tensor, positions: Tensor) -> Tensor:
        heads, key_heads, width = self.shape.heads, self.shape.key_heads, self.shape.head_width
        query, key = query.view(-1, heads, width), key.view(-1, key_heads, width)
        if self.rotation is not None:
            query, key = self.rotation.of(query, positions), self.rotation.of(key, positions)
        self.keys[:, :, positions] = key.permute(1, 2, 0)
        self.values[:, positions] = value.view(-1, key_heads, width).permute(1, 0, 2)
        # by group of heads, then token, then head: merging the last two keeps every stride a number, not a symbol
        group, context = heads // key_heads, self.shape.context
        by_group = query.view(-1, key_heads, group, width).permute(1, 0, 2, 3).contiguous()
        scores = torch.bmm(by_group.view(key_heads, -1, width), self.keys).view(key_heads, -1, group, context)
        weights = torch.softmax(scores + self._mask(positions).unsqueeze(1), -1)
        mixed = torch.bmm(weights.view(key_heads, -1, context), self.values).view(key_heads, -1, group, width)
        return mixed.permute(1, 0, 2, 3).contiguous().view(-1, heads * width)

    def _mask(self, positions: Tensor) -> Tensor:
        """Return float32 [tokens, context]: what is added to the score of a key that a query does not see."""
        places = torch.arange(self.shape.context, device=positions.device)
        distance = positions.unsqueeze(1) - places
        unseen = (distance < 0).to(torch.float32)
        if self.shape.window >= 0:
            unseen = unseen + (distance >= self.shape.window).to(torch.float32)
        return unseen * MASKED_SCORE


class GatedNetwork(nn.Module):
    """Feed-forward network with a gate: activation(gate(x)) * up(x), projected down (https://arxiv.org/abs/2002.05202)."""

    def __init__(self, gate: nn.Linear, up: nn.Linear, activation: Activation) -> None:
        super().__init__()
        self.gate, self.up = copy_linear(gate), copy_linear(up)
        self.activation = activation

    def forward(self, x: Tensor, *, fused: bool) -> Tensor:
        """Return float32 [tokens, inner width] of float32 [tokens, width]."""
        gate, up = self.activation(self.gate(x)), self.up(x)
        return multiply(gate, up) if fused else gate * up


class PlainNetwork(nn.Module):
    """Feed-forward network without a gate: activation(expand(x)), projected down."""

    def __init__(self, expand: nn.Linear, activation: Activation) -> None:
        super().__init__()
        self.expand = copy_linear(expand)
        self.activation = activation

    def forward(self, x: Tensor, *, fused: bool) -> Tensor:
        """Return float32 [tokens, inner width] of float32 [tokens, width]."""
        return self.activation(self.expand(x))


class BlockTransform(nn.Module):
    """Hadamard transform of blocks of a row, which leaves no number much larger than the others of its block."""

    def __init__(self, block: int) -> None:
        super().__init__()
        self.block = block
        self.matrix: Tensor
        self.register_buffer("matrix", hadamard_matrix(block).float())

    def of(self, x: Tensor, *, fused: bool) -> Tensor:
        """Transform float32 [tokens, width]."""
        if fused:
            return hadamard(x, self.block)
        return functional.linear(x.view(-1, self.block), self.matrix).view(-1, x.shape[-1])


class DecoderLayer(nn.Module):
    """Pre-norm layer of a decoder, perhaps with norms behind attention and network too (Gemma).

    Attributes:
        transform: of what the network projects down; None: it stays as it is.
    """

    transform: BlockTransform | None

    def __init__(
        self,
        attention_norm: Norm,
        attention: CachedAttention,
        attention_output: nn.Linear,
        network_norm: Norm,
        network: GatedNetwork | PlainNetwork,
        network_output: nn.Linear,
        *,
        behind_attention: Norm | None = None,
        behind_network: Norm | None = None,
    ) -> None:
        super().__init__()
        self.attention_norm, self.attention = attention_norm, attention
        self.attention_output = Projection(attention_output)
        self.network_norm, self.network = network_norm, network
        self.network_output = Projection(network_output)
        self.behind_attention, self.behind_network = behind_attention, behind_network
        self.transform = None

    def forward(self, x: Tensor, step: DecoderStep) -> Tensor:
        """Map float32 [tokens, width] to the same shape."""
        fused = step.cache is not None
        attended = self.attention(self.attention_norm.of(x, fused=fused), step)
        x = _added(self.attention_output, self.behind_attention, attended, x, fused=fused)
        inner = self.network(self.network_norm.of(x, fused=fused), fused=fused)
        if self.transform is not None:
            inner = self.transform.of(inner, fused=fused)
        return _added(self.network_output, self.behind_network, inner, x, fused=fused)


def _added(output: Projection, behind: Norm | None, inner: Tensor, x: Tensor, *, fused: bool) -> Tensor:
    if behind is None:
        return output.added(inner, x, fused=fused)
    return x + behind.of(output.dense(inner), fused=fused)
