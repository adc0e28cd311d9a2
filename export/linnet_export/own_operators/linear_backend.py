"""Linear layers of int8 weights, run by a delegate of linnet's own instead of XNNPACK.

XNNPACK's int8 kernels for AVX-512 VNNI reach about three quarters of what the processor can multiply; those of
`runtime_bindings/core/kernels/linear_avx512.cpp` nearly all of it. The delegate reads weights, scales and biases from
the program's named data, under the names that XNNPACK's delegate gives them: a file holds them once for both.
"""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from typing import Any, final

from executorch.backends.xnnpack.utils.utils import get_param_tensor
from executorch.exir._serialize._named_data_store import NamedDataStore
from executorch.exir.backend.backend_details import BackendDetails, CompileSpec, PreprocessResult
from executorch.exir.backend.partitioner import DelegationSpec, Partitioner, PartitionResult
from executorch.exir.backend.utils import tag_constant_data
from executorch.exir.dialects._ops import ops as exir_ops
from torch import Tensor
from torch.export import ExportedProgram
from torch.fx import Graph, Node

__all__ = ["LinearPartitioner", "LinnetBackend"]

_VERSION = 1
_ALIGNMENT = 16
"""Bytes; `CONSTANT_TENSOR_ALIGNMENT` of XNNPACK's delegate."""

_NONE, _GELU, _RELU = range(3)
"""Activations, as in runtime_bindings/core/kernels/linear.h."""


@dataclasses.dataclass(frozen=True)
class _Layer:
    """A linear layer and the activation that its output goes through and nobody else reads before."""

    linear: Node
    activation: Node | None

    @property
    def weight(self) -> Node:
        node: Any = self.linear.args[1]
        return node

    @property
    def output(self) -> Node:
        return self.linear if self.activation is None else self.activation

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (self.linear,) if self.activation is None else (self.linear, self.activation)

    @property
    def key(self) -> tuple[Node, int]:
        """Layers with the same key are one call: they share the rounding of what they read."""
        x: Any = self.linear.args[0]
        return x, _activation_code(self.activation)


class LinearPartitioner(Partitioner):
    """Takes the int8 layers whose results only linnet's own operators read.

    Any other layer would cut one of XNNPACK's partitions in two, which costs more than its products gain.
    """

    def partition(self, exported_program: ExportedProgram) -> PartitionResult:
        """Tag the layers, those that read the same tokens with one tag."""
        tags: dict[tuple[Node, int], str] = {}
        for layer in _own_layers(exported_program.graph):
            tag = tags.setdefault(layer.key, f"linnet_linear_{len(tags)}")
            for node in layer.nodes:
                node.meta["delegation_tag"] = tag
        tag_constant_data(exported_program)
        spec = DelegationSpec(LinnetBackend.__name__, [])
        return PartitionResult(exported_program, {tag: spec for tag in tags.values()})


@final
class LinnetBackend(BackendDetails):
    """What ExecuTorch calls to make a delegate's bytes; its name stands in the program."""

    @staticmethod
    def preprocess(edge_program: ExportedProgram, compile_specs: list[CompileSpec]) -> PreprocessResult:
        """Return the description of the layers of one call, and their data.

        The description is little-endian: uint32 version, inputs, activation (0 none, 1 GELU, 2 ReLU) and number of
        layers; for each layer uint32 outputs and three names, of the int8 weight [outputs, inputs], the float32 scale
        [outputs] and the float32 bias [outputs]. A name is its uint32 length and its ASCII bytes; without a bias it
        is empty.
        """
        (output,) = (node for node in edge_program.graph.nodes if node.op == "output")
        layers = [_layer_of(node) for node in output.args[0]]
        store = NamedDataStore()
        described = [_described(layer, edge_program, store) for layer in layers]
        inputs = layers[0].weight.meta["val"].shape[1]
        head = struct.pack("<4I", _VERSION, inputs, _activation_code(layers[0].activation), len(layers))
        return PreprocessResult(
            processed_bytes=head + b"".join(described), data_store_output=store.get_named_data_store_output()
        )


def _own_layers(graph: Graph) -> list[_Layer]:
    layers = [_layer_from(node) for node in graph.nodes if _is_linear(node)]
    while True:
        read = {layer.linear for layer in layers}
        kept = [layer for layer in layers if all(_is_own(user) or user in read for user in layer.output.users)]
        if len(kept) == len(layers):
            return kept
        layers = kept


def _is_linear(node: Node) -> bool:
    return bool(node.target is exir_ops.edge.linnet.int8_linear.default)


def _is_own(node: Node) -> bool:
    ours = exir_ops.edge.linnet
    return node.target in (ours.int8_attention.default, ours.add_layer_norm.default)


def _layer_from(linear: Node) -> _Layer:
    users = list(linear.users)
    followed = len(users) == 1 and _activation_code(users[0]) != _NONE
    return _Layer(linear, users[0] if followed else None)


def _layer_of(output: Node) -> _Layer:
    if _is_linear(output):
        return _Layer(output, None)
    linear: Any = output.args[0]
    return _Layer(linear, output)


def _activation_code(node: Node | None) -> int:
    if node is None:
        return _NONE
    if node.target is exir_ops.edge.aten.relu.default:
        return _RELU
    exact = node.kwargs.get("approximate", "none") == "none" and len(node.args) == 1
    return _GELU if node.target is exir_ops.edge.aten.gelu.default and exact else _NONE


def _described(layer: _Layer, program: ExportedProgram, store: NamedDataStore) -> bytes:
    _, weight, scale, _, *rest = layer.linear.args
    bias = rest[0] if rest else None
    names = [_stored(store, "", _tensor(program, weight)), _stored(store, "scale_", _tensor(program, scale))]
    names.append("" if bias is None else _stored(store, "", _tensor(program, bias)))
    described = struct.pack("<I", layer.weight.meta["val"].shape[0])
    return described + b"".join(struct.pack("<I", len(name)) + name.encode("ascii") for name in names)


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
