"""MobileBERT in every variant of its configuration: https://arxiv.org/abs/2004.02984."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import (
    Architecture,
    DeviceBody,
    Function,
    activation,
    embedding_rows,
    encoder_problems,
    positions_within,
)
from linnet_export.graph.layers import (
    Activation,
    Affine,
    Attention,
    BatchLayout,
    LayerNorm,
    OutputLinear,
    copy_linear,
    frozen_parameter,
    make_linear,
    scaled_linear,
)

__all__ = ["ARCHITECTURE"]


class _Embeddings(nn.Module):
    """Word rows (with both neighbours if trigram), projected, plus positions and token types.

    A row of zeros behind the vocabulary stands for "no neighbour", and for padding: so a text in a
    padded batch sees the same neighbours as alone.
    """

    def __init__(self, parts: Any, position: Tensor, token_types: bool) -> None:
        super().__init__()
        weight = parts.word_embeddings.weight.detach()
        self.trigram = bool(parts.trigram_input)
        self.nothing = weight.shape[0]
        if self.trigram:
            weight = torch.cat([weight, torch.zeros(1, weight.shape[1])])
        self.word = embedding_rows(weight)
        self.types: nn.Embedding | None = None
        types = parts.token_type_embeddings.weight.detach()
        if token_types:
            self.types = embedding_rows(types)
        else:
            position = position + types[0]
        self.position = frozen_parameter(position)
        projected = self.trigram or parts.embedding_size != parts.hidden_size
        self.transform = copy_linear(parts.embedding_transformation) if projected else None
        self.norm = _norm(parts.LayerNorm)

    def forward(self, ids: Tensor, type_ids: Tensor | None, layout: BatchLayout) -> Tensor:
        """Return float32 [tokens, hidden_size] of int64 [batch, length]."""
        rows = self._words(ids, layout.keep)
        if self.transform is not None:
            rows = self.transform(rows)
        rows = self._placed(rows, ids, layout.keep)
        if self.types is not None:
            assert type_ids is not None
            rows = rows + self.types(type_ids.view(-1))
        result: Tensor = self.norm(rows)
        return result

    def _words(self, ids: Tensor, keep: Tensor | None) -> Tensor:
        if not self.trigram:
            return self.word(ids).view(-1, self.word.embedding_dim)
        if keep is not None:
            ids = torch.where(keep > 0, ids, self.nothing)
        padded = functional.pad(ids, (1, 1), value=self.nothing)
        length = ids.shape[1]
        # shifted ids instead of shifted rows: three lookups, and nothing is moved behind them
        grams = torch.stack([padded[:, 2 : length + 2], ids, padded[:, :length]], dim=-1)
        return self.word(grams).view(-1, 3 * self.word.embedding_dim)

    def _placed(self, rows: Tensor, ids: Tensor, keep: Tensor | None) -> Tensor:
        batch, length = ids.shape
        position = self.position[:length]
        if keep is None:
            return rows + position
        return (rows.view(batch, length, -1) + position).view(-1, rows.shape[-1])


class _Residual(nn.Module):
    """norm(dense(x) + residual). NoNorm's scale and shift are folded into the dense layer."""

    def __init__(self, dense: nn.Linear, norm: nn.Module) -> None:
        super().__init__()
        self.norm: LayerNorm | None = None
        self.scale: Tensor | None = None
        if isinstance(norm, nn.LayerNorm):
            self.dense = copy_linear(dense)
            self.norm = LayerNorm(norm)
        else:
            weight, bias = _affine(norm)
            self.dense = scaled_linear(dense, weight, bias)
            self.scale = frozen_parameter(weight)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """Combine float32 [tokens, in] and [tokens, out]."""
        if self.norm is not None:
            result: Tensor = self.norm(self.dense(x) + residual)
            return result
        assert self.scale is not None
        summed: Tensor = self.dense(x) + residual * self.scale
        return summed


class _FeedForward(nn.Module):
    """Two dense layers with an activation between and a residual around."""

    def __init__(self, intermediate: Any, output: Any, act: Activation) -> None:
        super().__init__()
        self.expand = copy_linear(intermediate.dense)
        self.activation = act
        self.output = _Residual(output.dense, output.LayerNorm)

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [tokens, width] to the same shape."""
        result: Tensor = self.output(self.activation(self.expand(x)), x)
        return result


class _Layer(nn.Module):
    """One MobileBERT layer: bottleneck, attention, stacked feed-forward networks, output bottleneck."""

    def __init__(self, layer: Any, config: Any) -> None:
        super().__init__()
        act = activation(config, "hidden_act")
        own = layer.attention.self
        self.attention = Attention(own.query, own.key, own.value, config.num_attention_heads)
        self.attention_output = _Residual(layer.attention.output.dense, layer.attention.output.LayerNorm)
        stacked = [(block.intermediate, block.output) for block in getattr(layer, "ffn", ())]
        self.feed_forward = nn.ModuleList(
            _FeedForward(*pair, act) for pair in [*stacked, (layer.intermediate, layer.output)]
        )
        self.enter: nn.Module | None = None
        self.enter_attention: nn.Module | None = None
        self.leave: _Residual | None = None
        self.attention_from_input = False
        if config.use_bottleneck:
            self._add_bottleneck(layer, config)

    def _add_bottleneck(self, layer: Any, config: Any) -> None:
        bottleneck = layer.bottleneck
        self.enter = _normed(bottleneck.input.dense, bottleneck.input.LayerNorm)
        self.leave = _Residual(layer.output.bottleneck.dense, layer.output.bottleneck.LayerNorm)
        self.attention_from_input = bool(config.use_bottleneck_attention)
        if config.key_query_shared_bottleneck and not self.attention_from_input:
            self.enter_attention = _normed(bottleneck.attention.dense, bottleneck.attention.LayerNorm)

    def forward(self, x: Tensor, layout: BatchLayout) -> Tensor:
        """Map float32 [tokens, hidden_size] to the same shape."""
        inner = x if self.enter is None else self.enter(x)
        shared, value = x, x
        if self.attention_from_input:
            shared, value = inner, inner
        elif self.enter_attention is not None:
            shared = self.enter_attention(x)
        inner = self.attention_output(self.attention(shared, shared, value, layout), inner)
        for network in self.feed_forward:
            inner = network(inner)
        return inner if self.leave is None else self.leave(inner, x)


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    weight, bias = norm.weight, norm.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    return weight.detach(), bias.detach()


def _norm(norm: nn.Module) -> nn.Module:
    return LayerNorm(norm) if isinstance(norm, nn.LayerNorm) else Affine(*_affine(norm))


def _normed(dense: nn.Linear, norm: nn.Module) -> nn.Module:
    """Return norm(dense(x)); NoNorm disappears into the dense layer."""
    if isinstance(norm, nn.LayerNorm):
        return nn.Sequential(copy_linear(dense), LayerNorm(norm))
    return scaled_linear(dense, *_affine(norm))


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    base: Any = model.base_model
    config = base.config
    parts = base.embeddings
    token_types = token_types and parts.token_type_embeddings.weight.shape[0] > 1
    position = positions_within(config, parts.position_embeddings, max_length)
    return DeviceBody(
        _Embeddings(parts, position, token_types),
        (_Layer(layer, config) for layer in base.encoder.layer),
        heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        takes_token_types=token_types,
    )


def _problems(config: Any) -> list[str]:
    problems = encoder_problems(config)
    apart = not (config.use_bottleneck_attention or config.key_query_shared_bottleneck)
    if config.use_bottleneck and apart and config.intra_bottleneck_size != config.hidden_size:
        problems.append(
            f"query and key read the hidden state ({config.hidden_size}) without a bottleneck, "
            f"but expect intra_bottleneck_size ({config.intra_bottleneck_size}); set "
            "key_query_shared_bottleneck or use_bottleneck_attention, or make the two sizes equal"
        )
    return problems


def _sequence_head(model: Any) -> nn.Module:
    classifier = copy_linear(model.classifier, OutputLinear)
    pooler = model.mobilebert.pooler
    if not pooler.do_activate:
        return nn.Sequential(classifier)
    return nn.Sequential(copy_linear(pooler.dense), Function(torch.tanh), classifier)


def _fill_mask_head(model: Any) -> nn.Module:
    predictions = model.cls.predictions
    # transformers multiplies with [decoder.weight.T ; dense.weight]: one linear layer of their transpose
    weight = torch.cat([predictions.decoder.weight, predictions.dense.weight.t()], dim=1)
    return nn.Sequential(
        copy_linear(predictions.transform.dense),
        Function(activation(model.config, "hidden_act")),
        LayerNorm(predictions.transform.LayerNorm),
        make_linear(weight, predictions.decoder.bias),
    )


ARCHITECTURE = Architecture("mobilebert", _body, _sequence_head, _fill_mask_head, problems=_problems)
