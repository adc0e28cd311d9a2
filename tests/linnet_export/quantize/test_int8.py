"""The int8 recipe: what it rounds, how, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from linnet_export.graph.layers import OutputLinear
from linnet_export.graph.program import device_module
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.embeddings import Int8Embedding
from linnet_export.quantize.precisions.int8 import Int8Linear, quantize_rows
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, MAX_LENGTH, Case, hf_outputs, random_ids

Models = Callable[[Case, str], Any]


def test_rows_by_hand() -> None:
    rows, scale = quantize_rows(torch.tensor([[1.27, -0.635, 0.0], [0.0, 0.0, 0.0], [-2.54, 2.0, 0.01]]))
    assert rows.dtype == torch.int8
    assert rows.tolist() == [[127, -64, 0], [0, 0, 0], [-127, 100, 0]]
    torch.testing.assert_close(scale[[0, 2]], torch.tensor([0.01, 0.02]))
    # a row of zeros gets the smallest normal number: XNNPACK refuses others
    assert scale[1].item() == torch.finfo(torch.float32).tiny


def test_a_linear_layer_by_the_formula() -> None:
    linear = nn.Linear(24, 10)
    x = torch.randn(5, 24) * 3 + 1
    # one asymmetric scale per token over a range that holds zero, as in the affine quantization of
    # https://arxiv.org/abs/1712.05877 with 8 bits
    low, high = x.amin(1, keepdim=True).clamp(max=0), x.amax(1, keepdim=True).clamp(min=0)
    step = (high - low) / 255
    zero = torch.round(-128 - low / step)
    rounded = ((torch.round(x / step) + zero).clamp(-128, 127) - zero) * step
    weight, scale = quantize_rows(linear.weight)
    expected = functional.linear(rounded, weight.float() * scale.unsqueeze(1), linear.bias)
    torch.testing.assert_close(Int8Linear(linear)(x), expected, atol=1e-4, rtol=1e-4)


def test_a_linear_layer_without_bias() -> None:
    linear = nn.Linear(8, 6, bias=False)
    x = torch.randn(3, 8)
    assert (Int8Linear(linear)(x) - linear(x)).abs().max().item() < 0.05


def test_an_embedding_gives_rows_times_scale() -> None:
    embedding = nn.Embedding(7, 5)
    rows, scale = quantize_rows(embedding.weight)
    ids = torch.tensor([[0, 6, 3]])
    expected: Tensor = rows[ids].float() * scale[ids].unsqueeze(-1)
    assert torch.equal(Int8Embedding(embedding)(ids), expected)


def test_an_embedding_gives_the_operator_only_what_it_looks_up() -> None:
    rows: list[int] = []

    class Rows(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.ops.quantized_decomposed.embedding_byte.default:
                rows.append(len(args[0]))
            return func(*args, **(kwargs or {}))

    table = Int8Embedding(nn.Embedding(1000, 4))
    with Rows():
        table(torch.tensor([[5, 999, 5]]))
    assert rows == [3]  # which it makes float32: 384 MB for a table of 250 000 words


def test_answers_and_small_tables_stay_float(models: Models) -> None:
    case = next(case for case in CASES if case.name == "bert-gelu")
    program = device_module(models(case, "text-classification"), get_task("text-classification"), max_length=MAX_LENGTH)
    summary = apply_recipe(program, get_recipe("int8"))
    # two layers of six, and the pooler
    assert (summary.recipe, summary.linears, summary.embeddings) == ("int8", 13, 1)
    assert summary.kept == ("body.embeddings.types", "head.classify.2")
    assert isinstance(program.get_submodule("head.classify.2"), OutputLinear)
    assert "13 linear layers" in summary.text


def test_fp32_changes_nothing(models: Models) -> None:
    program = device_module(models(CASES[0], "fill-mask"), get_task("fill-mask"), max_length=MAX_LENGTH)
    before = {name: tensor.clone() for name, tensor in program.state_dict().items()}
    summary = apply_recipe(program, get_recipe("fp32"))
    assert (summary.linears, summary.embeddings, len(summary.kept)) == (0, 0, 15)
    assert all(torch.equal(tensor, before[name]) for name, tensor in program.state_dict().items())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_int8_stays_near_the_original(case: Case, models: Models) -> None:
    model = models(case, "feature-extraction")
    program = device_module(model, get_task("feature-extraction"), max_length=MAX_LENGTH)
    apply_recipe(program, get_recipe("int8"))
    ids = random_ids(1, 17)
    (found,) = program(ids)
    (expected,) = hf_outputs(model, "feature-extraction", ids)
    # vectors of 32 to 48, so that a rounding error averages out far less than in a real model
    assert functional.cosine_similarity(found, expected, dim=-1).min().item() > 0.99


def test_the_masked_method_is_quantized_with_the_other(models: Models) -> None:
    program = device_module(
        models(CASES[0], "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH
    )
    batched = program.with_mask()
    apply_recipe(program, get_recipe("int8"))
    assert sum(isinstance(module, Int8Linear) for module in batched.modules()) == 12
