"""The evidence of steps and layers, against what ExecuTorch and the checkpoint say themselves."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import pytest
from executorch.exir._serialize._program import deserialize_pte_binary
from executorch.exir.schema import DelegateCall, KernelCall

from linnet.format.trailer import read_trailer
from linnet_export.lower.partition_report import base_name


@pytest.mark.parametrize("recipe", ["fp32", "int8"])
def test_steps_are_the_instructions_of_the_program(exported: Callable[..., Any], recipe: str) -> None:
    _, report = exported("text-classification", recipe, max_batch=2)
    trailer = read_trailer(report.path)
    program = deserialize_pte_binary(report.path.read_bytes()[: trailer.program_size]).program
    steps = trailer.evidence["details"]["steps"]
    assert set(steps) == {"forward", "forward_batch"} | ({"forward_fused"} if recipe == "int8" else set())
    for plan in program.execution_plan:
        if plan.name not in steps:
            continue  # a constant method
        order = ""
        kernels: collections.Counter[str] = collections.Counter()
        for instruction in (entry.instr_args for chain in plan.chains for entry in chain.instructions):
            if isinstance(instruction, DelegateCall):
                order += "D"
            elif isinstance(instruction, KernelCall):
                order += "" if order.endswith("k") else "k"
                kernels[base_name(plan.operators[instruction.op_index].name)] += 1
        found = steps[plan.name]
        assert "".join("D" if step["partition"] else "k" for step in found) == order
        assert [step["partition"] for step in found if step["partition"]] == list(range(1, order.count("D") + 1))
        outside: collections.Counter[str] = collections.Counter()
        for step in found:
            if not step["partition"]:
                outside.update(step["operators"])
                assert set(step["reasons"]) == set(step["operators"])
        assert outside == kernels
    inside = [step["operators"] for step in steps["forward"] if step["partition"]]
    assert sum(operators.get("_softmax", 0) for operators in inside) == 2  # one in each of the checkpoint's two layers


def test_an_int8_layer_has_its_errors(exported: Callable[..., Any]) -> None:
    _, report = exported("text-classification", "int8")
    details = read_trailer(report.path).evidence["details"]
    given, running = details["layer_errors"]["body.layers.0.attention.query"]
    assert 0 < given < 0.05
    assert 0 < running < 0.2
    assert details["layer_errors"]["head.classify.2"][0] == 0  # the answer layer stays in float32
    assert 0 < details["layer_texts"] <= 16
    assert set(details["layer_errors"]) <= {layer.name for layer in report.layers}


def test_nothing_differs_in_fp32(exported: Callable[..., Any]) -> None:
    _, report = exported("text-classification", "fp32")
    details = read_trailer(report.path).evidence["details"]
    assert {tuple(errors) for errors in details["layer_errors"].values()} == {(0.0, 0.0)}


def test_without_a_proof_there_are_layers_and_no_errors(exported: Callable[..., Any]) -> None:
    _, report = exported("text-classification", "int8", prove=False)
    details = read_trailer(report.path).evidence["details"]
    assert details["layer_texts"] == 0
    assert details["layer_errors"] == {}
    assert details["steps"]["forward"]


def test_the_evidence_stays_small(exported: Callable[..., Any]) -> None:
    import json

    _, report = exported("text-classification", "int8")
    details = read_trailer(report.path).evidence["details"]
    assert len(json.dumps(details["steps"])) < 4000
    assert len(json.dumps(details["layer_errors"])) < 70 * len(details["layer_errors"])


def test_names_of_operators() -> None:
    names = ["aten::view_copy.out", "aten.view_copy.default", "quantized_decomposed::embedding_byte.out", "getitem"]
    assert [base_name(name) for name in names] == ["view_copy", "view_copy", "embedding_byte", "getitem"]
