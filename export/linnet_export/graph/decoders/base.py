"""Interface of a decoder architecture, and the body that all decoders share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from linnet_export.errors import CheckpointError
from linnet_export.graph.architectures.base import UnsupportedConfigError, activation_problems, embedding_rows
from linnet_export.graph.decoders.layers import DecoderLayer, DecoderStep, Norm, Rotation
from linnet_export.graph.layers import OutputLinear, copy_linear
from linnet_export.lower.custom_ops import int8_head
from linnet_export.quantize.embeddings import Int8Embedding

__all__ = ["Decoder", "DecoderBody", "TiedHead", "UnknownDecoderError", "decoder_problems", "rotation_of"]


class UnknownDecoderError(CheckpointError):
    """The checkpoint's `model_type` is no supported decoder."""


@dataclasses.dataclass(frozen=True)
class Decoder:
    """Conversion of one family of Hugging Face decoders to a device graph.

    Attributes:
        model_type: its name in config.json.
        body: (model, context) -> the device graph; ``context`` is the most positions of the program.
        problems: configuration -> everything in it that is not supported, in words.
        positions: configuration -> most positions of the model.
    """

    model_type: str
    body: Callable[[PreTrainedModel, int], DecoderBody]
    problems: Callable[[Any], list[str]]
    positions: Callable[[Any], int] = lambda config: int(config.max_position_embeddings)

    def check(self, config: Any) -> None:
        """Refuse a configuration that is not supported.

        Raises:
            UnsupportedConfigError: the message names every setting that is not supported.
        """
        problems = self.problems(config)
        if problems:
            raise UnsupportedConfigError(f"{config.model_type}: {'; '.join(problems)}")


class TiedHead(nn.Module):
    """Logits by the rows of the word embedding, which the file holds once for both.

    Attributes:
        turn: layer in front of the product, where rows of the embedding are rotated; None: they are not.
    """

    def __init__(self, turn: OutputLinear | None = None) -> None:
        super().__init__()
        self.turn = turn

    def forward(self, x: Tensor, table: nn.Module, *, fused: bool) -> Tensor:
        """Return float32 [rows, vocabulary] of float32 [rows, width]; ``table`` is the word embedding."""
        if self.turn is not None:
            x = self.turn(x)
        if not isinstance(table, Int8Embedding):
            weight: Any = table.weight
            return functional.linear(x, weight)
        if fused:
            return int8_head(x, table.weight, table.scale)
        # not XNNPACK's layer, which wants a packed copy of the table in the file
        result: Tensor = torch.ops.quantized_decomposed.mixed_linear(x, table.weight, table.scale, None, None)
        return result


class DecoderBody(nn.Module):
    """A decoder from token ids to logits.

    Attributes:
        word: the word embedding.
        layers: in their order.
        hidden_size: width of the residual stream.
        row_shape: heads of keys, and their width: what a token leaves in the cache of a layer.
    """

    def __init__(
        self,
        word: Tensor,
        layers: Iterable[DecoderLayer],
        norm: Norm,
        *,
        head: nn.Linear | None = None,
        position: Tensor | None = None,
        word_scale: float = 1.0,
    ) -> None:
        """Take the parts of a decoder.

        Args:
            word: rows of the word embedding, float32 [vocabulary, width].
            layers: in their order.
            norm: of the last hidden state.
            head: what makes logits of it; None: the word embedding does.
            position: rows of learned positions, float32 [context, width]; None where layers rotate.
            word_scale: factor of the rows of words.
        """
        super().__init__()
        self.word = embedding_rows(word)
        self.position = None if position is None else embedding_rows(position)
        self.word_scale = word_scale
        made = list(layers)
        self.layers = nn.ModuleList(made)
        self.row_shape = (made[0].attention.shape.key_heads, made[0].attention.shape.head_width)
        self.norm = norm
        self.head = TiedHead() if head is None else copy_linear(head)
        self.hidden_size = int(word.shape[1])

    def forward(self, ids: Tensor, step: DecoderStep, rows: Tensor | None) -> Tensor:
        """Return logits float32 [rows, vocabulary] of int64 ids [1, tokens].

        ``rows`` are the places in this call whose logits are wanted, int64 [rows]; None: the last one.
        """
        fused = step.cache is not None
        x = self.word(ids).view(-1, self.hidden_size)
        if self.word_scale != 1.0:
            x = x * self.word_scale
        if self.position is not None:
            places = step.positions
            if places is None:
                places = step.start + torch.arange(ids.shape[1])
            x = x + self.position(places)
        for layer in self.layers:
            x = layer(x, step)
        x = x[-1:] if rows is None else functional.embedding(rows, x)
        x = self.norm.of(x, fused=fused)
        if isinstance(self.head, TiedHead):
            result: Tensor = self.head(x, self.word, fused=fused)
            return result
        logits: Tensor = self.head(x)
        return logits


def decoder_problems(config: Any) -> list[str]:
    """Return what makes a configuration something else than a plain causal decoder, in words."""
    problems = [
        f"expected a causal decoder, got {setting} true"
        for setting in ("is_encoder_decoder", "add_cross_attention")
        if getattr(config, setting, False)
    ]
    if getattr(config, "num_experts", 0) or getattr(config, "num_local_experts", 0):
        problems.append("mixtures of experts are not supported")
    return [*problems, *activation_problems(config, "hidden_act")]


def rotation_of(rotary: Any, context: int) -> Rotation:
    """Return the rotation of a rotary embedding of transformers, with its scaling of frequencies.

    Raises:
        UnsupportedConfigError: frequencies change with the length of the text.
    """
    kind = str(getattr(rotary, "rope_type", "default"))
    if kind in ("dynamic", "longrope"):
        raise UnsupportedConfigError(f"rope_type is {kind!r}, whose frequencies change with the length of the text")
    return Rotation(rotary.inv_freq.detach(), context, float(getattr(rotary, "attention_scaling", 1.0)))
