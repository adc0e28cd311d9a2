"""Private parts of ExecuTorch: the version guard, that one module has them all, what the patches leave as it was."""

from __future__ import annotations

import contextlib
import gc
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import ruamel.yaml
import torch
from executorch.exir import ExecutorchBackendConfig
from executorch.exir.backend import backend_api
from executorch.exir.backend.utils import is_same_node
from executorch.exir.dialects import edge
from torch import Tensor, nn

import linnet_export
from linnet_export.graph.program import device_module
from linnet_export.lower import executorch_compat, lowering
from linnet_export.lower.executorch_compat import (
    CHECKED_VERSION,
    UnsupportedExecutorchError,
    check_version,
    parse_program,
    segment_base,
    short_collections,
)
from linnet_export.lower.lowering import lower
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, MAX_LENGTH, Case

Models = Callable[[Case, str], Any]

PACKAGE = Path(linnet_export.__file__).parent
PRIVATE = re.compile(
    r"^\s*(?:from|import) (?:executorch|torchao|torch)\b[\w.]*\._\w"  # a private module
    r"|^\s*from (?:executorch|torchao)[\w.]* import .*\b_\w"  # a private name
    r"|\bbackend_api\b|\bxnnpack_preprocess\b|\b_execution_programs\b|\b_named_data\b|cache_clear|\b_schema\b",
    re.MULTILINE,
)


def program_of(models: Models, name: str = CASES[0].name, recipe: str = "int8") -> bytes:
    case = next(case for case in CASES if case.name == name)
    program = device_module(models(case, "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH)
    apply_recipe(program, get_recipe(recipe))
    methods = {"forward": program, "forward_fused": program.with_custom_kernels()}
    return lower(methods, max_length=MAX_LENGTH, constant_methods={}).program


@pytest.mark.parametrize("installed", ["1.5.0", "1.6.0", "2.0", "1.5.10"])
def test_another_version_is_refused(installed: str) -> None:
    with pytest.raises(UnsupportedExecutorchError, match=f"expected executorch {CHECKED_VERSION}.*got {installed};"):
        check_version(installed)


def test_a_build_of_the_version_is_taken() -> None:
    check_version(CHECKED_VERSION)
    check_version(f"{CHECKED_VERSION}+cpu")


def test_the_guard_asks_for_what_the_package_asks_for() -> None:
    settings = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"executorch=={CHECKED_VERSION}"' in settings


def test_private_parts_are_used_in_one_module() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if PRIVATE.search(path.read_text(encoding="utf-8"))
    }
    assert users == {"lower/executorch_compat.py"}


def test_the_tests_that_it_names_are_there() -> None:
    folder = Path(__file__).parents[1]
    named = re.findall(r"^  (\w+/\w+\.py): (\w+)$", executorch_compat.__doc__ or "", re.MULTILINE)
    assert len(named) > 10
    for file, name in named:
        assert f"def {name}(" in (folder / file).read_text(encoding="utf-8")


def test_sorting_once_gives_the_same_program(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    original = backend_api._create_partitions_in_graph_module
    quick = program_of(models)
    assert backend_api._create_partitions_in_graph_module is original
    monkeypatch.setattr(lowering, "sorted_once", contextlib.nullcontext)
    assert program_of(models) == quick


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("bert-gelu", "int8"),  # numbers in the place of tensors
        ("roberta-gelu", "int8"),  # whole numbers that become real ones
        *(
            pytest.param(name, recipe, marks=pytest.mark.slow)
            for name, recipe in (
                ("bert-silu", "8da4w"),
                ("mobilebert-default", "int8"),
                ("modernbert-biases", "int8"),
                ("deberta-v2-v3", "int8"),
                ("mpnet-gelu", "int8"),
                ("albert-gelu", "fp32"),
            )
        ),
    ],
)
def test_the_skipped_edge_passes_would_change_nothing(
    name: str, recipe: str, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = program_of(models, name, recipe)
    monkeypatch.setattr(lowering, "necessary_edge_passes", contextlib.nullcontext)
    monkeypatch.setattr(lowering, "delegates_traced_once", contextlib.nullcontext)
    assert program_of(models, name, recipe) == quick


def test_the_types_of_edge_operators_are_read_as_executorch_reads_them() -> None:
    text = resources.files(edge).joinpath("edge.yaml").read_text(encoding="utf-8")
    expected = ruamel.yaml.YAML(typ="safe").load(text)
    assert executorch_compat._LibYaml("safe").load(text) == expected
    assert {entry["inherits"]: entry for entry in expected} == edge._ops._edge_dialect_info


@torch.library.custom_op("linnet_tests::double", mutates_args={"x"})
def double(x: Tensor) -> None:
    x.mul_(2)


class Doubled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x + 1
        double(y)
        return y


def test_an_operator_that_changes_its_input_is_put_back() -> None:
    program = torch.export.export(Doubled(), (torch.ones(3),)).run_decompositions({})
    assert "auto_functionalized" in str(program.graph)
    executorch_compat._decompose_if_there(program.graph)
    assert "auto_functionalized" not in str(program.graph)
    assert "linnet_tests.double" in str(program.graph)


def test_no_graph_stays_in_the_cache(models: Models) -> None:
    program_of(models)
    assert is_same_node.cache_info().currsize == 0


def test_the_collector_is_left_as_it_was() -> None:
    assert gc.get_freeze_count() == 0
    with contextlib.suppress(KeyError), short_collections():
        assert gc.get_freeze_count() > 0
        raise KeyError
    assert gc.get_freeze_count() == 0
    gc.freeze()  # as a server does before it forks
    try:
        with short_collections():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_the_parsed_parts_of_a_program(models: Models) -> None:
    program = program_of(models)
    base = segment_base(program)
    assert 0 < base < len(program)
    assert base % ExecutorchBackendConfig().segment_alignment == 0
    assert [plan.name for plan in parse_program(program[:base]).execution_plan] == ["forward", "forward_fused"]
