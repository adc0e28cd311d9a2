"""Custom operator for lookups in an int8 embedding table, vectorized.

ExecuTorch's `quantized_decomposed::embedding_byte` computes one value after the other, on one thread.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fx import GraphModule

from linnet_export.lower.custom_ops.library import LIBRARY, define

__all__ = ["embedding_byte", "use_custom_embeddings"]

define("embedding_byte", "Tensor weight, Tensor scale, Tensor ids")


def embedding_byte(weight: Tensor, scale: Tensor, ids: Tensor) -> Tensor:
    """Return float32 [..., width]: rows of int8 [rows, width] times their scales [rows], for int64 ids [...]."""
    result: Tensor = torch.ops.linnet.embedding_byte(weight, scale, ids)
    return result


def use_custom_embeddings(graph_module: GraphModule) -> None:
    """Replace the lookups in int8 tables of a traced program, in place."""
    for node in graph_module.graph.nodes:
        if node.target is torch.ops.quantized_decomposed.embedding_byte.default:
            weight, scale, zero_point, _, _, ids = node.args
            if zero_point is None:
                node.target, node.args = torch.ops.linnet.embedding_byte.default, (weight, scale, ids)
    graph_module.recompile()


@torch.library.impl(LIBRARY, "embedding_byte", "CPU")
def _compute(weight: Tensor, scale: Tensor, ids: Tensor) -> Tensor:
    return weight[ids].to(torch.float32) * scale.view(-1)[ids].unsqueeze(-1)


@torch.library.impl(LIBRARY, "embedding_byte.out", "CPU")
def _compute_out(weight: Tensor, scale: Tensor, ids: Tensor, *, out: Tensor) -> Tensor:
    return out.copy_(_compute(weight, scale, ids))


@torch.library.register_fake("linnet::embedding_byte", lib=LIBRARY)
def _shape(weight: Tensor, scale: Tensor, ids: Tensor) -> Tensor:
    return torch.empty(*ids.shape, weight.shape[1], dtype=torch.float32)
