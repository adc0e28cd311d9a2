"""XNNPACK's part of lowering, made to cut a program into as few pieces as possible, and sooner.

ExecuTorch's own partitioner merges pieces greedily and splits where layers share a quantized input; its
backend runs seventeen passes over every piece, most of them for convolutions. Neither changes what an
encoder computes, and both cost most of the time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from executorch.backends.xnnpack import xnnpack_preprocess
from executorch.backends.xnnpack._passes import XNNPACKPassManager, XNNPACKRemoveCloneOpsTransform
from executorch.backends.xnnpack._passes.fuse_activation_pass import FuseActivationPass
from executorch.backends.xnnpack.partition.config import ALL_PARTITIONER_CONFIGS
from executorch.backends.xnnpack.partition.config.gemm_configs import LinearConfig
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir.backend.partitioner import PartitionResult
from executorch.exir.backend.utils import tag_constant_data
from executorch.exir.passes.memory_format_ops_pass import DimOrderOpsRevertPass
from torch._ops import OpOverload
from torch.export import ExportedProgram
from torch.fx import Graph, Node
from torch.fx.passes.infra.partitioner import Partition

from linnet_export.lower.outline import base_name, refusals

__all__ = ["WholePartitioner", "necessary_passes"]


class _WideLinearConfig(LinearConfig):
    """A linear layer may have float16 weights beside float32 activations.

    XNNPACK has such a kernel (fully_connected_nc_f32_f16) on every CPU; the rule that refuses mixed types
    was made for operators in general.
    """

    def _check_inputs_are_valid_dtypes(self, node: Node, valid_dtypes: Any) -> bool:
        types = [each.meta["val"].dtype for each in node.all_input_nodes]
        if types[:2] == [torch.float32, torch.float16] and set(types[2:]) <= {torch.float32}:
            return True
        valid: bool = super()._check_inputs_are_valid_dtypes(node, valid_dtypes)
        return valid


class WholePartitioner(XnnpackPartitioner):
    """XNNPACK's rules of what it can take, with partitions as large as the graph allows.

    Every operator gets a level: the number of changes between operators inside and outside of XNNPACK on
    the longest way to it. Operators inside with the same level become one partition. Between two of them no
    way leads through an operator outside, because that would raise the level: so no cycle can arise.

    Attributes:
        refused: why an operator that XNNPACK has is not taken, by its name.
    """

    def __init__(self) -> None:
        wide = {LinearConfig: _WideLinearConfig}
        super().__init__(configs=[wide.get(each, each) for each in ALL_PARTITIONER_CONFIGS])
        self.refused: dict[str, str] = {}

    def taken(self) -> frozenset[str]:
        """Return the names of the operators that XNNPACK has."""
        return frozenset(map(base_name, self.target_partitioner_configs))

    def whole_operators(self) -> list[OpOverload]:
        """Return the ATen operators that XNNPACK takes whole, which must not be decomposed before."""
        found = (config.get_original_aten() for config in self.target_partitioner_configs.values())
        return [operator for operator in found if operator is not None]

    def partition(self, exported_program: ExportedProgram) -> PartitionResult:
        """Tag the operators of every partition, and with them the weights that they read."""
        # past XnnpackPartitioner.partition, which only warns of to_edge() and to_backend()
        result = super(XnnpackPartitioner, self).partition(exported_program)
        tag_constant_data(exported_program)
        return result

    def generate_partitions(self, ep: ExportedProgram) -> list[Partition]:
        """Return the partitions of an edge program."""
        with refusals() as told:
            groups = self.get_matched_nodes_from_configs(ep)
        self.refused |= told
        inside = {node for group in groups for node in group}
        levels = _levels(ep.graph_module.graph, inside)
        members: dict[int, list[Node]] = {}
        for node in ep.graph_module.graph.nodes:
            if node in inside and node.op == "call_function":
                members.setdefault(levels[node], []).append(node)
        return [Partition(id=number, nodes=nodes) for number, nodes in enumerate(members.values())]


def _levels(graph: Graph, inside: set[Node]) -> dict[Node, int]:
    levels: dict[Node, int] = {}
    of_constants: list[Node] = []
    for node in graph.nodes:
        sources = [each for each in node.all_input_nodes if each.op == "call_function"]
        changes = [levels[each] + ((each in inside) != (node in inside)) for each in sources]
        levels[node] = max(changes, default=0)
        if not sources and node in inside:
            of_constants.append(node)
    # what depends on weights only (their dequantization) goes where it is used
    for node in reversed(of_constants):
        used = [levels[user] for user in node.users if user in inside]
        levels[node] = min(used, default=levels[node])
    return levels


_PLAIN = frozenset(
    {
        "_softmax.default",
        "add.Tensor",
        "bmm.default",
        "cat.default",
        "choose_qparams_per_token_asymmetric.default",
        "clamp.default",
        "dequantize_per_channel.default",
        "dequantize_per_channel_group.default",
        "dequantize_per_tensor.default",
        "dequantize_per_token.default",
        "div.Tensor",
        "gelu.default",
        "getitem",
        "linear.default",
        "mul.Tensor",
        "permute_copy.default",
        "quantize_per_tensor.default",
        "quantize_per_token.default",
        "relu.default",
        "rsqrt.default",
        "sigmoid.default",
        "sqrt.default",
        "sub.Tensor",
        "tanh.default",
        "view_copy.default",
    }
)
"""Operators that the skipped passes leave as they are (a test compares the programs)."""


class _NecessaryPasses(XNNPACKPassManager):
    """The passes of XNNPACK's backend that can change the graph at hand; all of them if in doubt."""

    def __init__(self, exported_program: ExportedProgram, passes: Any = None) -> None:
        super().__init__(exported_program, passes)
        if passes:
            return
        names = {_short_name(node) for node in exported_program.graph.nodes if node.op == "call_function"}
        clones = {name for name in names if "clone" in name}
        if names - clones <= _PLAIN:
            self.passes = [XNNPACKRemoveCloneOpsTransform]
            if clones:
                self.passes.append(DimOrderOpsRevertPass)
            if "relu.default" in names:
                self.passes.append(FuseActivationPass)


def _short_name(node: Node) -> str:
    name: str = getattr(node.target, "__name__", "")
    return ".".join(name.split(".")[-2:])


@contextlib.contextmanager
def necessary_passes() -> Iterator[None]:
    """Leave out XNNPACK passes that cannot change the graph, inside of the block."""
    original = xnnpack_preprocess.XNNPACKPassManager
    xnnpack_preprocess.XNNPACKPassManager = _NecessaryPasses
    try:
        yield
    finally:
        xnnpack_preprocess.XNNPACKPassManager = original
