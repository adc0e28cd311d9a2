"""Device graph of one method of a decoder's program."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.export import Dim
from transformers import PreTrainedModel

from linnet_export.graph.decoders import get_decoder
from linnet_export.graph.decoders.base import DecoderBody
from linnet_export.graph.decoders.layers import DecoderStep
from linnet_export.graph.program import Bounds
from linnet_export.lower.custom_ops import cache_row_bytes, define_stock_head

__all__ = ["LONGEST_CHUNK", "MOST_ROWS", "DecoderProgram", "decoder_module"]

LONGEST_CHUNK = 128
"""Most tokens of a call: planned memory grows with it, and a longer chunk gains nothing."""

MOST_ROWS = 16
"""Rows of logits that a call gives at most: planned memory holds them, 4 bytes for each entry of the vocabulary."""

_EXAMPLE_LENGTH = 5


class DecoderProgram(nn.Module):
    """A decoder as one method of the program.

    `forward` keeps keys and values in its own buffers, and gives the logits of the last token: what ExecuTorch's
    runners for language models call. `forward_fused` takes the cache as an input, changes it in place, and gives
    the logits of chosen tokens.

    Attributes:
        inputs: names of the inputs, in order.
        outputs: names of the outputs, in order.
        context: most positions.
        chunk: most tokens of a call.
        masked: False: no method takes padded batches.
        fused: it calls the custom operators (:mod:`linnet_export.lower.custom_ops`).
    """

    outputs = ("logits",)
    masked = False

    def __init__(self, body: DecoderBody, context: int, chunk: int, *, fused: bool = False) -> None:
        super().__init__()
        self.body = body
        self.context, self.chunk = context, chunk
        self.fused = fused
        self.inputs = ("input_ids", "cache_position", *(("logit_rows", "cache") if fused else ()))

    def forward(self, ids: Tensor, start: Tensor, rows: Tensor | None = None, cache: Tensor | None = None) -> Tensor:
        """Return logits float32 [rows, vocabulary].

        Args:
            ids: int64 [1, tokens].
            start: int64 [1], tokens before these.
            rows: int64 [rows], places in this call; None: the last one.
            cache: uint8 [layers, capacity, row bytes].
        """
        positions = None if self.fused else start + torch.arange(ids.shape[1])
        return self.body(ids, DecoderStep(start, positions, cache), rows)

    def with_custom_kernels(self) -> DecoderProgram:
        """Return the method with custom operators, all parameters shared."""
        return DecoderProgram(self.body, self.context, self.chunk, fused=True).eval()

    def manifest_fields(self) -> dict[str, int]:
        """Return the fields of the manifest that say how the program is called."""
        return {
            "cache_layers": len(self.body.layers),
            "cache_row_bytes": self.row_bytes,
            "chunk_length": self.chunk,
            "logit_rows": MOST_ROWS,
        }

    @contextlib.contextmanager
    def without_stock_caches(self) -> Iterator[None]:
        """Take the buffers with the caches of stock operators out of a fused method, inside of the block.

        Tracing stores every buffer of a module in the program, also one that no operator reads.
        """
        owners = [cast(nn.Module, layer.attention) for layer in self.body.layers] if self.fused else []
        kept = [(owner, dict(owner._buffers)) for owner in owners]
        for owner in owners:
            owner._buffers.clear()
        try:
            yield
        finally:
            for owner, buffers in kept:
                owner._buffers.update(buffers)

    @property
    def row_bytes(self) -> int:
        """Bytes of a token in the cache of a layer."""
        return cache_row_bytes(*self.body.row_shape)

    def examples(self, _: Bounds) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs to trace with, and their dynamic axes as torch.export takes them."""
        tokens = min(_EXAMPLE_LENGTH, self.chunk)
        inputs = (torch.ones(1, tokens, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))
        shapes: tuple[Any, ...] = ({1: Dim("tokens", min=2, max=self.chunk)}, {})
        if not self.fused:
            return inputs, shapes
        cache = torch.zeros(len(self.body.layers), self.context - 1, self.row_bytes, dtype=torch.uint8)
        rows, capacity = Dim("rows", min=1, max=MOST_ROWS), Dim("capacity", min=1, max=self.context)
        return (*inputs, torch.arange(2, dtype=torch.int64), cache), (*shapes, {0: rows}, {1: capacity})


def decoder_module(model: PreTrainedModel, context: int, chunk: int) -> DecoderProgram:
    """Return the device graph of a Hugging Face decoder; the model itself stays as it is.

    Args:
        model: a causal language model.
        context: most positions of the program.
        chunk: most tokens of a call.

    Raises:
        UnknownDecoderError: the `model_type` is not supported.
        UnsupportedConfigError: a setting of the configuration is not.
    """
    decoder = get_decoder(model.config.model_type)
    decoder.check(model.config)
    define_stock_head()
    with torch.no_grad():
        body = decoder.body(model, context)
    return DecoderProgram(body, context, chunk).eval()
