"""Report of a method's partitions: their operators, and why some operators stay outside of XNNPACK."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping
from typing import Any

from executorch.exir import EdgeProgramManager, ExecutorchProgramManager
from executorch.exir.schema import DelegateCall, KernelCall

from linnet.format.evidence import ProgramStep

__all__ = ["base_name", "partition_report"]

_NOT_COUNTED = ("getitem",)
_NO_OPERATOR = "XNNPACK has no such operator"
_OTHER_FORM = "XNNPACK has the operator, not for these shapes or types"
_SIZE = "computes a size, not a tensor"
_OWN = "linnet's own operator"


def base_name(name: str) -> str:
    """Return the operator of "aten::view_copy.out", "aten.view_copy.default" and the like: view_copy."""
    name = name.rpartition("::")[2] if "::" in name else name
    parts = name.split(".")
    return parts[-2] if len(parts) > 1 else parts[0]


def partition_report(
    edge: EdgeProgramManager,
    planned: ExecutorchProgramManager,
    taken: frozenset[str],
    refused: Mapping[str, str],
) -> dict[str, tuple[ProgramStep, ...]]:
    """Return the steps of every method.

    Args:
        edge: the delegated programs, which know what is inside of each delegate.
        planned: the programs with their instructions.
        taken: names of the operators that XNNPACK has.
        refused: what :func:`linnet_export.lower.executorch_compat.partition_refusals` collected, by :func:`base_name`.
    """
    by_method: dict[str, tuple[ProgramStep, ...]] = {}
    for plan in planned.executorch_program.execution_plan:
        inside = _inside_of_delegates(edge.exported_program(plan.name).graph_module)
        by_method[plan.name] = tuple(_steps(plan, inside, taken, refused))
    return by_method


def _inside_of_delegates(module: Any) -> list[dict[str, int]]:
    """Return the operators of each delegate, in the order of their calls."""
    inside: list[dict[str, int]] = []
    for node in module.graph.nodes:
        if node.op == "call_function" and "call_delegate" in str(node.target):
            lowered = getattr(module, node.args[0].target)
            nodes = lowered.original_module.graph.nodes
            names = [base_name(getattr(inner.target, "__name__", "")) for inner in nodes if inner.op == "call_function"]
            inside.append(dict(collections.Counter(name for name in names if name not in _NOT_COUNTED)))
    return inside


def _steps(
    plan: Any, inside: list[dict[str, int]], taken: frozenset[str], refused: Mapping[str, str]
) -> Iterator[ProgramStep]:
    outside: collections.Counter[str] = collections.Counter()
    partitions = 0
    for call in (instruction.instr_args for chain in plan.chains for instruction in chain.instructions):
        if isinstance(call, KernelCall):
            outside[plan.operators[call.op_index].name] += 1
        elif isinstance(call, DelegateCall):
            if outside:
                yield _outside(outside, taken, refused)
                outside = collections.Counter()
            backend = plan.delegates[call.delegate_index].id
            yield ProgramStep(partitions + 1, inside[partitions], backend=backend)
            partitions += 1
    if outside:
        yield _outside(outside, taken, refused)


def _outside(counts: Mapping[str, int], taken: frozenset[str], refused: Mapping[str, str]) -> ProgramStep:
    names = {name: base_name(name) for name in counts}
    reasons = {short: _reason(name, short, taken, refused) for name, short in names.items()}
    operators: collections.Counter[str] = collections.Counter()
    for name, count in counts.items():
        operators[names[name]] += count
    return ProgramStep(0, dict(operators), reasons)


def _reason(name: str, short: str, taken: frozenset[str], refused: Mapping[str, str]) -> str:
    if name.startswith("executorch_prim") or short.startswith("sym_"):
        return _SIZE
    if name.startswith("linnet::"):
        return _OWN
    if short in refused:
        return refused[short]
    return _OTHER_FORM if short in taken else _NO_OPERATOR
