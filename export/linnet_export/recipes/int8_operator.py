"""One operator for an int8 linear layer, and the pass that writes it out for XNNPACK.

XNNPACK's partitioner recognizes a dynamically quantized linear layer by seven operators around
``aten.linear``. Lowering walks over every operator dozens of times, so until the last moment the seven are
one. Layers that read the same activations then share one quantization of them.
"""

from __future__ import annotations

import operator
from typing import Any

import torch
from executorch.exir.dialects._ops import ops as exir_ops
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.ao.quantization.fx import _decomposed  # noqa: F401  defines torch.ops.quantized_decomposed
from torch.fx import Graph, GraphModule, Node
from torch.fx.passes.infra.pass_base import PassBase, PassResult
from torch.nn import functional

__all__ = ["LARGEST", "ExpandInt8Linear", "int8_linear"]

LARGEST = 127
"""Largest magnitude of a weight: symmetric, so -128 is not used."""

_ACTIVATION_RANGE = (-128, 127)


@torch.library.custom_op("linnet::int8_linear", mutates_args=())
def int8_linear(x: Tensor, weight: Tensor, scale: Tensor, zero_point: Tensor, bias: Tensor | None) -> Tensor:
    """Return float32 [tokens, out]: a linear layer of int8 weights and of activations rounded to int8.

    Args:
        x: float32 [tokens, in], rounded with one asymmetric scale per token.
        weight: int8 [out, in].
        scale: float32 [out].
        zero_point: int64 [out], zeros.
        bias: float32 [out] or None.
    """
    operators = torch.ops.quantized_decomposed
    own, zero = operators.choose_qparams_per_token_asymmetric(x, torch.int8)
    rounded = operators.quantize_per_token(x, own, zero, *_ACTIVATION_RANGE, torch.int8)
    x = operators.dequantize_per_token(rounded, own, zero, *_ACTIVATION_RANGE, torch.int8, torch.float32)
    real = operators.dequantize_per_channel(weight, scale, zero_point, 0, -LARGEST, LARGEST, torch.int8)
    return functional.linear(x, real, bias)


@int8_linear.register_fake
def _(x: Tensor, weight: Tensor, scale: Tensor, zero_point: Tensor, bias: Tensor | None) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[0])


class ExpandInt8Linear(PassBase):
    """Replaces every ``linnet::int8_linear`` of an edge graph by the operators that XNNPACK recognizes."""

    def call(self, graph_module: GraphModule) -> PassResult:
        """Change ``graph_module`` in place."""
        graph = graph_module.graph
        rounded: dict[Node, Node] = {}
        found = [node for node in graph.nodes if node.target is exir_ops.edge.linnet.int8_linear.default]
        for node in found:
            x, weight, scale, zero_point, *rest = node.args
            bias = rest[0] if rest else None
            # behind x, so that every later layer that reads x can share it
            if x not in rounded:
                rounded[x] = _round_activations(graph, x)
            with graph.inserting_before(node):
                real = _call(
                    graph,
                    exir_ops.edge.quantized_decomposed.dequantize_per_channel.default,
                    (weight, scale, zero_point, 0, -LARGEST, LARGEST, torch.int8),
                )
                linear = exir_ops.edge.aten.linear.default
                arguments = (rounded[x], real) if bias is None else (rounded[x], real, bias)
                replacement = graph.call_function(linear, arguments)
                replacement.meta = dict(node.meta)
            node.replace_all_uses_with(replacement)
            graph.erase_node(node)
        graph_module.recompile()
        return PassResult(graph_module, bool(found))


def _round_activations(graph: Graph, x: Node) -> Node:
    operators = exir_ops.edge.quantized_decomposed
    with graph.inserting_after(x):
        chosen = _call(graph, operators.choose_qparams_per_token_asymmetric.default, (x, torch.int8))
    with graph.inserting_after(chosen):
        scale = _item(graph, chosen, 0)
    with graph.inserting_after(scale):
        zero = _item(graph, chosen, 1)
    arguments = (scale, zero, *_ACTIVATION_RANGE, torch.int8)
    with graph.inserting_after(zero):
        rounded = _call(graph, operators.quantize_per_token.default, (x, *arguments))
    with graph.inserting_after(rounded):
        return _call(graph, operators.dequantize_per_token.default, (rounded, *arguments, torch.float32))


def _call(graph: Graph, target: Any, arguments: tuple[Any, ...]) -> Node:
    node = graph.call_function(target, arguments)
    values = torch.fx.map_arg(arguments, lambda each: each.meta["val"])
    with _fake_mode(values):
        node.meta["val"] = target(*values)
    return node


def _item(graph: Graph, chosen: Node, index: int) -> Node:
    node = graph.call_function(operator.getitem, (chosen, index))
    node.meta["val"] = chosen.meta["val"][index]
    return node


def _fake_mode(values: tuple[Any, ...]) -> Any:
    return next(value.fake_mode for value in values if isinstance(value, FakeTensor))
