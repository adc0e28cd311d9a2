"""Private and undocumented parts of ExecuTorch, XNNPACK's backend and PyTorch that the exporter relies on.

All of them are used here and nowhere else, so that a new version of ExecuTorch is one file to go through. Each was
read in the sources of executorch 1.5.1 with torch 2.13, and has a test, below tests/linnet_export, that fails if it
comes to mean something else:

- ``exir_ops``, ``ALL_PARTITIONER_CONFIGS``, ``XnnpackPartitioner.partition``, underscored fields of
  ``EdgeCompileConfig``:
  lower/test_lower.py: test_a_single_text_is_one_partition
- ``_quant_patterns_and_replacements``, ``_schema`` of operators:
  lower/test_lower.py: test_the_facts_name_what_the_runtime_must_have
- ``torch.ao.quantization.fx._decomposed``:
  quantize/test_int8.py: test_a_linear_layer_by_the_formula
- ``FakeTensor``, ``EdgeProgramManager.compile_config``:
  lower/test_lower.py: test_forward_agrees_with_the_module
- ``is_same_node.cache_clear``:
  lower/test_executorch_compat.py: test_no_graph_stays_in_the_cache
- ``_execution_programs``, ``_named_data`` of ``ExecutorchProgramManager``:
  lower/test_lower.py: test_constant_methods_come_back_and_progress_is_told
- ``_create_partitions_in_graph_module``, ``create_submodule_from_nodes`` of ``backend_api``:
  lower/test_executorch_compat.py: test_sorting_once_gives_the_same_program
- ``XNNPACKPassManager``, ``_passes``:
  lower/test_lower.py: test_the_skipped_passes_would_change_nothing
- ``YAML`` as ``executorch.exir.dialects.edge._ops`` takes it:
  lower/test_executorch_compat.py: test_the_types_of_edge_operators_are_read_as_executorch_reads_them
- ``decompose_auto_functionalized`` of ``torch._inductor.fx_passes.post_grad``:
  lower/test_executorch_compat.py: test_an_operator_that_changes_its_input_is_put_back
- ``ExportPass`` in ``exir.passes.spec_prop_pass``:
  lower/test_executorch_compat.py: test_the_skipped_edge_passes_would_change_nothing
- ``_get_aten_to_edge_passes`` of ``exir.program._program``:
  lower/test_executorch_compat.py: test_the_skipped_edge_passes_would_change_nothing
- ``LinearConfig._check_inputs_are_valid_dtypes``:
  quantize/test_precisions.py: test_the_program_computes_what_the_module_computes
- ``WhyNoPartition`` in the log of XNNPACK's partitioner:
  output/test_details.py: test_steps_are_the_instructions_of_the_program
- ``NamedDataStore``, ``get_param_tensor``:
  lower/test_custom_operators.py: test_the_delegates_read_the_same_data
- ``_flatbuffer_to_program``, ``_get_extended_header``:
  lower/test_executorch_compat.py: test_the_parsed_parts_of_a_program
"""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any

import ruamel.yaml
import yaml  # type: ignore[import-untyped]

from linnet_export.errors import ExportError

__all__ = [
    "CHECKED_VERSION",
    "EdgeProgramManager",
    "ExecutorchBackendConfig",
    "ExecutorchProgramManager",
    "FakeTensor",
    "MemoryPlanningPass",
    "NamedDataStore",
    "OpOverload",
    "QuietXnnpackPartitioner",
    "UnsupportedExecutorchError",
    "add_constant_methods",
    "check_version",
    "delegates_traced_once",
    "edge_compile_config",
    "exir_ops",
    "forget_graphs",
    "get_param_tensor",
    "necessary_edge_passes",
    "necessary_passes",
    "parse_program",
    "partition_refusals",
    "schema_name",
    "segment_base",
    "short_collections",
    "sorted_once",
    "to_edge",
]

CHECKED_VERSION = "1.5.1"
"""The version of executorch whose sources were read; pyproject.toml asks for exactly it."""


class UnsupportedExecutorchError(ExportError):
    """The installed ExecuTorch is not the one that this module was checked with."""


def check_version(installed: str) -> None:
    """Check the version of executorch, a local part such as `+cpu` aside.

    Raises:
        UnsupportedExecutorchError: it is another one than :data:`CHECKED_VERSION`.
    """
    if installed.partition("+")[0] != CHECKED_VERSION:
        raise UnsupportedExecutorchError(
            f"expected executorch {CHECKED_VERSION}, whose internals the exporter uses, got {installed}; "
            f"run: pip install executorch=={CHECKED_VERSION}"
        )


# before the imports below, which fail in another version without saying why
check_version(metadata.version("executorch"))


class _LibYaml:
    """What ExecuTorch takes of ``ruamel.yaml``, by the library of PyYAML, which ExecuTorch requires too.

    ruamel.yaml reads the types of the edge operators (138 kB) in plain Python, which took 0.6 s of every export.
    """

    def __init__(self, typ: str) -> None:
        self.typ = typ

    def load(self, text: str) -> Any:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _decompose_if_there(graph: Any) -> None:
    """Do what ``decompose_auto_functionalized`` does, which finds such operators in few graphs."""
    names = ("auto_functionalized", "auto_functionalized_v2")
    if any(getattr(node.target, "__name__", "") in names for node in graph.nodes):
        from torch._inductor.fx_passes.post_grad import decompose_auto_functionalized

        decompose_auto_functionalized(graph)


@contextlib.contextmanager
def _quick_imports() -> Iterator[None]:
    """Let ExecuTorch be imported without what takes seconds and is rarely used: a slow parser, torch's inductor."""
    inductor = "torch._inductor.fx_passes.post_grad"
    whole = inductor in sys.modules
    if not whole:
        sys.modules[inductor] = types.ModuleType(inductor)
        sys.modules[inductor].decompose_auto_functionalized = _decompose_if_there  # type: ignore[attr-defined]
    original = ruamel.yaml.YAML
    ruamel.yaml.YAML = _LibYaml  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        ruamel.yaml.YAML = original  # type: ignore[misc]
        if not whole:
            del sys.modules[inductor]


with _quick_imports():
    import executorch.exir

# defines the lookups quantized_decomposed.embedding_byte and embedding_4bit
import executorch.exir.passes._quant_patterns_and_replacements  # noqa: E402, F401
import torch  # noqa: E402
from executorch.backends.xnnpack import xnnpack_preprocess  # noqa: E402
from executorch.backends.xnnpack._passes import XNNPACKPassManager, XNNPACKRemoveCloneOpsTransform  # noqa: E402
from executorch.backends.xnnpack._passes.fuse_activation_pass import FuseActivationPass  # noqa: E402
from executorch.backends.xnnpack.partition.config import ALL_PARTITIONER_CONFIGS  # noqa: E402
from executorch.backends.xnnpack.partition.config.gemm_configs import LinearConfig  # noqa: E402
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner  # noqa: E402
from executorch.backends.xnnpack.utils.utils import get_param_tensor  # noqa: E402
from executorch.exir import (  # noqa: E402
    EdgeCompileConfig,
    EdgeProgramManager,
    ExecutorchBackendConfig,
    ExecutorchProgramManager,
    to_edge,
)
from executorch.exir._serialize._flatbuffer_program import _flatbuffer_to_program  # noqa: E402
from executorch.exir._serialize._named_data_store import NamedDataStore  # noqa: E402
from executorch.exir._serialize._program import _get_extended_header  # noqa: E402
from executorch.exir.backend import backend_api  # noqa: E402
from executorch.exir.backend.partitioner import PartitionResult  # noqa: E402
from executorch.exir.backend.utils import WhyNoPartition, is_same_node, tag_constant_data  # noqa: E402
from executorch.exir.dialects._ops import ops as exir_ops  # noqa: E402
from executorch.exir.passes import MemoryPlanningPass, spec_prop_pass  # noqa: E402
from executorch.exir.passes.memory_format_ops_pass import DimOrderOpsRevertPass  # noqa: E402
from executorch.exir.passes.normalize_transpose_pass import NormalizeTransposePass  # noqa: E402
from executorch.exir.passes.remove_mixed_type_operators import RemoveMixedTypeOperators  # noqa: E402
from executorch.exir.passes.replace_broken_ops_with_function_ops_pass import (  # noqa: E402
    ReplaceBrokenOpsWithFunctionalOpsPass,
)
from executorch.exir.passes.scalar_to_tensor_pass import ScalarToTensorPass  # noqa: E402
from executorch.exir.passes.sym_to_tensor_pass import SymToTensorPass  # noqa: E402
from executorch.exir.program import _program  # noqa: E402
from torch._ops import OpOverload  # noqa: E402
from torch._subclasses.fake_tensor import FakeTensor  # noqa: E402

# defines torch.ops.quantized_decomposed, by which XNNPACK recognizes quantized layers
from torch.ao.quantization.fx import _decomposed  # noqa: E402, F401
from torch.export import ExportedProgram  # noqa: E402
from torch.export.graph_signature import OutputKind  # noqa: E402
from torch.fx import Graph, GraphModule, Node  # noqa: E402
from torch.fx.passes.infra.pass_base import PassResult  # noqa: E402

# -- edge programs ---------------------------------------------------------------------------------


def edge_compile_config(whole_operators: Sequence[OpOverload]) -> EdgeCompileConfig:
    """Return the settings of the edge programs; ``whole_operators`` are not decomposed.

    `EdgeProgramManager.to_backend` forgets them, so they have to be set again after it, as `compile_config`.
    """
    return EdgeCompileConfig(
        # quantized operators and symbolic lengths are no core ATen, which is all that this check allows
        _check_ir_validity=False,
        # every tensor is contiguous, so there are no orders of dimensions to track
        _skip_dim_order=True,
        preserve_ops=list(whole_operators),
    )


def schema_name(target: Any) -> str:
    """Return the name of an operator without its overload, as `aten::add`; empty for what is no operator."""
    schema = getattr(target, "_schema", None)
    return "" if schema is None else str(schema.name)


def forget_graphs() -> None:
    """Free the graphs of the last step: `is_same_node` has a cache that keeps every node it ever compared."""
    is_same_node.cache_clear()
    gc.collect()


@contextlib.contextmanager
def short_collections() -> Iterator[None]:
    """Let the garbage collector go through what was made inside of the block only.

    PyTorch and transformers keep millions of objects; a collection that goes through them all takes 0.3 s, and lowering
    causes a dozen.
    """
    frozen = gc.get_freeze_count() > 0  # by the caller, who would not want it undone
    gc.freeze()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()


@contextlib.contextmanager
def sorted_once() -> Iterator[None]:
    """Sort a graph only after its last partition was cut out, inside of the block.

    `create_submodule_from_nodes` sorts the whole graph after every partition that it cuts out: MobileBERT's 288 calls
    of linnet's delegate took 40 s. Cutting needs no order; what comes after it does.
    """
    original = backend_api._create_partitions_in_graph_module
    backend_api._create_partitions_in_graph_module = functools.partial(_create_partitions, original)
    try:
        yield
    finally:
        backend_api._create_partitions_in_graph_module = original


def _create_partitions(original: Any, graph_module: Any, partition_result: Any, *arguments: Any) -> Any:
    tags = {node.meta.get("delegation_tag") for node in graph_module.graph.nodes}
    # in the order in which the original goes through them
    left = [tag for tag in partition_result.partition_tags if tag in tags]
    create = backend_api.create_submodule_from_nodes

    def create_sorting_last(graph_module: Any, nodes: Any, tag: str) -> Any:
        return create(graph_module, nodes, tag, skip_legalize_graph=tag != left[-1])

    backend_api.create_submodule_from_nodes = create_sorting_last
    try:
        return original(graph_module, partition_result, *arguments)
    finally:
        backend_api.create_submodule_from_nodes = create


def add_constant_methods(
    planned: ExecutorchProgramManager, values: Mapping[str, Any], config: ExecutorchBackendConfig
) -> ExecutorchProgramManager:
    """Return the program with constant methods, which `to_edge` takes only before anything about it is known."""
    for program in planned._execution_programs.values():
        _put_mutations_back(program)
    return ExecutorchProgramManager(planned._execution_programs, dict(values), config, planned._named_data)


def _put_mutations_back(program: ExportedProgram) -> None:
    """Give a graph the outputs that its signature lists: writing the program takes out those that change a buffer."""
    output = program.graph.output_node()
    specs = program.graph_signature.output_specs
    (given,) = output.args
    if len(given) == len(specs):
        return
    by_name = {node.name: node for node in program.graph.nodes}
    user = iter(given)
    changed = OutputKind.BUFFER_MUTATION
    output.args = (tuple(by_name[spec.arg.name] if spec.kind is changed else next(user) for spec in specs),)


def _tensor_arguments(node: Node) -> Iterator[Any]:
    """Yield what a node gives for each argument that its operator declares as a tensor."""
    operator: Any = node.target
    for place, argument in enumerate(operator._schema.arguments):
        if not isinstance(argument.type, torch.TensorType):
            continue
        if argument.name in node.kwargs:
            yield node.kwargs[argument.name]
        elif not argument.kwarg_only and place < len(node.args):
            yield node.args[place]


def _value(argument: Any) -> Any:
    return argument.meta.get("val") if isinstance(argument, Node) else argument


def _has_scalar(node: Node) -> bool:
    return any(isinstance(argument, bool | int | float) for argument in _tensor_arguments(node))


def _has_symbol(node: Node) -> bool:
    symbols = (torch.SymInt, torch.SymFloat, torch.SymBool)
    return any(isinstance(_value(argument), symbols) for argument in _tensor_arguments(node))


_PROMOTING = ("aten::add", "aten::mul", "aten::sub", "aten::div", "aten::minimum")


def _may_promote(node: Node) -> bool:
    if schema_name(node.target) not in _PROMOTING:
        return False
    kinds = {getattr(_value(argument), "dtype", None) for argument in node.args}
    return kinds != {torch.float32}


_IDLE: Mapping[type, Callable[[Node], bool]] = {
    NormalizeTransposePass: lambda node: node.target is torch.ops.aten.t.default,
    ReplaceBrokenOpsWithFunctionalOpsPass: lambda node: bool(getattr(node.target, "is_view", False)),
    ScalarToTensorPass: _has_scalar,
    SymToTensorPass: _has_symbol,
    RemoveMixedTypeOperators: _may_promote,
}
"""Passes that trace the whole graph again to change some operators, with a test of an operator that finds those."""


class _IfNeeded:
    """A pass that runs only on a graph in which it has something to change."""

    def __init__(self, whole: Any, changes: Callable[[Node], bool]) -> None:
        self._whole, self._changes = whole, changes

    def __call__(self, graph_module: Any) -> PassResult:
        nodes = (node for node in graph_module.graph.nodes if isinstance(node.target, OpOverload))
        needed = len(list(graph_module.children())) > 0 or any(map(self._changes, nodes))
        return self._whole(graph_module) if needed else PassResult(graph_module, False)


def _if_needed(step: Any) -> Any:
    # a pass manager wraps its passes into functions
    changes = _IDLE.get(type(getattr(step, "__wrapped__", step)))
    return step if changes is None else _IfNeeded(step, changes)


@contextlib.contextmanager
def necessary_edge_passes() -> Iterator[None]:
    """Leave out passes from ATen to edge programs that cannot change the graph, inside of the block.

    Each traces the whole graph again.
    """
    original = _program._get_aten_to_edge_passes

    def chosen(config: EdgeCompileConfig) -> tuple[list[Any], list[Any]]:
        before, behind = original(config)
        return list(map(_if_needed, before)), behind

    _program._get_aten_to_edge_passes = chosen
    try:
        yield
    finally:
        _program._get_aten_to_edge_passes = original


class _Copied:
    """Stands for ``ExportPass`` where that only traces a graph again, delegates and all, and changes nothing."""

    def __call__(self, graph_module: Any) -> PassResult:
        graph = Graph()
        graph.output(graph.graph_copy(graph_module.graph, {}))
        graph.set_codegen(graph_module.graph._codegen)
        copied = GraphModule(graph_module, graph)
        copied.meta.update(graph_module.meta)
        return PassResult(copied, False)


@contextlib.contextmanager
def delegates_traced_once() -> Iterator[None]:
    """Plan memory with the shapes that are known, inside of the block: they were traced before the delegates."""
    original, spec_prop_pass.ExportPass = spec_prop_pass.ExportPass, _Copied
    try:
        yield
    finally:
        spec_prop_pass.ExportPass = original


# -- XNNPACK ---------------------------------------------------------------------------------------


class _WideLinearConfig(LinearConfig):
    """Takes linear layers with float16 weights beside float32 activations.

    XNNPACK has such a kernel (fully_connected_nc_f32_f16) on every CPU; the rule that refuses mixed types
    was made for operators in general.
    """

    def _check_inputs_are_valid_dtypes(self, node: Node, valid_dtypes: Any) -> bool:
        types = [source.meta["val"].dtype for source in node.all_input_nodes]
        if types[:2] == [torch.float32, torch.float16] and set(types[2:]) <= {torch.float32}:
            return True
        valid: bool = super()._check_inputs_are_valid_dtypes(node, valid_dtypes)
        return valid


class QuietXnnpackPartitioner(XnnpackPartitioner):
    """XNNPACK's partitioner with float16 linear layers, without its warning of to_edge() and to_backend()."""

    def __init__(self) -> None:
        wide = {LinearConfig: _WideLinearConfig}
        super().__init__(configs=[wide.get(config, config) for config in ALL_PARTITIONER_CONFIGS])

    def partition(self, exported_program: ExportedProgram) -> PartitionResult:
        """Tag the operators of every partition, and with them the weights that they read."""
        # past XnnpackPartitioner.partition, which does no more than this and warn
        result = super(XnnpackPartitioner, self).partition(exported_program)
        tag_constant_data(exported_program)
        return result


_XNNPACK_LOGGER = "executorch.backends.xnnpack"


@contextlib.contextmanager
def partition_refusals() -> Iterator[dict[str, str]]:
    """Collect what XNNPACK's partitioner says about operators that it does not take, inside of the block.

    It says so to Python's logging, as `WhyNoPartition`.

    Yields:
        the reason by the name of the operator (`aten.view_copy.default`), the first one if there are several.
    """
    reasons: dict[str, str] = {}
    logger = logging.getLogger(_XNNPACK_LOGGER)
    handler = _RefusalHandler(reasons)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield reasons
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


class _RefusalHandler(logging.Handler):
    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(logging.DEBUG)
        self._reasons = reasons

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the reason; other messages are not of interest."""
        why = record.msg
        if isinstance(why, WhyNoPartition) and why.node is not None:
            name = str(getattr(why.node.target, "__name__", why.node.target))
            self._reasons.setdefault(name, why.reason)


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
            if any("dim_order" in name for name in clones):
                self.passes.append(DimOrderOpsRevertPass)
            if "relu.default" in names:
                self.passes.append(FuseActivationPass)


def _short_name(node: Node) -> str:
    name: str = getattr(node.target, "__name__", "")
    return ".".join(name.split(".")[-2:])


@contextlib.contextmanager
def necessary_passes() -> Iterator[None]:
    """Leave out XNNPACK passes that cannot change the graph, inside of the block.

    The backend runs seventeen over every partition, most of them for convolutions; they took most of the time.
    """
    original = xnnpack_preprocess.XNNPACKPassManager
    xnnpack_preprocess.XNNPACKPassManager = _NecessaryPasses
    try:
        yield
    finally:
        xnnpack_preprocess.XNNPACKPassManager = original


# -- written programs ------------------------------------------------------------------------------


def segment_base(program: bytes) -> int:
    """Return the offset in bytes of the first segment of a program, 0 if it has none."""
    header = _get_extended_header(program)
    return 0 if header is None else int(header.segment_base_offset)


def parse_program(section: bytes) -> Any:
    """Return the `executorch.exir.schema.Program` in a program's bytes up to its first segment."""
    return _flatbuffer_to_program(section)
