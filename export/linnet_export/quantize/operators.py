"""Operators of quantized layers, and the pass that expands them into the patterns of XNNPACK.

XNNPACK's partitioner recognizes a dynamically quantized linear layer by seven operators around
``aten.linear``. Lowering walks over every operator dozens of times, so until the last moment the seven are
one. Layers that read the same activations then share one quantization of them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, GraphModule, Node
from torch.fx.passes.infra.pass_base import PassBase, PassResult
from torch.nn import functional

# with it come the operators of torch.ops.quantized_decomposed
from linnet_export.lower.executorch_compat import FakeTensor, exir_ops

__all__ = [
    "INT4",
    "INT8",
    "ExpandQuantized",
    "fp16_linear",
    "int4_embedding",
    "int4_linear",
    "int8_linear",
    "int8_static_linear",
    "round_activations",
]

INT8 = (-127, 127)
"""Range of an int8 weight: symmetric, so -128 is not used."""

INT4 = (-8, 7)
"""Range of an int4 weight, all sixteen values, as XNNPACK's qb4w kernels and torchao's 8da4w have it."""

_ACTIVATION = (-128, 127)


def round_activations(x: Tensor) -> Tensor:
    """Return float32 [tokens, width] as int8 with one asymmetric scale per token would give it back."""
    operators = torch.ops.quantized_decomposed
    scale, zero = operators.choose_qparams_per_token_asymmetric(x, torch.int8)
    rounded = operators.quantize_per_token(x, scale, zero, *_ACTIVATION, torch.int8)
    result: Tensor = operators.dequantize_per_token(rounded, scale, zero, *_ACTIVATION, torch.int8, torch.float32)
    return result


def _real(weight: Tensor, scale: Tensor) -> Tensor:
    # what dequantize_per_channel gives, which goes through int64 because of the zero points
    return weight.to(torch.float32) * scale.unsqueeze(1)


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
    return functional.linear(round_activations(x), _real(weight, scale), bias)


@int8_linear.register_fake
def _(x: Tensor, weight: Tensor, scale: Tensor, zero_point: Tensor, bias: Tensor | None) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[0])


@torch.library.custom_op("linnet::int4_linear", mutates_args=())
def int4_linear(x: Tensor, weight: Tensor, scale: Tensor, zero_point: Tensor, bias: Tensor | None) -> Tensor:
    """Return float32 [tokens, out]: a linear layer of int4 weights in groups, activations rounded to int8.

    Args:
        x: float32 [tokens, in], rounded with one asymmetric scale per token.
        weight: int8 [out, in], values of :data:`INT4`; the program holds two in a byte.
        scale: float32 [out, groups], one for in / groups neighbours; values that bfloat16 has.
        zero_point: int32 [out, groups], zeros.
        bias: float32 [out] or None.
    """
    groups = weight.to(torch.float32).unflatten(1, (scale.shape[1], -1)) * scale.unsqueeze(-1)
    return functional.linear(round_activations(x), groups.flatten(1), bias)


@int4_linear.register_fake
def _(x: Tensor, weight: Tensor, scale: Tensor, zero_point: Tensor, bias: Tensor | None) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[0])


@torch.library.custom_op("linnet::int8_static_linear", mutates_args=())
def int8_static_linear(
    x: Tensor,
    weight: Tensor,
    scale: Tensor,
    zero_point: Tensor,
    bias: Tensor | None,
    in_scale: float,
    in_zero: int,
    out_scale: float,
    out_zero: int,
) -> Tensor:
    """Return float32 [tokens, out]: a linear layer of int8 weights, inputs and outputs rounded to int8.

    Args:
        x: float32 [tokens, in].
        weight: int8 [out, in].
        scale: float32 [out].
        zero_point: int64 [out], zeros.
        bias: float32 [out] or None; the device rounds it to an int32 multiple of in_scale * scale.
        in_scale, in_zero: of the inputs.
        out_scale, out_zero: of the outputs.
    """
    operators = torch.ops.quantized_decomposed
    rounded = operators.quantize_per_tensor(x, in_scale, in_zero, *_ACTIVATION, torch.int8)
    x = operators.dequantize_per_tensor(rounded, in_scale, in_zero, *_ACTIVATION, torch.int8)
    y = functional.linear(x, _real(weight, scale), bias)
    rounded = operators.quantize_per_tensor(y, out_scale, out_zero, *_ACTIVATION, torch.int8)
    result: Tensor = operators.dequantize_per_tensor(rounded, out_scale, out_zero, *_ACTIVATION, torch.int8)
    return result


@int8_static_linear.register_fake
def _(
    x: Tensor,
    weight: Tensor,
    scale: Tensor,
    zero_point: Tensor,
    bias: Tensor | None,
    in_scale: float,
    in_zero: int,
    out_scale: float,
    out_zero: int,
) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[0])


@torch.library.custom_op("linnet::fp16_linear", mutates_args=())
def fp16_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return float32 [tokens, out]: a linear layer of float16 weights [out, in], float32 otherwise."""
    return functional.linear(x, weight.to(torch.float32), bias)


@fp16_linear.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[0])


@torch.library.custom_op("linnet::int4_embedding", mutates_args=())
def int4_embedding(weight: Tensor, scale: Tensor, ids: Tensor) -> Tensor:
    """Return float32 [..., width], rows of an int4 table.

    ExecuTorch's own ``embedding_4bit`` unpacks the whole table at every call before lowering and multiplies
    in float16; its kernel on the device looks up rows and multiplies in float32, as this does.

    Args:
        weight: uint8 [rows, width / 2], value + 8 of two neighbours, the first in the upper half.
        scale: float16 [rows, groups].
        ids: int64 [...].
    """
    rows = weight[ids]
    values = torch.stack((rows >> 4, rows & 15), -1).flatten(-2).to(torch.float32) + INT4[0]
    groups = values.unflatten(-1, (scale.shape[1], -1)) * scale[ids].to(torch.float32).unsqueeze(-1)
    return groups.flatten(-2)


@int4_embedding.register_fake
def _(weight: Tensor, scale: Tensor, ids: Tensor) -> Tensor:
    return scale.new_empty(*ids.shape, 2 * weight.shape[1], dtype=torch.float32)


class ExpandQuantized(PassBase):
    """Replaces every quantized layer of an edge graph by operators that XNNPACK or a kernel library has."""

    def call(self, graph_module: GraphModule) -> PassResult:
        """Change ``graph_module`` in place."""
        graph = graph_module.graph
        changed = self._expand_linears(graph)
        changed |= self._expand_static_linears(graph)
        changed |= self._expand_fp16_linears(graph)
        changed |= self._expand_embeddings(graph)
        graph_module.recompile()
        return PassResult(graph_module, changed)

    def _expand_embeddings(self, graph: Graph) -> bool:
        nodes = [node for node in graph.nodes if node.target is exir_ops.edge.linnet.int4_embedding.default]
        for node in nodes:
            weight, scale, ids = node.args
            target = exir_ops.edge.quantized_decomposed.embedding_4bit.dtype
            with graph.inserting_before(node):
                arguments = (weight, scale, None, *INT4, ids)
                replacement = graph.call_function(target, arguments, {"dtype": torch.float32})
            _put_instead(graph, node, replacement)
        return bool(nodes)

    def _expand_static_linears(self, graph: Graph) -> bool:
        nodes = [node for node in graph.nodes if node.target is exir_ops.edge.linnet.int8_static_linear.default]
        rounded: dict[tuple[Any, ...], Node] = {}
        for node in nodes:
            x, weight, scale, zero_point, bias, in_scale, in_zero, out_scale, out_zero = node.args
            key = (x, in_scale, in_zero)
            if key not in rounded:
                with graph.inserting_after(x):
                    rounded[key] = _round_per_tensor(graph, x, in_scale, in_zero)
            with graph.inserting_before(node):
                real = _dequantize_int8(graph, weight, scale, zero_point)
                arguments = (rounded[key], real) if bias is None else (rounded[key], real, bias)
                linear = graph.call_function(exir_ops.edge.aten.linear.default, arguments)
                linear.meta = dict(node.meta)
            with graph.inserting_after(linear):
                replacement = _round_per_tensor(graph, linear, out_scale, out_zero)
            node.replace_all_uses_with(replacement)
            graph.erase_node(node)
        return bool(nodes)

    def _expand_fp16_linears(self, graph: Graph) -> bool:
        nodes = [node for node in graph.nodes if node.target is exir_ops.edge.linnet.fp16_linear.default]
        for node in nodes:
            arguments = tuple(arg for arg in node.args if arg is not None)
            with graph.inserting_before(node):
                replacement = graph.call_function(exir_ops.edge.aten.linear.default, arguments)
            _put_instead(graph, node, replacement)
        return bool(nodes)

    def _expand_linears(self, graph: Graph) -> bool:
        dequantize = _dequantizers()
        rounded: dict[Node, Node] = {}
        nodes = [node for node in graph.nodes if node.target in dequantize]
        for node in nodes:
            x, weight, scale, zero_point, *rest = node.args
            bias = rest[0] if rest else None
            # behind x, so that every later layer that reads x can share it
            if x not in rounded:
                rounded[x] = _round_activations(graph, x)
            with graph.inserting_before(node):
                real = dequantize[node.target](graph, weight, scale, zero_point)
                arguments = (rounded[x], real) if bias is None else (rounded[x], real, bias)
                replacement = graph.call_function(exir_ops.edge.aten.linear.default, arguments)
            _put_instead(graph, node, replacement)
        return bool(nodes)


def _put_instead(graph: Graph, node: Node, replacement: Node) -> None:
    replacement.meta = dict(node.meta)
    node.replace_all_uses_with(replacement)
    graph.erase_node(node)


Dequantize = Callable[[Graph, Node, Node, Node], Node]


def _dequantizers() -> dict[Any, Dequantize]:
    """By operator, what writes the weight's dequantization."""
    ours = exir_ops.edge.linnet
    return {ours.int8_linear.default: _dequantize_int8, ours.int4_linear.default: _dequantize_int4}


def _dequantize_int8(graph: Graph, weight: Node, scale: Node, zero_point: Node) -> Node:
    target = exir_ops.edge.quantized_decomposed.dequantize_per_channel.default
    return _call(graph, target, (weight, scale, zero_point, 0, *INT8, torch.int8))


def _dequantize_int4(graph: Graph, weight: Node, scale: Node, zero_point: Node) -> Node:
    target = exir_ops.edge.quantized_decomposed.dequantize_per_channel_group.default
    width = weight.meta["val"].shape[1] // scale.meta["val"].shape[1]
    return _call(graph, target, (weight, scale, zero_point, *INT4, torch.int8, width, torch.float32))


def _round_per_tensor(graph: Graph, x: Node, scale: float, zero: int) -> Node:
    """Write the rounding of ``x`` behind it; the insertion point has to be there already."""
    operators = exir_ops.edge.quantized_decomposed
    arguments = (scale, zero, *_ACTIVATION, torch.int8)
    rounded = _call(graph, operators.quantize_per_tensor.default, (x, *arguments))
    with graph.inserting_after(rounded):
        return _call(graph, operators.dequantize_per_tensor.default, (rounded, *arguments))


def _round_activations(graph: Graph, x: Node) -> Node:
    operators = exir_ops.edge.quantized_decomposed
    with graph.inserting_after(x):
        chosen = _call(graph, operators.choose_qparams_per_token_asymmetric.default, (x, torch.int8))
    with graph.inserting_after(chosen):
        scale = _item(graph, chosen, 0)
    with graph.inserting_after(scale):
        zero = _item(graph, chosen, 1)
    arguments = (scale, zero, *_ACTIVATION, torch.int8)
    with graph.inserting_after(zero):
        rounded = _call(graph, operators.quantize_per_token.default, (x, *arguments))
    with graph.inserting_after(rounded):
        return _call(graph, operators.dequantize_per_token.default, (rounded, *arguments, torch.float32))


def _call(graph: Graph, target: Any, arguments: tuple[Any, ...]) -> Node:
    node = graph.call_function(target, arguments)
    values = torch.fx.map_arg(arguments, lambda node: node.meta["val"])
    with _fake_mode(values):
        node.meta["val"] = target(*values)
    return node


def _item(graph: Graph, chosen: Node, index: int) -> Node:
    node = graph.call_function(operator.getitem, (chosen, index))
    node.meta["val"] = chosen.meta["val"][index]
    return node


def _fake_mode(values: tuple[Any, ...]) -> Any:
    return next(value.fake_mode for value in values if isinstance(value, FakeTensor))
