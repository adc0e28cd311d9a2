"""Custom operators of the linnet runtime, one file each; their kernels: runtime_bindings/runtime/kernels.

A stock ExecuTorch runtime lacks them, so only the method `forward_fused` uses them; `forward` runs on every runtime,
and both read the same weights of the file. linnet takes `forward_fused` on x86-64 with AVX2 and on 64-bit ARM.
"""

from __future__ import annotations

from linnet_export.lower.custom_ops.add_layer_norm import add_layer_norm, layer_norm
from linnet_export.lower.custom_ops.cached_attention import cache_row_bytes, cached_attention
from linnet_export.lower.custom_ops.embedding_byte import embedding_byte, use_custom_embeddings
from linnet_export.lower.custom_ops.hadamard import hadamard, hadamard_block, hadamard_matrix
from linnet_export.lower.custom_ops.int8_attention import (
    int8_attention,
    int8_biased_attention,
    int8_disentangled_attention,
    int8_rotary_attention,
)
from linnet_export.lower.custom_ops.int8_head import define_stock_head, int8_head
from linnet_export.lower.custom_ops.library import NAMES
from linnet_export.lower.custom_ops.multiply import multiply
from linnet_export.lower.custom_ops.rms_norm import add_rms_norm, rms_norm

__all__ = [
    "CUSTOM_OPERATORS",
    "add_layer_norm",
    "add_rms_norm",
    "cache_row_bytes",
    "cached_attention",
    "define_stock_head",
    "embedding_byte",
    "hadamard",
    "hadamard_block",
    "hadamard_matrix",
    "int8_attention",
    "int8_biased_attention",
    "int8_disentangled_attention",
    "int8_head",
    "int8_rotary_attention",
    "layer_norm",
    "multiply",
    "rms_norm",
    "use_custom_embeddings",
]

CUSTOM_OPERATORS = frozenset(f"linnet::{name}.out" for name in NAMES)
"""Names in a program."""
