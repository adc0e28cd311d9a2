"""Delegate of linnet for linear layers with int8 or int4 weights: partitioner and preprocessing.

XNNPACK's int8 kernels for AVX-512 VNNI reach three quarters of the rate of other libraries' on these shapes
(`python -m benchmarks.peers --only roofline`). Those of `runtime_bindings/runtime/kernels/processors` do better,
and round only once what several layers read. The delegate reads weights, scales and biases from the program's named
data, under the names that XNNPACK's delegate gives them: a file holds them once for both.
"""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from typing import Any, TypeAlias, final

import torch
from executorch.exir.backend.backend_details import BackendDetails, CompileSpec, PreprocessResult
from executorch.exir.backend.partitioner import DelegationSpec, Partitioner, PartitionResult
from executorch.exir.backend.utils import tag_constant_data
from torch import Tensor
from torch.export import ExportedProgram
from torch.fx import Graph, Node

from linnet_export.lower.custom_ops.library import NAMES
from linnet_export.lower.executorch_compat import NamedDataStore, exir_ops, get_param_tensor, schema_name

__all__ = ["LinearPartitioner", "LinnetBackend"]

_INT8_VERSION = 1
_INT4_VERSION = 2
_ALIGNMENT = 16
"""Bytes; `CONSTANT_TENSOR_ALIGNMENT` of XNNPACK's delegate."""

_NONE, _GELU, _RELU, _RESIDUAL, _GELU_TANH, _SILU = range(6)
"""What follows a layer: `Tail` in runtime_bindings/runtime/kernels/linear.h."""


_WORDS = {
    exir_ops.edge.aten.add.Tensor: "add",
    exir_ops.edge.aten.mul.Tensor: "mul",
    exir_ops.edge.aten.sigmoid.default: "sigmoid",
    exir_ops.edge.aten.tanh.default: "tanh",
}

_ACTIVATIONS = {
    "mul(mul(x, 0.5), add(tanh(mul(add(x, mul(mul(mul(x, x), x), 0.044715)), 0.797885)), 1))": _GELU_TANH,
    "mul(x, sigmoid(x))": _SILU,
}
"""Tails by how the operators of an activation are written."""


_Key: TypeAlias = tuple[Node, int, Node | None, int]


@dataclasses.dataclass(frozen=True)
class _Layer:
    """A linear layer and what follows it, of which nobody else reads an intermediate result.

    Attributes:
        linear: `int8_linear` or `int4_linear`.
        tail: one of the six.
        rest: operators of the tail, the last one gives the result.
        residual: what is added, times a constant for each output; None without.
        residual_scale: that constant.
    """

    linear: Node
    tail: int = _NONE
    rest: tuple[Node, ...] = ()
    residual: Node | None = None
    residual_scale: Node | None = None

    @property
    def tokens(self) -> Node:
        node: Any = self.linear.args[0]
        return node

    @property
    def weight(self) -> Node:
        node: Any = self.linear.args[1]
        return node

    @property
    def scale(self) -> Node:
        node: Any = self.linear.args[2]
        return node

    @property
    def shared(self) -> int:
        """Inputs of an int4 layer that share a scale; 0 for an int8 layer."""
        if self.linear.target is not exir_ops.edge.linnet.int4_linear.default:
            return 0
        return int(self.weight.meta["val"].shape[1] // self.scale.meta["val"].shape[1])

    @property
    def output(self) -> Node:
        return self.rest[-1] if self.rest else self.linear

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (self.linear, *self.rest)

    @property
    def key(self) -> _Key:
        """Layers with the same key are one call: they share the rounding of what they read."""
        return self.tokens, self.tail, self.residual, self.shared


class LinearPartitioner(Partitioner):
    """Partitioner of the int8 and int4 layers whose results custom operators read, or that come after the last of them.

    The lookup of rows is no custom operator, but XNNPACK does not take it either. Any other layer would cut one of
    XNNPACK's partitions in two, which costs more than its products gain.
    """

    def partition(self, exported_program: ExportedProgram) -> PartitionResult:
        """Tag the layers, those that read the same tokens with one tag."""
        tags: dict[_Key, str] = {}
        for layer in _layers_for_linnet(exported_program):
            tag = tags.setdefault(layer.key, f"linnet_linear_{len(tags)}")
            for node in layer.nodes:
                node.meta["delegation_tag"] = tag
        tag_constant_data(exported_program)
        spec = DelegationSpec(LinnetBackend.__name__, [])
        return PartitionResult(exported_program, {tag: spec for tag in tags.values()})


@final
class LinnetBackend(BackendDetails):
    """Preprocessing of a call: ExecuTorch writes the name of this class into the program."""

    @staticmethod
    def preprocess(edge_program: ExportedProgram, compile_specs: list[CompileSpec]) -> PreprocessResult:
        """Return the description of the layers of one call, and their data.

        The description is little-endian: uint32 version, inputs, tail (0 none, 1 GELU, 2 ReLU, 3 residual, 4 GELU by
        tanh, 5 SiLU), which of the call's arguments are the tokens and the residual (the same without one), and
        number of layers; for each layer uint32 outputs and four names, of the int8 weight [outputs, inputs] and of
        the float32 scale, bias and scale of the residual, each [outputs]. A name is its uint32 length and its ASCII
        bytes; without a bias or a residual it is empty. Layers with int4 weights have version 2, where one more uint32
        follows the number of layers, the inputs that share a scale; weights are int4 plus 8, two in a byte [outputs,
        inputs / 2], the first in its lower half, and scales bfloat16 [outputs, inputs / shared].
        """
        (output,) = (node for node in edge_program.graph.nodes if node.op == "output")
        by_output = {layer.output: layer for layer in _layers(edge_program)}
        layers = [by_output[node] for node in output.args[0]]
        arguments = list(edge_program.graph_signature.user_inputs)
        first = layers[0]
        tokens = arguments.index(first.tokens.name)
        residual = tokens if first.residual is None else arguments.index(first.residual.name)
        inputs = first.weight.meta["val"].shape[1]
        version = _INT4_VERSION if first.shared else _INT8_VERSION
        head = struct.pack("<6I", version, inputs, first.tail, tokens, residual, len(layers))
        if first.shared:
            head += struct.pack("<I", first.shared)
        store = NamedDataStore()
        described = [_described(layer, edge_program, store) for layer in layers]
        return PreprocessResult(
            processed_bytes=head + b"".join(described), data_store_output=store.get_named_data_store_output()
        )


def _layers_for_linnet(program: ExportedProgram) -> list[_Layer]:
    layers = _layers(program)
    leading = _leading(program.graph)
    while True:
        inside = {node for layer in layers for node in layer.nodes}
        kept = [
            layer
            for layer in layers
            if all(_cuts_anyway(user) or user in inside or user not in leading for user in layer.output.users)
        ]
        if len(kept) == len(layers):
            return kept
        layers = kept


def _leading(graph: Graph) -> set[Node]:
    """Return the operators behind which an int8 or int4 layer or an operator of linnet's comes."""
    leading: set[Node] = set()
    for node in reversed(graph.nodes):
        if any(_is_linear(user) or _is_custom(user) or user in leading for user in node.users):
            leading.add(node)
    return leading


def _is_linear(node: Node) -> bool:
    ours = exir_ops.edge.linnet
    return node.target in (ours.int8_linear.default, ours.int4_linear.default)


def _is_custom(node: Node) -> bool:
    # a lookup stands before every layer, and reads nothing that one computed
    name = schema_name(node.target).removeprefix("linnet::")
    return name in NAMES and name != "embedding_byte"


def _cuts_anyway(node: Node) -> bool:
    """Return whether XNNPACK cannot take an operator, so that its partitions end there in any case.

    A decoder looks up the rows of its last hidden states whose logits are wanted.
    """
    return _is_custom(node) or node.target is exir_ops.edge.aten.embedding.default


def _layers(program: ExportedProgram) -> list[_Layer]:
    return [_with_tail(node, program) for node in program.graph.nodes if _is_linear(node)]


def _with_tail(linear: Node, program: ExportedProgram) -> _Layer:
    users = list(linear.users)
    if len(users) != 1:
        return _with_activation(linear, program)
    follower = users[0]
    if follower.target is exir_ops.edge.aten.relu.default:
        return _Layer(linear, _RELU, (follower,))
    if follower.target is exir_ops.edge.aten.gelu.default and follower.kwargs.get("approximate", "none") == "none":
        return _Layer(linear, _GELU, (follower,))
    if follower.target is exir_ops.edge.aten.add.Tensor and follower.kwargs.get("alpha", 1) == 1:
        return _with_residual(linear, follower)
    return _Layer(linear)


def _with_residual(linear: Node, add: Node) -> _Layer:
    """Take `linear + residual * scale`, as :class:`linnet_export.graph.architectures.mobilebert` writes it."""
    others = [node for node in add.all_input_nodes if node is not linear]
    if len(others) != 1 or others[0].target is not exir_ops.edge.aten.mul.Tensor or len(others[0].users) != 1:
        return _Layer(linear)
    residual, scale = others[0].args
    constant = isinstance(scale, Node) and scale.op == "placeholder" and scale.meta["val"].dim() == 1
    same = isinstance(residual, Node) and residual.meta["val"].shape == linear.meta["val"].shape
    if not (constant and same):
        return _Layer(linear)
    return _Layer(linear, _RESIDUAL, (others[0], add), residual, scale)  # type: ignore[arg-type]


def _with_activation(linear: Node, program: ExportedProgram) -> _Layer:
    """Take an activation that :mod:`linnet_export.graph.layers` writes as several operators."""
    written = {linear: "x"}
    rest: list[Node] = []
    node = linear.next
    while node.target in _WORDS:
        parts = [written.get(part) or _constant(part, program) for part in node.all_input_nodes]
        if None in parts:
            break
        repeated = parts * 2 if len(node.args) == 2 and len(parts) == 1 else parts
        written[node] = f"{_WORDS[node.target]}({', '.join(map(str, repeated))})"
        rest.append(node)
        inside = all(user in written for part in (linear, *rest[:-1]) for user in part.users)
        if inside:
            tail = _ACTIVATIONS.get(written[node])
            return _Layer(linear) if tail is None else _Layer(linear, tail, tuple(rest))
        node = node.next
    return _Layer(linear)


def _constant(node: Node, program: ExportedProgram) -> str | None:
    number = node.op == "placeholder" and node.meta["val"].dim() == 0
    return f"{_tensor(program, node).item():.6g}" if number else None


def _described(layer: _Layer, program: ExportedProgram, store: NamedDataStore) -> bytes:
    _, weight, scale, _, *rest = layer.linear.args
    bias = rest[0] if rest else None
    weights, scales = _tensor(program, weight), _tensor(program, scale)
    if layer.shared:
        weights, scales = _two_in_a_byte(weights), scales.to(torch.bfloat16).view(torch.int16)
    names = [_stored(store, "", weights), _stored(store, "scale_", scales)]
    for optional in (bias, layer.residual_scale):
        names.append("" if optional is None else _stored(store, "", _tensor(program, optional)))
    described = struct.pack("<I", layer.weight.meta["val"].shape[0])
    return described + b"".join(struct.pack("<I", len(name)) + name.encode("ascii") for name in names)


def _two_in_a_byte(weight: Tensor) -> Tensor:
    """Return uint8 [outputs, inputs / 2] as `NodeVisitor.convert_to_qc4w` of XNNPACK's delegate makes it."""
    nibbles = (weight + 8).to(torch.uint8)
    return nibbles[:, ::2] | nibbles[:, 1::2] << 4


def _tensor(program: ExportedProgram, node: Any) -> Tensor:
    tensor = get_param_tensor(program, node)
    assert isinstance(tensor, Tensor)
    return tensor.contiguous()


def _stored(store: NamedDataStore, prefix: str, tensor: Tensor) -> str:
    """Add a tensor under the name that `backends/xnnpack/operators/node_visitor.py` of ExecuTorch gives it."""
    data = tensor.numpy().tobytes()
    name = prefix + hashlib.sha256(data).hexdigest()
    store.add_named_data(name, data, alignment=_ALIGNMENT)
    return name
