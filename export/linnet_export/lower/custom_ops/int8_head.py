"""Custom operator for logits by the rows of an int8 word embedding, which a program then holds once.

XNNPACK multiplies with packed copies of weights, so an embedding that is the head too would stand in the file twice.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn import functional

# defines torch.ops.quantized_decomposed.mixed_linear
from linnet_export.lower import executorch_compat  # noqa: F401
from linnet_export.lower.custom_ops.library import LIBRARY, define

__all__ = ["define_stock_head", "int8_head"]

define("int8_head", "Tensor x, Tensor weight, Tensor scale")

_SMALLEST = 1e-32
"""Magnitude of a row of zeros: 32767 divided by it must still be a number."""


def int8_head(x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """Return float32 [rows, vocabulary]: the product of float32 [rows, width] with int8 [vocabulary, width].

    ``scale`` is float32 [vocabulary], by row of ``weight``. Rows of ``x`` are rounded with one symmetric scale each,
    to as many bits as keep the sums of products exact in an int32: 15 for a width of up to 512, 12 for 4096.
    """
    result: Tensor = torch.ops.linnet.int8_head(x, weight, scale)
    return result


def _largest_state(width: int) -> float:
    """Return the largest magnitude of a rounded state, as `largest_state` of runtime_bindings computes it."""
    return float(min(32767, (2**31 - 1) // (128 * width)))


@torch.library.impl(LIBRARY, "int8_head", "CPU")
def _compute(x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    limit = _largest_state(x.shape[-1])
    largest = x.abs().amax(-1, keepdim=True).clamp(min=_SMALLEST)
    rounded = torch.round(x * (limit / largest))
    # in float64, which holds the sums exactly
    products = functional.linear(rounded.double(), weight.double())
    return (products.float() * (largest / limit)) * scale.view(-1)


@torch.library.impl(LIBRARY, "int8_head.out", "CPU")
def _compute_out(x: Tensor, weight: Tensor, scale: Tensor, *, out: Tensor) -> Tensor:
    return out.copy_(_compute(x, weight, scale))


@torch.library.register_fake("linnet::int8_head", lib=LIBRARY)
def _shape(x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    return torch.empty(x.shape[0], weight.shape[0], dtype=torch.float32)


@functools.cache
def define_stock_head() -> None:
    """Tell PyTorch what `quantized_decomposed::mixed_linear` of ExecuTorch's quantized kernels computes.

    It is the same product in float32. ExecuTorch declares it without shape and computation, and its form for programs
    in a library that has to be loaded for it.
    """
    import executorch.kernels.quantized  # noqa: F401

    torch.library.register_fake("quantized_decomposed::mixed_linear", _stock_shape)
    torch.library.impl("quantized_decomposed::mixed_linear", "CPU", _stock)


def _stock_shape(
    x: Tensor, weight: Tensor, scale: Tensor, zero_points: Tensor | None, dtype: torch.dtype | None = None
) -> Tensor:
    return torch.empty(x.shape[0], weight.shape[0], dtype=torch.float32)


def _stock(
    x: Tensor, weight: Tensor, scale: Tensor, zero_points: Tensor | None, dtype: torch.dtype | None = None
) -> Tensor:
    return functional.linear(x, weight.to(torch.float32)) * scale.view(-1)
