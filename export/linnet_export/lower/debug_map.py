"""Debug map of a program: the layer of the model that each instruction belongs to, for profiles."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, TypeAlias

from executorch.exir import EdgeProgramManager, ExecutorchProgramManager
from executorch.exir.schema import KernelCall
from torch.fx import Node

from linnet.format.evidence import Instruction, LayerRun
from linnet_export.lower.custom_ops.linear_backend import LinnetBackend

__all__ = ["DebugMap", "debug_map"]

DebugMap: TypeAlias = Mapping[str, tuple[Instruction, ...]]
"""The instructions of each method."""

_SILENT = frozenset({"alloc", "getitem"})
"""Nodes that become no instruction."""


def debug_map(edge: EdgeProgramManager, planned: ExecutorchProgramManager) -> DebugMap:
    """Return the map of every method whose instructions match its graph; other methods are left out.

    Args:
        edge: the delegated program, whose nodes know their modules; `to_executorch` has changed it in place.
        planned: the same program as it will be written, which has the instructions.
    """
    by_method = {}
    for plan in planned.executorch_program.execution_plan:
        program = edge.exported_program(plan.name)
        nodes = [node for node in program.graph.nodes if node.op == "call_function" and _name(node) not in _SILENT]
        instructions = [instruction.instr_args for instruction in plan.chains[0].instructions]
        delegated = [not isinstance(call, KernelCall) for call in instructions]
        if delegated != ["call_delegate" in str(node.target) for node in nodes]:
            continue
        by_method[plan.name] = tuple(
            Instruction(operator=plan.operators[call.op_index].name, layer=_layer(node))
            if isinstance(call, KernelCall)
            else Instruction(partition=_partition(getattr(program.graph_module, str(node.args[0]))))
            for call, node in zip(instructions, nodes, strict=True)
        )
    return by_method


def _partition(lowered: Any) -> tuple[LayerRun, ...]:
    nodes = [node for node in lowered.original_module.graph.nodes if node.op == "call_function" and _layer(node)]
    if lowered.backend_id == LinnetBackend.__name__:
        return (_linnet_call([node for node in nodes if _name(node) in ("int8_linear", "int4_linear")]),)
    return tuple(
        LayerRun(layer, tuple(_name(node) for node in run)) for layer, run in itertools.groupby(nodes, key=_layer)
    )


def _linnet_call(linears: list[Node]) -> LayerRun:
    """Return the entry of a call of linnet's delegate: one operator, whose layer is the common prefix of its layers."""
    names = [_layer(node).split(".") for node in linears]
    common = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*names, strict=False))
    return LayerRun(".".join(parts[0] for parts in common), (_name(linears[0]),))


def _name(node: Node) -> str:
    """`linear` of `aten.linear.default`."""
    parts: list[str] = getattr(node.target, "__name__", str(node.target)).split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def _layer(node: Node) -> str:
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    name = stack[-1][0] if stack else ""
    return "" if name.startswith("_") else str(name)
