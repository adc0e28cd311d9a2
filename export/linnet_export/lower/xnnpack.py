"""XNNPACK partitioner that merges partitions as far as the graph allows.

ExecuTorch's own partitioner merges pieces greedily and splits where layers share a quantized input, which changes
nothing that an encoder computes and takes most of the time.
"""

from __future__ import annotations

from torch.export import ExportedProgram
from torch.fx import Graph, Node
from torch.fx.passes.infra.partitioner import Partition

from linnet_export.lower.executorch_compat import OpOverload, QuietXnnpackPartitioner, partition_refusals
from linnet_export.lower.partition_report import base_name

__all__ = ["MergingXnnpackPartitioner"]


class MergingXnnpackPartitioner(QuietXnnpackPartitioner):
    """XNNPACK's rules of what it can take, with partitions as large as the graph allows.

    Every operator gets a level: the number of changes between operators inside and outside of XNNPACK on
    the longest way to it. Operators inside with the same level become one partition. Between two of them no
    way leads through an operator outside, because that would raise the level: so no cycle can arise.

    Attributes:
        refused: why an operator that XNNPACK has is not taken, by its name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused: dict[str, str] = {}

    def taken(self) -> frozenset[str]:
        """Return the names of the operators that XNNPACK has."""
        return frozenset(map(base_name, self.target_partitioner_configs))

    def whole_operators(self) -> list[OpOverload]:
        """Return the ATen operators that XNNPACK takes whole, which must not be decomposed before."""
        operators = (config.get_original_aten() for config in self.target_partitioner_configs.values())
        return [operator for operator in operators if operator is not None]

    def generate_partitions(self, ep: ExportedProgram) -> list[Partition]:
        """Return the partitions of an edge program."""
        with partition_refusals() as reasons:
            groups = self.get_matched_nodes_from_configs(ep)
        # two overloads of an operator share a name here: the first reason stands
        self.refused |= {base_name(name): reason for name, reason in reversed(reasons.items())}
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
        sources = [source for source in node.all_input_nodes if source.op == "call_function"]
        changes = [levels[source] + ((source in inside) != (node in inside)) for source in sources]
        levels[node] = max(changes, default=0)
        if not sources and node in inside:
            of_constants.append(node)
    # what depends on weights only (their dequantization) goes where it is used
    for node in reversed(of_constants):
        used = [levels[user] for user in node.users if user in inside]
        levels[node] = min(used, default=levels[node])
    return levels
