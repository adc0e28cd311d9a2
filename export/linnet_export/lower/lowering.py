"""Lowering of device graphs to an ExecuTorch program, and facts about it."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from linnet.format.evidence import ProgramStep
from linnet_export.errors import ExportError
from linnet_export.graph.decoder_program import DecoderProgram
from linnet_export.graph.program import Bounds, DeviceProgram
from linnet_export.lower import executorch_compat  # noqa: F401 - before all that imports ExecuTorch slowly
from linnet_export.lower.custom_ops import CUSTOM_OPERATORS, use_custom_embeddings
from linnet_export.lower.custom_ops.linear_backend import LinearPartitioner, LinnetBackend
from linnet_export.lower.debug_map import DebugMap, debug_map
from linnet_export.lower.executorch_compat import (
    EdgeProgramManager,
    ExecutorchBackendConfig,
    ExecutorchProgramManager,
    MemoryPlanningPass,
    add_constant_methods,
    delegates_traced_once,
    edge_compile_config,
    forget_graphs,
    necessary_edge_passes,
    necessary_passes,
    schema_name,
    short_collections,
    sorted_once,
    to_edge,
)
from linnet_export.lower.partition_report import partition_report
from linnet_export.lower.xnnpack import MergingXnnpackPartitioner
from linnet_export.quantize.operators import ExpandQuantized
from linnet_export.quantize.quantize import stored_bytes

__all__ = [
    "ConstantMethods",
    "ConstantValue",
    "LowerResult",
    "LoweringError",
    "Program",
    "ProgramFacts",
    "SizesByPart",
    "lower",
]

ConstantValue: TypeAlias = int | float | bool | str | bytes

Program: TypeAlias = DeviceProgram | DecoderProgram
"""One method of a program before it is traced."""

SHORTEST = 2
"""Tokens of an empty text: its two special tokens."""


class LoweringError(ExportError):
    """The device graph could not be made a program."""


@dataclasses.dataclass(frozen=True)
class ProgramFacts:
    """Requirements of a lowered program, and its partitions.

    Attributes:
        operators: operators that the runtime must have, as `name.overload`, over all methods, sorted.
        kernel_libraries: ExecuTorch libraries that hold them: optimized, quantized.
        backends: delegates that the program calls.
        partitions: number of delegate calls, by method.
        operators_outside: how often each operator occurs outside of the delegates, by method.
        planned_bytes: planned memory at the length (and batch) bound, by method. What the delegates
            allocate for themselves comes on top.
        steps: what runs where, in order, by method.
        debug_map: which layer each operator belongs to, by method.
    """

    operators: tuple[str, ...]
    kernel_libraries: tuple[str, ...]
    backends: tuple[str, ...]
    partitions: Mapping[str, int]
    operators_outside: Mapping[str, Mapping[str, int]]
    planned_bytes: Mapping[str, int]
    steps: Mapping[str, tuple[ProgramStep, ...]]
    debug_map: DebugMap = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class SizesByPart:
    """Bytes of a program by what they are for.

    Attributes:
        embedding: word, position and token type tables.
        linears: weights, scales and biases of the linear layers.
        other: everything else: normalization weights, the graphs, the manifest.
    """

    embedding: int
    linears: int
    other: int


@dataclasses.dataclass(frozen=True)
class LowerResult:
    """A finished program.

    Attributes:
        program: its bytes.
        facts: what it needs and how it is cut.
        sizes: its bytes by part.
        written_twice: bytes of linear layers that equal an embedding table (a tied fill-mask decoder): the
            lookup reads rows as they are, XNNPACK packs its own copy, and each keeps its part of the file.
    """

    program: bytes
    facts: ProgramFacts
    sizes: SizesByPart
    written_twice: int


ConstantMethods: TypeAlias = Mapping[str, ConstantValue] | Callable[[ProgramFacts], Mapping[str, ConstantValue]]
"""Values by name, or a function that makes them once the program's facts are known."""


@short_collections()
def lower(
    methods: Mapping[str, Program],
    *,
    max_length: int,
    max_batch: int = 0,
    constant_methods: ConstantMethods,
    progress: Callable[[str], None] = lambda text: None,
) -> LowerResult:
    """Lower device modules to one program for XNNPACK.

    Args:
        methods: modules by method name; one of them is `forward`. Masked ones get a dynamic batch.
        max_length: bound of the dynamic length, which starts at 2.
        max_batch: bound of the dynamic batch of masked methods, which starts at 1.
        constant_methods: values to store beside the methods; bytes become uint8 tensors [size].
        progress: called with a short description of each step.

    Raises:
        LoweringError: no method is called forward, a bound is too small, or nothing reached XNNPACK.
    """
    _check_bounds(methods, max_length, max_batch)
    exported: dict[str, ExportedProgram] = {}
    for name, module in methods.items():
        progress(f"trace {name}")
        exported[name] = _trace(module, Bounds(max_length, max_batch))
    progress("delegate to XNNPACK")
    partitioner = MergingXnnpackPartitioner()
    edge = _delegate(exported, [name for name, module in methods.items() if module.fused], partitioner)
    progress("plan memory")
    config = _backend_config(methods)
    with delegates_traced_once():
        planned = edge.to_executorch(config)
    facts = _facts(edge, planned, partition_report(edge, planned, partitioner.taken(), partitioner.refused))
    progress("write program")
    values = constant_methods(facts) if callable(constant_methods) else constant_methods
    finished = add_constant_methods(planned, _stored(values), config)
    program = finished.buffer
    return LowerResult(program, facts, _sizes(methods, len(program)), _written_twice(methods["forward"]))


def _backend_config(methods: Mapping[str, Program]) -> ExecutorchBackendConfig:
    """Return the settings of ExecuTorch: caches are changed in place, and those that are inputs are not planned."""
    decoders = {name: module for name, module in methods.items() if isinstance(module, DecoderProgram)}
    if not decoders:
        return ExecutorchBackendConfig()
    planning = {
        name: MemoryPlanningPass(alloc_graph_input=name not in decoders or not module.fused)
        for name, module in methods.items()
    }
    return ExecutorchBackendConfig(memory_planning_pass=planning, run_reinplace_pass=True)


def _check_bounds(methods: Mapping[str, Program], max_length: int, max_batch: int) -> None:
    problems: list[str] = []
    if "forward" not in methods:
        problems.append(f"expected methods to have forward, got {', '.join(methods) or 'none'}")
    if max_length < SHORTEST:
        problems.append(f"expected max_length to be at least {SHORTEST}, got {max_length}")
    if any(module.masked for module in methods.values()) and max_batch < 1:
        problems.append(f"expected max_batch to be at least 1 for a batch method, got {max_batch}")
    if problems:
        raise LoweringError("; ".join(problems))


def _trace(module: Program, bounds: Bounds) -> ExportedProgram:
    inputs, shapes = module.examples(bounds)
    idle = module.without_stock_caches() if isinstance(module, DecoderProgram) else contextlib.nullcontext()
    with torch.no_grad(), idle:
        traced = torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False)
    if module.fused:
        use_custom_embeddings(traced.graph_module)
    return traced


def _delegate(
    exported: dict[str, ExportedProgram], fused: Sequence[str], partitioner: MergingXnnpackPartitioner
) -> EdgeProgramManager:
    """Return the programs with their delegates; ``exported`` is empty then, since graphs are large."""
    config = edge_compile_config(partitioner.whole_operators())
    # not to_edge_transform_and_lower: it does the same with one more trace of every method
    with necessary_edge_passes():
        edge = to_edge(dict(exported), compile_config=config)
    exported.clear()
    forget_graphs()
    if fused:
        with sorted_once():
            edge = edge.to_backend(dict.fromkeys(fused, LinearPartitioner()))
        edge.compile_config = config
        forget_graphs()
    edge = edge.transform([ExpandQuantized()])
    forget_graphs()
    with necessary_passes():
        delegated = edge.to_backend(partitioner)
    forget_graphs()
    delegated.compile_config = config  # to_backend() forgets it
    return delegated


def _stored(values: Mapping[str, ConstantValue]) -> dict[str, int | float | bool | str | Tensor]:
    return {
        name: torch.frombuffer(bytearray(value), dtype=torch.uint8) if isinstance(value, bytes) else value
        for name, value in values.items()
    }


def _facts(
    edge: EdgeProgramManager, planned: ExecutorchProgramManager, steps: Mapping[str, tuple[ProgramStep, ...]]
) -> ProgramFacts:
    plans = {plan.name: plan for plan in planned.executorch_program.execution_plan}
    # custom operators are not required: a runtime without them runs the other methods
    operators = sorted(
        {_operator_name(operator) for plan in plans.values() for operator in plan.operators} - CUSTOM_OPERATORS
    )
    libraries = {"quantized" if operator.startswith("quantized") else "optimized" for operator in operators}
    backends = {delegate.id for plan in plans.values() for delegate in plan.delegates} - {LinnetBackend.__name__}
    if not backends:
        raise LoweringError("no part of the model reached XNNPACK; export a model of a supported architecture")
    return ProgramFacts(
        operators=tuple(operators),
        kernel_libraries=tuple(sorted(libraries)),
        backends=tuple(sorted(backends)),
        partitions={name: len(plan.delegates) for name, plan in plans.items()},
        operators_outside={name: _outside(edge.exported_program(name)) for name in plans},
        planned_bytes={name: sum(plan.non_const_buffer_sizes) for name, plan in plans.items()},
        steps=steps,
        debug_map=debug_map(edge, planned),
    )


def _operator_name(operator: Any) -> str:
    name: str = operator.name
    return f"{name}.{operator.overload}" if operator.overload else name


def _outside(program: ExportedProgram) -> dict[str, int]:
    counts: collections.Counter[str] = collections.Counter()
    for node in program.graph.nodes:
        name = schema_name(node.target) if node.op == "call_function" else ""
        if name and "call_delegate" not in str(node.target):
            counts[name] += 1
    return dict(counts.most_common())


def _sizes(methods: Mapping[str, nn.Module], total: int) -> SizesByPart:
    tables: dict[int, int] = {}
    linears: dict[int, int] = {}
    for module in methods.values():
        for name, part in module.named_modules():
            if type(part).__name__.endswith("Linear"):
                linears[id(part)] = stored_bytes(part)
            elif name in ("body.word", "body.position", "body.embeddings.word", "body.embeddings.types"):
                tables[id(part)] = stored_bytes(part)
        for name, parameter in module.named_parameters():
            if name == "body.embeddings.position":
                tables[parameter.data_ptr()] = parameter.numel() * parameter.element_size()
    embedding, linear = sum(tables.values()), sum(linears.values())
    return SizesByPart(embedding, linear, total - embedding - linear)


def _written_twice(module: nn.Module) -> int:
    if isinstance(module, DecoderProgram):
        return 0  # a tied head reads the table itself
    tensors = module.state_dict(keep_vars=True)
    table = tensors["body.embeddings.word.weight"]
    size = 0
    for name, tensor in tensors.items():
        same_kind = tensor.shape == table.shape and tensor.dtype == table.dtype
        if same_kind and _in_linear(module, name) and torch.equal(tensor, table):
            size += tensor.numel() * tensor.element_size()
    return size


def _in_linear(module: nn.Module, name: str) -> bool:
    owner, _, attribute = name.rpartition(".")
    kind = type(module.get_submodule(owner)).__name__
    return kind.endswith("Linear") and attribute in ("weight", "scale", "bias")
