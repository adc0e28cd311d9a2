"""DeBERTa-v2 and v3, attention by content and by distance: https://arxiv.org/abs/2006.03654.

A score is query * key, plus query * the key of their distance (c2p), plus key * the query of their distance
(p2c). The keys and queries of distances depend on weights only, so they are tables of the file by bucket of
distance. transformers multiplies with every bucket and gathers; here each token multiplies with the distances
-length .. length - 1 in their order, and one change of strides puts the products where their pair is. The operator
of linnet does the same for a few tokens at a time, in int8.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from linnet_export.graph.architectures.base import (
    Architecture,
    DeviceBody,
    Function,
    TokenEmbeddings,
    activation,
    activation_problems,
    embedding_rows,
    encoder_problems,
    positions_within,
    stack_layers,
)
from linnet_export.graph.layers import (
    Attention,
    BatchLayout,
    EncoderLayer,
    LayerNorm,
    OutputLinear,
    copy_linear,
    make_linear,
)
from linnet_export.graph.relative_positions import distances, pairs_of_distances
from linnet_export.lower.custom_ops import int8_disentangled_attention

__all__ = ["ARCHITECTURE"]

_KINDS = ("c2p", "p2c")


class _Positions(nn.Module):
    """Keys or queries of distances: a table by bucket, and the bucket of every distance."""

    def __init__(self, table: Tensor, buckets: Tensor, heads: int) -> None:
        """Take float32 [all buckets, width], and int64 [2 * max_length] by :func:`distances`."""
        super().__init__()
        first = int(buckets.min())
        # a short bound never reaches the outer buckets
        self.by_bucket = embedding_rows(table[first : int(buckets.max()) + 1])
        self.buckets: Tensor
        self.register_buffer("buckets", buckets - first)
        self.heads = heads

    def forward(self, length: int) -> Tensor:
        """Return float32 [heads, width of a head, 2 * length]."""
        rows = self.rows(length)
        return rows.view(-1, self.heads, rows.shape[-1] // self.heads).permute(1, 2, 0)

    def rows(self, length: int) -> Tensor:
        """Return float32 [2 * length, width], by the distances from -length to length - 1."""
        middle = self.buckets.shape[0] // 2
        rows: Tensor = self.by_bucket(self.buckets[middle - length : middle + length])
        return rows


class _DisentangledAttention(Attention):
    """Attention whose scores know the distance of query and key."""

    def __init__(self, own: Any, distance: Tensor, buckets: tuple[Tensor, Tensor], shift: Tensor | None) -> None:
        """Take a ``DisentangledSelfAttention``, the rows of all buckets, and :func:`_buckets`."""
        super().__init__(own.query_proj, own.key_proj, own.value_proj, own.num_attention_heads, shift)
        kinds = own.pos_att_type
        # transformers divides every product by the root of head width * (1 + number of kinds)
        factor = (1 + len(kinds)) ** -0.5
        with torch.no_grad():
            self.query.weight.mul_(factor)
            self.query.bias.mul_(factor)
        shared = own.share_att_key
        self.key_positions: _Positions | None = None
        self.query_positions: _Positions | None = None
        if "c2p" in kinds:
            table = (own.key_proj if shared else own.pos_key_proj)(distance)
            self.key_positions = _Positions(table, buckets[0], self.heads)
        if "p2c" in kinds:
            table = (own.query_proj if shared else own.pos_query_proj)(distance)
            table = table * (factor * self.head_width**-0.5)
            self.query_positions = _Positions(table, buckets[1], self.heads)

    def forward(self, query_in: Tensor, key_in: Tensor, value_in: Tensor, layout: BatchLayout) -> Tensor:
        """Return float32 [tokens, heads * head_width] of three float32 [tokens, width]."""
        if layout.fused:
            keys, queries = (_rows(each, layout) for each in (self.key_positions, self.query_positions))
            rows = (self.query(query_in), self.key(key_in), self.value(value_in))
            return int8_disentangled_attention(*rows, keys, queries, self.heads)
        query = self._split(self.query(query_in), layout)
        key = self._split(self.key(key_in), layout)
        value = self._split(self.value(value_in), layout)
        scores = torch.bmm(query, key.transpose(1, 2))
        if self.key_positions is not None:
            scores = scores + self._by_distance(query, self.key_positions, layout, transposed=False)
        if self.query_positions is not None:
            scores = scores + self._by_distance(key, self.query_positions, layout, transposed=True)
        if layout.score_bias is not None:
            scores = scores + layout.score_bias
        return self._join(torch.bmm(torch.softmax(scores, -1), value), layout)

    def _by_distance(self, tokens: Tensor, positions: _Positions, layout: BatchLayout, *, transposed: bool) -> Tensor:
        table = positions(layout.length)
        if layout.keep is not None:
            table = table.repeat(layout.batch, 1, 1)
        return pairs_of_distances(torch.bmm(tokens, table), layout.length, transposed=transposed)


def _rows(positions: _Positions | None, layout: BatchLayout) -> Tensor | None:
    return None if positions is None else positions.rows(layout.length)


def _buckets(config: Any, max_length: int) -> tuple[Tensor, Tensor]:
    """Return the buckets of query - key by the distance key - query, and by the distance query - key."""
    size = getattr(config, "position_buckets", -1)
    farthest = getattr(config, "max_relative_positions", -1)
    if farthest < 1:
        farthest = config.max_position_embeddings
    span = size if size > 0 else farthest

    def bucket(query_minus_key: Tensor) -> Tensor:
        if size > 0:
            query_minus_key = make_log_bucket_position(query_minus_key, size, farthest).to(torch.int64)
        return torch.clamp(query_minus_key + span, 0, 2 * span - 1)

    return bucket(-distances(max_length)), bucket(distances(max_length))


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    base: Any = model.base_model
    config = base.config
    parts = base.embeddings
    position = None
    if parts.position_embeddings is not None:
        position = positions_within(config, parts.position_embeddings, max_length)
    embeddings = TokenEmbeddings(parts.word_embeddings, position, None, parts.LayerNorm, False)
    distance = base.encoder.get_rel_embedding()
    buckets = _buckets(config, max_length)

    def make_layer(layer: Any, shift: Tensor | None) -> EncoderLayer:
        attention = layer.attention
        return EncoderLayer(
            _DisentangledAttention(attention.self, distance, buckets, shift),
            attention.output.dense,
            attention.output.LayerNorm,
            layer.intermediate.dense,
            activation(config, "hidden_act"),
            layer.output.dense,
            layer.output.LayerNorm,
            shift,
        )

    layers, shift = stack_layers(base.encoder.layer, embeddings.shift, make_layer)
    return DeviceBody(
        embeddings,
        layers,
        heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        takes_token_types=False,
        shift=shift,
    )


def _sequence_head(model: Any) -> nn.Module:
    return nn.Sequential(
        copy_linear(model.pooler.dense),
        Function(activation(model.config, "pooler_hidden_act")),
        copy_linear(model.classifier, OutputLinear),
    )


def _fill_mask_head(model: Any) -> nn.Module:
    if model.config.legacy:
        predictions = model.cls.predictions
        parts, decoder = predictions.transform, copy_linear(predictions.decoder)
    else:
        parts = model.lm_predictions.lm_head
        decoder = make_linear(model.get_input_embeddings().weight, parts.bias)
    return nn.Sequential(
        copy_linear(parts.dense),
        Function(activation(model.config, "hidden_act")),
        LayerNorm(parts.LayerNorm),
        decoder,
    )


def _problems(config: Any) -> list[str]:
    kinds = config.pos_att_type or []
    unknown = [kind for kind in kinds if kind not in _KINDS]
    embedding_size = getattr(config, "embedding_size", config.hidden_size)
    kernel = getattr(config, "conv_kernel_size", 0) or 0
    checks = {
        f"relative_attention is {config.relative_attention}, supported is true": not config.relative_attention,
        f"pos_att_type is {'|'.join(kinds)!r}, supported are {' and '.join(_KINDS)}": bool(unknown),
        f"type_vocab_size is {config.type_vocab_size}, supported is 0": config.type_vocab_size > 0,
        f"embedding_size is {embedding_size}, supported is hidden_size": embedding_size != config.hidden_size,
        f"conv_kernel_size is {kernel}, a convolution behind the first layer is not supported": kernel > 0,
    }
    return [
        *encoder_problems(config),
        *activation_problems(config, "pooler_hidden_act"),
        *(text for text, wrong in checks.items() if wrong),
    ]


ARCHITECTURE = Architecture("deberta-v2", _body, _sequence_head, _fill_mask_head, problems=_problems)
