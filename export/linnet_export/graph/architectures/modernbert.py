"""ModernBERT, an encoder with rotary positions and windows of attention: https://arxiv.org/abs/2412.13663.

A rotation needs every pair of places that are half a head apart side by side. Here the two halves come from
two linear layers, so that nothing is cut: what XNNPACK cannot cut at a dynamic length would leave it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import (
    Architecture,
    DeviceBody,
    Function,
    activation,
    activation_problems,
    embedding_rows,
    encoder_problems,
)
from linnet_export.graph.layers import (
    MASKED_SCORE,
    Activation,
    BatchLayout,
    LayerNorm,
    OutputLinear,
    copy_linear,
    frozen_parameter,
    make_linear,
)
from linnet_export.graph.relative_positions import RelativePositionBias, distances
from linnet_export.lower.custom_ops import int8_rotary_attention, multiply

__all__ = ["ARCHITECTURE"]

_KINDS = ("full_attention", "sliding_attention")


class _Places(NamedTuple):
    """Rotary positions of one kind of layer: cosines and sines float32 [length, 1, width of a head / 2].

    If fused, they are those of the longest text, and ``window`` has the number of keys that a query sees in front of
    its own place, and behind it (-1: all).
    """

    cosine: Tensor
    sine: Tensor
    layout: BatchLayout
    window: int = -1


class _Embeddings(nn.Module):
    """Normalized word rows."""

    def __init__(self, parts: Any) -> None:
        super().__init__()
        self.word = embedding_rows(parts.tok_embeddings.weight)
        self.norm = _norm(parts.norm)

    def forward(self, ids: Tensor, type_ids: Tensor | None, layout: BatchLayout) -> Tensor:
        """Return float32 [tokens, width] of int64 [batch, length]."""
        return _normalized(self.norm, self.word(ids).view(-1, self.word.embedding_dim), layout)


class _Halves(nn.Module):
    """A projection to heads whose two halves are rotated against each other."""

    def __init__(self, weight: Tensor, bias: Tensor | None, heads: int, scale: float = 1.0) -> None:
        """Take the weight [heads * head width, width] and bias of the whole projection."""
        super().__init__()
        self.heads = heads
        self.half_width = weight.shape[0] // heads // 2
        by_half = weight.view(heads, 2, self.half_width, -1) * scale
        bias_by_half = None if bias is None else bias.view(heads, 2, self.half_width) * scale
        self.first = self._part(by_half, bias_by_half, 0)
        self.second = self._part(by_half, bias_by_half, 1)

    def _part(self, weight: Tensor, bias: Tensor | None, half: int) -> nn.Linear:
        rows = weight[:, half].reshape(self.heads * self.half_width, -1)
        return make_linear(rows, None if bias is None else bias[:, half].reshape(-1))

    def forward(self, x: Tensor, places: _Places) -> Tensor:
        """Return float32 [tokens, heads, head width] of float32 [tokens, width]; by text in a padded batch."""
        layout = places.layout
        shape: tuple[int, ...] = (-1, self.heads, self.half_width)
        if layout.keep is not None:
            shape = (layout.batch, layout.length, self.heads, self.half_width)
        first, second = (half.view(shape) for half in self.halves(x))
        rotated = (
            first * places.cosine - second * places.sine,
            second * places.cosine + first * places.sine,
        )
        return torch.cat(rotated, dim=-1)

    def halves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return both halves of every head, float32 [tokens, heads * half a width], of float32 [tokens, width]."""
        return self.first(x), self.second(x)


class _Residual(nn.Module):
    """A projection that is added to what it came from."""

    def __init__(self, dense: nn.Linear) -> None:
        super().__init__()
        self.dense = copy_linear(dense)
        self.ones: Tensor
        self.register_buffer("ones", torch.ones(dense.out_features))

    def forward(self, x: Tensor, residual: Tensor, layout: BatchLayout) -> Tensor:
        """Combine float32 [tokens, in] and [tokens, out]."""
        projected: Tensor = self.dense(x)
        # linnet's delegate adds a residual in the form that MobileBERT has
        return projected + residual * self.ones if layout.fused else residual + projected


class _Attention(nn.Module):
    """Attention with rotated queries and keys, and its output projection."""

    def __init__(self, own: Any, heads: int) -> None:
        super().__init__()
        query, key, value = own.Wqkv.weight.chunk(3)
        biases = (None,) * 3 if own.Wqkv.bias is None else own.Wqkv.bias.chunk(3)
        self.heads = heads
        self.head_width = own.head_dim
        self.query = _Halves(query, biases[0], heads, own.head_dim**-0.5)
        self.key = _Halves(key, biases[1], heads)
        self.value = make_linear(value, biases[2])
        self.output = _Residual(own.Wo)

    def forward(self, x: Tensor, residual: Tensor, places: _Places) -> Tensor:
        """Add the attention of float32 [tokens, width] to a residual of the same shape."""
        layout = places.layout
        if layout.fused:
            query_halves, key_halves = self.query.halves(x), self.key.halves(x)
            rotation, window = (places.cosine, places.sine), (places.window, places.window)
            attended = int8_rotary_attention(query_halves, key_halves, self.value(x), rotation, self.heads, window)
            fused: Tensor = self.output(attended, residual, layout)
            return fused
        query = self._by_text(self.query(x, places), layout)
        key = self._by_text(self.key(x, places), layout)
        value = self._by_text(self._split(self.value(x), layout), layout)
        scores = torch.bmm(query, key.transpose(1, 2))
        if layout.score_bias is not None:
            scores = scores + layout.score_bias
        joined = self._joined(torch.bmm(torch.softmax(scores, -1), value), layout)
        result: Tensor = self.output(joined, residual, layout)
        return result

    def _split(self, x: Tensor, layout: BatchLayout) -> Tensor:
        if layout.keep is None:
            return x.view(-1, self.heads, self.head_width)
        return x.view(layout.batch, layout.length, self.heads, self.head_width)

    def _by_text(self, x: Tensor, layout: BatchLayout) -> Tensor:
        if layout.keep is None:
            return x.permute(1, 0, 2)
        shape = (layout.batch * self.heads, layout.length, self.head_width)
        return x.permute(0, 2, 1, 3).reshape(shape)

    def _joined(self, x: Tensor, layout: BatchLayout) -> Tensor:
        if layout.keep is None:
            return x.permute(1, 0, 2).contiguous().view(-1, self.heads * self.head_width)
        split = x.view(layout.batch, self.heads, layout.length, self.head_width).permute(0, 2, 1, 3)
        return split.reshape(layout.batch * layout.length, self.heads * self.head_width)


class _GatedNetwork(nn.Module):
    """GeGLU: https://arxiv.org/abs/2002.05202."""

    def __init__(self, own: Any, act: Activation) -> None:
        super().__init__()
        value, gate = own.Wi.weight.chunk(2)
        biases = (None, None) if own.Wi.bias is None else own.Wi.bias.chunk(2)
        self.expand = make_linear(value, biases[0])
        self.gate = make_linear(gate, biases[1])
        self.activation = act
        self.contract = _Residual(own.Wo)

    def forward(self, x: Tensor, residual: Tensor, layout: BatchLayout) -> Tensor:
        """Add what the network makes of float32 [tokens, width] to a residual of the same shape."""
        expanded, gate = self.activation(self.expand(x)), self.gate(x)
        gated = multiply(expanded, gate) if layout.fused else expanded * gate
        result: Tensor = self.contract(gated, residual, layout)
        return result


class _Layer(nn.Module):
    """One pre-norm layer; the first one has no norm before its attention."""

    def __init__(self, layer: Any, config: Any) -> None:
        super().__init__()
        self.attention_norm = _norm(layer.attn_norm)
        self.attention = _Attention(layer.attn, config.num_attention_heads)
        self.network_norm = _norm(layer.mlp_norm)
        self.network = _GatedNetwork(layer.mlp, activation(config, "hidden_activation"))

    def forward(self, x: Tensor, places: _Places) -> Tensor:
        """Map float32 [tokens, width] to the same shape."""
        layout = places.layout
        x = self.attention(_normalized(self.attention_norm, x, layout), x, places)
        result: Tensor = self.network(_normalized(self.network_norm, x, layout), x, layout)
        return result


class _Rotation(nn.Module):
    """Cosines and sines of the angle of every place."""

    def __init__(self, rotary: Any, kind: str, max_length: int) -> None:
        super().__init__()
        places = torch.arange(max_length).unsqueeze(0)
        cosine, sine = rotary(torch.zeros(1), places, kind)
        half = cosine.shape[-1] // 2  # the other half repeats it
        self.cosine = frozen_parameter(cosine[0, :, :half].unsqueeze(1))
        self.sine = frozen_parameter(sine[0, :, :half].unsqueeze(1))

    def forward(self, layout: BatchLayout) -> _Places:
        """Return the rotary positions of the layers of this kind."""
        if layout.fused:
            return _Places(self.cosine, self.sine, layout)
        return _Places(self.cosine[: layout.length], self.sine[: layout.length], layout)


class _ModernBody(DeviceBody):
    """Layers of two kinds: those that see the whole text, and those that see a window."""

    def __init__(self, base: Any, max_length: int) -> None:
        config = base.config
        super().__init__(
            _Embeddings(base.embeddings),
            (_Layer(layer, config) for layer in base.layers),
            heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            takes_token_types=False,
        )
        self.kinds = tuple(config.layer_types)
        rotations = {kind: _Rotation(base.rotary_emb, kind, max_length) for kind in sorted(set(self.kinds))}
        self.rotations = nn.ModuleDict(rotations)
        self.window_width = int(config.sliding_window)
        outside = distances(max_length).abs() > self.window_width
        self.window: RelativePositionBias | None = None
        # a text within the window needs no bias
        if "sliding_attention" in self.kinds and bool(outside[1:].any()):
            self.window = RelativePositionBias(outside.float().unsqueeze(0) * MASKED_SCORE)
        self.final_norm = _norm(base.final_norm)

    def forward(
        self, ids: Tensor, type_ids: Tensor | None, mask: Tensor | None, fused: bool = False
    ) -> tuple[Tensor, BatchLayout]:
        """See :class:`DeviceBody`."""
        layout = self._layout(ids, mask, fused=fused)
        places = {kind: self._places(kind, rotation, layout) for kind, rotation in self.rotations.items()}
        x = self.embeddings(ids, type_ids, layout)
        for layer, kind in zip(self.layers, self.kinds, strict=True):
            x = layer(x, places[kind])
        return _normalized(self.final_norm, x, layout), layout

    def _places(self, kind: str, rotation: nn.Module, layout: BatchLayout) -> _Places:
        if kind != "sliding_attention" or self.window is None:
            places: _Places = rotation(layout)
        elif layout.fused:
            places = rotation(layout)._replace(window=self.window_width)
        else:
            window = self.window(layout.length)
            bias = window if layout.score_bias is None else layout.score_bias + window
            places = rotation(layout._replace(score_bias=bias))
        return places


def _normalized(norm: nn.Module, x: Tensor, layout: BatchLayout) -> Tensor:
    return norm.of(x, layout) if isinstance(norm, LayerNorm) else x


def _norm(norm: nn.Module) -> nn.Module:
    if not isinstance(norm, nn.LayerNorm):
        return nn.Identity()
    # norm_bias is false in every published checkpoint, and may be true
    return LayerNorm(norm, with_bias=norm.bias is not None)


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    return _ModernBody(model.base_model, max_length)


def _prediction(model: Any) -> list[nn.Module]:
    head = model.head
    return [copy_linear(head.dense), Function(activation(model.config, "classifier_activation")), _norm(head.norm)]


def _classifier(model: Any) -> nn.Module:
    return nn.Sequential(*_prediction(model), copy_linear(model.classifier, OutputLinear))


def _fill_mask_head(model: Any) -> nn.Module:
    return nn.Sequential(*_prediction(model), copy_linear(model.decoder))


def _span_head(model: Any) -> tuple[nn.Module, nn.Linear]:
    return nn.Sequential(*_prediction(model)), model.classifier


def _sequence_pooling(model: Any) -> str:
    return str(model.config.classifier_pooling)


def _problems(config: Any) -> list[str]:
    problems = [
        *encoder_problems(config),
        *activation_problems(config, "hidden_activation"),
        *activation_problems(config, "classifier_activation"),
    ]
    unknown = sorted(set(config.layer_types) - set(_KINDS))
    if unknown:
        problems.append(f"layer_types has {', '.join(unknown)}, supported are {', '.join(_KINDS)}")
    for kind in sorted(set(config.layer_types) & set(_KINDS)):
        name = config.rope_parameters[kind]["rope_type"]
        if name != "default":
            problems.append(f"rope_type of {kind} is {name!r}, supported is 'default'")
    if config.classifier_pooling not in ("cls", "mean"):
        problems.append(f"classifier_pooling is {config.classifier_pooling!r}, supported are cls and mean")
    return problems


ARCHITECTURE = Architecture(
    "modernbert",
    _body,
    _classifier,
    _fill_mask_head,
    sequence_pooling=_sequence_pooling,
    token_head=_classifier,
    span_head=_span_head,
    problems=_problems,
)
