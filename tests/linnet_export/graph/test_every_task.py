"""Lowered programs against eager transformers: each later architecture, for each of its tasks, in both recipes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from linnet_export.graph.program import device_module
from linnet_export.lower.lowering import lower
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, MAX_LENGTH, TASKS, Case, hf_outputs

pytestmark = pytest.mark.slow

Models = Callable[[Case, str], Any]
Runner = Callable[[bytes, str], Callable[..., list[Tensor]]]

NAMES = ("albert-gelu_new", "deberta-v2-v3", "modernbert-cls", "mpnet-gelu", "roberta-gelu", "xlm-roberta-gelu")
LENGTHS = (2, 3, 17, 33, MAX_LENGTH)
TOLERANCE = {"fp32": 1e-4, "int8": 0.2}
"""Norm of the error over that of the answer; in int8, random weights have no redundancy to forgive a rounding."""


@pytest.mark.parametrize("recipe", ["fp32", "int8"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", NAMES)
def test_the_program_agrees_with_the_original(
    name: str, task: str, recipe: str, models: Models, run_program: Runner
) -> None:
    case = next(case for case in CASES if case.name == name)
    model = models(case, task)
    program = device_module(model, get_task(task), max_length=MAX_LENGTH)
    apply_recipe(program, get_recipe(recipe))
    run = run_program(lower({"forward": program}, max_length=MAX_LENGTH, constant_methods={}).program, "forward")
    for length in LENGTHS:
        ids = case.ids(1, length)
        types = (torch.arange(length) >= length // 2).long().unsqueeze(0)
        inputs = [ids, types][: len(program.inputs)]
        for found, expected in zip(run(*inputs), hf_outputs(model, task, *inputs), strict=True):
            assert found.shape == expected.shape
            # logits of these weights are about 1, a lone one by chance far less
            error = ((found - expected).norm() / max(expected.norm().item(), expected.numel() ** 0.5)).item()
            assert error <= TOLERANCE[recipe], (length, error)
