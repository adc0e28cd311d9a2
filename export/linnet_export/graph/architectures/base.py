"""Interface of an architecture, and the encoder body that all architectures share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from linnet_export.errors import CheckpointError
from linnet_export.graph.layers import (
    ACTIVATIONS,
    MASKED_SCORE,
    Activation,
    BatchLayout,
    EncoderLayer,
    LayerNorm,
    OutputLinear,
    copy_linear,
    frozen_parameter,
)
from linnet_export.graph.relative_positions import RelativePositionBias

__all__ = [
    "Architecture",
    "DeviceBody",
    "Function",
    "TokenEmbeddings",
    "UnsupportedConfigError",
    "activation",
    "activation_problems",
    "all_positions",
    "embedding_rows",
    "encoder_problems",
    "positions_behind_padding",
    "positions_from_padding",
    "positions_within",
    "stack_layers",
]


class UnsupportedConfigError(CheckpointError):
    """The architecture is known, but this setting of its configuration is not supported."""


def encoder_problems(config: Any) -> list[str]:
    """Return what makes a configuration something else than a plain encoder, in words."""
    problems = [
        f"expected an encoder, got {setting} true"
        for setting in ("is_decoder", "add_cross_attention")
        if getattr(config, setting, False)
    ]
    kind = getattr(config, "position_embedding_type", "absolute")
    if kind not in (None, "absolute"):
        problems.append(f"position_embedding_type is {kind!r}, supported is 'absolute'")
    return [*problems, *activation_problems(config, "hidden_act")]


def activation_problems(config: Any, setting: str) -> list[str]:
    """Return in words that an activation is not in :data:`linnet_export.graph.layers.ACTIVATIONS`, if so."""
    name = getattr(config, setting, None)
    if name is None or (isinstance(name, str) and name in ACTIVATIONS):
        return []
    return [f"{setting} is {name!r}, supported are {', '.join(sorted(ACTIVATIONS))}"]


def all_positions(config: Any) -> int:
    """Return the most tokens of one text, special tokens included: every row of the position table."""
    return int(config.max_position_embeddings)


def positions_behind_padding(config: Any) -> int:
    """Return the most tokens of one text where places are counted from ``pad_token_id`` + 1 on (fairseq)."""
    return int(config.max_position_embeddings) - int(config.pad_token_id) - 1


def _first_token(model: Any) -> str:
    return "cls"


def _token_head(model: Any) -> nn.Module:
    return copy_linear(model.classifier, OutputLinear)


def _span_head(model: Any) -> tuple[nn.Module, nn.Linear]:
    return nn.Identity(), model.qa_outputs


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Conversion of one family of Hugging Face models to a device graph.

    Attributes:
        model_type: its name in config.json.
        body: (model, max_length, token_types) -> the encoder up to its last hidden state.
        sequence_head: model with a sequence classifier -> module from pooled tokens [batch, hidden] to
            logits [batch, labels].
        fill_mask_head: masked language model -> module from [tokens, hidden] to logits [tokens, vocab].
        sequence_pooling: model with a sequence classifier -> what it reads: cls or mean.
        token_head: model with a token classifier -> module from [tokens, hidden] to [tokens, labels].
        span_head: model for question answering -> module on [tokens, hidden], and the linear layer behind it
            with an output for the start and one for the end.
        problems: configuration -> everything in it that is not supported, in words.
        positions: configuration -> most tokens of one text, special tokens included.
    """

    model_type: str
    body: Callable[[PreTrainedModel, int, bool], DeviceBody]
    sequence_head: Callable[[PreTrainedModel], nn.Module]
    fill_mask_head: Callable[[PreTrainedModel], nn.Module]
    sequence_pooling: Callable[[Any], str] = _first_token
    token_head: Callable[[Any], nn.Module] = _token_head
    span_head: Callable[[Any], tuple[nn.Module, nn.Linear]] = _span_head
    problems: Callable[[Any], list[str]] = encoder_problems
    positions: Callable[[Any], int] = all_positions

    def check(self, config: Any) -> None:
        """Refuse a configuration that is not supported.

        Raises:
            UnsupportedConfigError: the message names every setting that is not supported.
        """
        problems = self.problems(config)
        if problems:
            raise UnsupportedConfigError(f"{config.model_type}: {'; '.join(problems)}")


class TokenEmbeddings(nn.Module):
    """Word, position and token type embeddings of one width, summed and normalized.

    Without the input `token_type_ids`, the row of type 0 is folded into the positions. An architecture whose
    layers know the positions has neither.

    With ``padding``, positions are counted as fairseq does (`create_position_ids_from_input_ids` of transformers):
    a token of that id gets row 0 of ``position``, whatever it stands for, and is left out of the count.

    Attributes:
        shift: float32 [width], the bias of the normalization, which is left to what follows.
    """

    def __init__(
        self,
        word: nn.Embedding,
        position: Tensor | None,
        types: Tensor | None,
        norm: nn.LayerNorm,
        token_types: bool,
        padding: int | None = None,
    ) -> None:
        super().__init__()
        self.padding = padding
        self.word = embedding_rows(word.weight)
        self.types: nn.Embedding | None = None
        if types is not None and token_types:
            self.types = embedding_rows(types)
        elif types is not None and position is not None:
            position = position + types[0]
        self.position = None if position is None else frozen_parameter(position)
        self.norm = LayerNorm(norm, with_bias=False)
        self.shift = norm.bias.detach()

    def forward(self, ids: Tensor, type_ids: Tensor | None, layout: BatchLayout) -> Tensor:
        """Return float32 [tokens, width] of int64 [batch, length]; padding needs no care here."""
        parts: list[Tensor] = [self.word(ids)]
        if self.position is not None:
            parts.append(self._positions(self.position, ids))
        if self.types is not None:
            parts.append(self.types(type_ids))
        width = parts[0].shape[-1]
        if layout.fused and len(parts) > 1:  # one text, so that no part is repeated for others
            *first, last = (part.view(-1, width) for part in parts)
            return self.norm.of_sum(sum(first[1:], first[0]), last, layout)
        return self.norm.of(sum(parts[1:], parts[0]).view(-1, width), layout)

    def _positions(self, table: Tensor, ids: Tensor) -> Tensor:
        if self.padding is None:
            return table[: ids.shape[1]]
        counted = ids.ne(self.padding).to(torch.int64)
        return functional.embedding(torch.cumsum(counted, 1) * counted, table)


class DeviceBody(nn.Module):
    """An encoder from token ids to its last hidden state.

    Attributes:
        hidden_size: width of the hidden state.
        takes_token_types: forward needs `token_type_ids`.
    """

    def __init__(
        self,
        embeddings: nn.Module,
        layers: Iterable[nn.Module],
        *,
        heads: int,
        hidden_size: int,
        takes_token_types: bool,
        project: nn.Module | None = None,
        shift: Tensor | None = None,
        distance_bias: RelativePositionBias | None = None,
    ) -> None:
        """Take the parts of an encoder.

        ``shift`` is missing from what the last layer gives; ``distance_bias`` makes of a length what is added
        to every layer's attention scores, float32 [heads, length, length].
        """
        super().__init__()
        self.shift = None if shift is None else frozen_parameter(shift)
        self.embeddings = embeddings
        self.project = project
        self.distance_bias = distance_bias
        self.layers = nn.ModuleList(layers)
        self.heads = heads
        self.hidden_size = hidden_size
        self.takes_token_types = takes_token_types

    def forward(
        self, ids: Tensor, type_ids: Tensor | None, mask: Tensor | None, fused: bool = False
    ) -> tuple[Tensor, BatchLayout]:
        """Return the hidden state float32 [tokens, hidden_size] and the layout of the run.

        ``ids``, ``type_ids`` and ``mask`` are int64 [batch, length]. Without a mask the batch is one text, and
        ``fused`` takes the custom operators of the linnet runtime.
        """
        layout = self._layout(ids, mask, fused=fused)
        x = self.embeddings(ids, type_ids, layout)
        if self.project is not None:
            x = self.project(x)
        for layer in self.layers:
            x = layer(x, layout)
        return x if self.shift is None else x + self.shift, layout

    def _layout(self, ids: Tensor, mask: Tensor | None, *, fused: bool) -> BatchLayout:
        batch, length = ids.shape
        if fused:
            by_distance = None if self.distance_bias is None else self.distance_bias.reversed
            return BatchLayout(1, length, None, by_distance, fused=True)
        distance = None if self.distance_bias is None else self.distance_bias(length)
        if mask is None:
            return BatchLayout(1, length, None, distance)
        keep = mask.to(torch.float32)
        bias = ((1.0 - keep) * MASKED_SCORE).unsqueeze(1).expand(batch, self.heads, length)
        if distance is None:
            return BatchLayout(batch, length, keep, bias.reshape(batch * self.heads, 1, length))
        pairs = bias.unsqueeze(2) + distance
        return BatchLayout(batch, length, keep, pairs.reshape(batch * self.heads, length, length))


def stack_layers(
    layers: Iterable[Any], shift: Tensor | None, make: Callable[[Any, Tensor | None], EncoderLayer]
) -> tuple[list[EncoderLayer], Tensor | None]:
    """Make each layer with the shift that its predecessor leaves; return the layers and the last shift."""
    made: list[EncoderLayer] = []
    for layer in layers:
        made.append(make(layer, shift))
        shift = made[-1].shift
    return made, shift


def embedding_rows(weight: Tensor) -> nn.Embedding:
    """Return a frozen embedding without `padding_idx`, which would block its quantization."""
    return nn.Embedding.from_pretrained(frozen_parameter(weight), freeze=True)


def activation(config: Any, setting: str) -> Activation:
    """Return the activation that ``setting`` names; :meth:`Architecture.check` has seen that it is there."""
    return ACTIVATIONS[getattr(config, setting)]


def positions_within(config: Any, table: nn.Embedding, max_length: int, first: int = 0) -> Tensor:
    """Return ``max_length`` rows of the position table from ``first`` on: the others could never be used.

    Raises:
        UnsupportedConfigError: the table is shorter.
    """
    rows = table.weight.shape[0] - first
    if max_length > rows:
        raise UnsupportedConfigError(
            f"{config.model_type}: max_length is {max_length}, but the model has {rows} positions; lower it"
        )
    return table.weight.detach()[first : first + max_length]


def positions_from_padding(config: Any, table: nn.Embedding, max_length: int, padding: int) -> Tensor:
    """Return the row of ``padding`` and the ``max_length`` rows behind it, for positions that are counted from it.

    Raises:
        UnsupportedConfigError: the table is shorter.
    """
    behind = positions_within(config, table, max_length, padding + 1)
    return torch.cat([table.weight.detach()[padding : padding + 1], behind])


class Function(nn.Module):
    """A plain function as a module."""

    def __init__(self, function: Activation) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function."""
        return self.function(x)
