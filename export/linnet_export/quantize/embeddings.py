"""Precisions of the word embedding by name, as in optimum-executorch: fp32, fp16, 8w and 4w.

The kernels look up quantized rows and give float32; they stand in ExecuTorch's quantized kernel library.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet_export.config import QuantizationConfig
from linnet_export.quantize.operators import INT4, int4_embedding
from linnet_export.quantize.precisions.base import Precision, always_supported, never_observed
from linnet_export.quantize.precisions.int8 import quantize_rows

__all__ = ["EMBEDDINGS", "Fp16Embedding", "Int4Embedding", "Int8Embedding", "quantize_row_groups"]

_BYTE = (-128, 127)


class Int8Embedding(nn.Module):
    """An embedding table of int8 rows [rows, width] with a float32 scale per row.

    Attributes:
        stored_bytes: bytes of rows and scales in a program.
    """

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        rows, scale = quantize_rows(embedding.weight)
        self.embedding_dim = embedding.embedding_dim
        self.weight: Tensor
        self.register_buffer("weight", rows)
        self.scale: Tensor
        self.register_buffer("scale", scale)
        self.stored_bytes = rows.numel() + 4 * scale.numel()

    def forward(self, ids: Tensor) -> Tensor:
        """Return float32 [..., width] of int64 [...]."""
        rows, scale = self.weight, self.scale
        if not torch.compiler.is_exporting():
            # in PyTorch the operator makes the whole table float32 at every call: give it only what is looked up
            rows, scale = rows[ids.flatten()], scale[ids.flatten()]
            ids = torch.arange(ids.numel()).view_as(ids)
        operator = torch.ops.quantized_decomposed.embedding_byte
        result: Tensor = operator(rows, scale, None, *_BYTE, ids)
        return result


class Fp16Embedding(nn.Module):
    """An embedding table of float16 rows [rows, width].

    Attributes:
        stored_bytes: bytes of the rows in a program.
    """

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.embedding_dim = embedding.embedding_dim
        self.weight: Tensor
        self.register_buffer("weight", embedding.weight.detach().to(torch.float16))
        self.stored_bytes = 2 * self.weight.numel()

    def forward(self, ids: Tensor) -> Tensor:
        """Return float32 [..., width] of int64 [...]."""
        return functional.embedding(ids, self.weight).to(torch.float32)


class Int4Embedding(nn.Module):
    """An embedding table of int4 rows, two values in a byte, with a float16 scale per group of a row.

    Attributes:
        stored_bytes: bytes of rows and scales in a program.
    """

    def __init__(self, embedding: nn.Embedding, group_size: int) -> None:
        super().__init__()
        values, scale = quantize_row_groups(embedding.weight, group_size)
        self.embedding_dim = embedding.embedding_dim
        pairs = (values - INT4[0]).to(torch.uint8).unflatten(1, (-1, 2))
        self.weight: Tensor
        # the first of two stands in the upper half, as embedding_4bit reads it
        self.register_buffer("weight", pairs[..., 0] << 4 | pairs[..., 1])
        self.scale: Tensor
        self.register_buffer("scale", scale)
        self.stored_bytes = self.weight.numel() + 2 * scale.numel()

    def forward(self, ids: Tensor) -> Tensor:
        """Return float32 [..., width] of int64 [...]."""
        result: Tensor = int4_embedding(self.weight, self.scale, ids)
        return result


def quantize_row_groups(weight: Tensor, group_size: int) -> tuple[Tensor, Tensor]:
    """Return int8 [rows, width] of int4 values and float16 scales [rows, width / group_size].

    Rows have no calibration: nobody knows which words will come. So the scale of a group is the one with
    the least squared error. It may be negative, which gives the larger side of a group the value -8.
    """
    groups = weight.detach().to(torch.float32).unflatten(1, (-1, group_size))
    widest = groups.abs().amax(-1) / -INT4[0]
    best, least = torch.ones_like(widest), torch.full_like(widest, torch.inf)
    for factor in torch.linspace(0.7, 1.2, 26).tolist():
        for sign in (1, -1):
            scale = _as_half(widest * factor) * sign
            rounded = torch.round(groups / scale.unsqueeze(-1)).clamp(*INT4)
            error = (rounded * scale.unsqueeze(-1) - groups).square().sum(-1)
            better = error < least
            best, least = torch.where(better, scale, best), torch.where(better, error, least)
    values = torch.round(groups / best.unsqueeze(-1)).clamp(*INT4)
    return values.flatten(1).to(torch.int8), best.to(torch.float16)


def _as_half(scale: Tensor) -> Tensor:
    half = torch.finfo(torch.float16)
    return scale.clamp(half.tiny, half.max).to(torch.float16).to(torch.float32)


def _group_size(table: nn.Embedding, settings: QuantizationConfig) -> int:
    return min(settings.row_group_size, table.embedding_dim)


def _group_reason_unsupported(table: nn.Embedding, settings: QuantizationConfig) -> str:
    size = _group_size(table, settings)
    return (
        f"its width {table.embedding_dim} is no multiple of the group size {size}" if table.embedding_dim % size else ""
    )


EMBEDDINGS: dict[str, Precision] = {
    precision.name: precision
    for precision in (
        Precision("fp32", "", lambda table, _, __: table, never_observed, always_supported),
        Precision("fp16", "float16", lambda table, _, __: Fp16Embedding(table), never_observed, always_supported),
        Precision("8w", "int8 per row", lambda table, _, __: Int8Embedding(table), never_observed, always_supported),
        Precision(
            "4w",
            "int4 per group",
            lambda table, settings, _: Int4Embedding(table, _group_size(table, settings)),
            never_observed,
            _group_reason_unsupported,
        ),
    )
}
