"""The 8da4w recipe: int4 groups, GPTQ, int4 embeddings, and what a layer gets that cannot have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet_export.config import QuantizationConfig
from linnet_export.graph.program import device_module
from linnet_export.lower.lowering import lower
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.embeddings import Int4Embedding, quantize_row_groups
from linnet_export.quantize.gptq import round_by_gptq
from linnet_export.quantize.observers import HessianObserver
from linnet_export.quantize.operators import INT4, round_activations
from linnet_export.quantize.precisions.int4 import Int4Linear, group_scales, round_to_groups
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, MAX_LENGTH, TASKS, Case, hf_outputs, random_ids

Models = Callable[[Case, str], Any]
Runner = Callable[[bytes, str], Callable[..., list[Tensor]]]

WIDE = Case("bert-wide", "bert", {"hidden_size": 64, "intermediate_size": 96, "vocab_size": 90})
"""Widths that are multiples of 32, unlike the intermediate size of most cases."""


def test_groups_by_hand() -> None:
    weight = torch.zeros(1, 4)
    weight[0] = torch.tensor([0.75, -0.5, 0.1, 0.0])
    scale = group_scales(weight, 4, search=False)
    # the largest magnitude gets 7.5 steps: 0.75 / 7.5 = 0.1, which bfloat16 rounds to 0.10009765625
    assert scale.tolist() == [[0.10009765625]]
    assert round_to_groups(weight, scale).tolist() == [[7, -5, 1, 0]]


def test_the_search_never_errs_more() -> None:
    weight = torch.randn(16, 96) ** 3
    importance = torch.rand(96)

    def error(scale: Tensor) -> Tensor:
        real = round_to_groups(weight, scale) * scale.repeat_interleave(32, 1)
        return ((real - weight).square() * importance).unflatten(1, (-1, 32)).sum(-1)

    plain = group_scales(weight, 32, importance, search=False)
    searched = group_scales(weight, 32, importance)
    assert (error(searched) <= error(plain) + 1e-6).all()
    assert error(searched).sum() < 0.95 * error(plain).sum()
    assert torch.equal(searched, searched.to(torch.bfloat16).to(torch.float32))


def test_a_group_of_zeros_stays_zero() -> None:
    scale = group_scales(torch.zeros(2, 32), 32)
    assert (scale > 0).all()
    assert not round_to_groups(torch.zeros(2, 32), scale).any()


def test_gptq_on_independent_inputs_rounds_to_the_nearest() -> None:
    # with a diagonal Hessian no input can make up for another: algorithm 1 of arXiv:2210.17323
    weight = torch.randn(8, 64)
    scale = group_scales(weight, 32)
    found = round_by_gptq(weight, scale, torch.diag(torch.rand(64) + 0.1), INT4)
    assert torch.equal(found, round_to_groups(weight, scale))


def test_gptq_errs_less_on_inputs_that_hang_together() -> None:
    x = torch.randn(400, 12) @ torch.randn(12, 96) + 0.1 * torch.randn(400, 96)
    weight = torch.randn(24, 96)
    observer = HessianObserver()
    observer.update(x, x)
    hessian = observer.hessian()
    assert observer.tokens == 400
    scale = group_scales(weight, 32, hessian.diagonal())

    def error(rounded: Tensor) -> float:
        real = rounded * scale.repeat_interleave(32, 1)
        return (x @ (real - weight).t()).square().mean().item()

    rounded = round_by_gptq(weight, scale, hessian, INT4)
    assert rounded.min() >= INT4[0]
    assert rounded.max() <= INT4[1]
    assert error(rounded) < 0.3 * error(round_to_groups(weight, scale))


def test_gptq_survives_inputs_that_are_always_zero() -> None:
    x = torch.randn(50, 32)
    x[:, ::2] = 0
    weight = torch.randn(4, 32)
    observer = HessianObserver()
    observer.update(x, x)
    scale = group_scales(weight, 32)
    assert round_by_gptq(weight, scale, observer.hessian(), INT4).abs().max() <= 8
    assert torch.equal(round_by_gptq(weight, scale, torch.zeros(32, 32), INT4), round_to_groups(weight, scale))


def test_a_linear_layer_by_the_formula() -> None:
    linear = nn.Linear(64, 10)
    x = torch.randn(5, 64) * 3 + 1
    scale = group_scales(linear.weight, 32)
    rows = round_to_groups(linear.weight, scale)
    expected = functional.linear(
        round_activations(x), (rows.float().unflatten(1, (2, 32)) * scale.unsqueeze(-1)).flatten(1), linear.bias
    )
    layer = Int4Linear(rows, scale, linear.bias)
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)
    # two weights in a byte, a bfloat16 for each of two groups, float32 biases
    assert layer.stored_bytes == 10 * 32 + 10 * 2 * 2 + 10 * 4


@pytest.mark.parametrize("group_size", [2, 8, 32])
def test_an_embedding_gives_its_rows(group_size: int) -> None:
    embedding = nn.Embedding(7, 32)
    values, scale = quantize_row_groups(embedding.weight, group_size)
    assert scale.dtype == torch.float16
    real = values.float() * scale.float().repeat_interleave(group_size, 1)
    table = Int4Embedding(embedding, group_size)
    ids = torch.tensor([[0, 6, 3]])
    assert torch.equal(table(ids), real[ids])
    assert table.stored_bytes == 7 * 16 + 7 * (32 // group_size) * 2
    # half a step of sixteen over the range of a group, and what the search may clip
    assert (real - embedding.weight).abs().max() < 0.12 * embedding.weight.abs().max()


def test_what_cannot_be_int4_is_int8(models: Models) -> None:
    program = device_module(
        models(CASES[0], "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH
    )
    summary = apply_recipe(program, get_recipe("8da4w"))
    precisions = {layer.name: layer.precision for layer in summary.layers}
    # widths are 32 and 48: the layer that reads 48 values has no groups of 32
    assert precisions["body.layers.0.contract"] == "int8"
    assert precisions["body.layers.0.expand"] == "int4"
    assert precisions["body.embeddings.word"] == "4w"
    assert "int4 weights per group" in summary.text
    assert "int8 weights per output channel" in summary.text


@pytest.mark.parametrize(
    "task", [task if task == "fill-mask" else pytest.param(task, marks=pytest.mark.slow) for task in TASKS]
)
def test_the_module_stays_near_the_original(task: str, models: Models) -> None:
    program = device_module(models(WIDE, task), get_task(task), max_length=MAX_LENGTH)
    types = torch.zeros(1, 17, dtype=torch.int64)
    inputs = (random_ids(1, 17), types)[: len(program.inputs)]
    with torch.no_grad():
        expected = program(*inputs)
        apply_recipe(program, get_recipe("8da4w"), None, [inputs] * 4)
        found = program(*inputs)
    for one, other in zip(found, expected, strict=True):
        # random weights have no redundancy: each of two layers adds its share of 1/16
        assert ((one - other).norm() / other.norm()).item() < 0.25
    original = hf_outputs(models(WIDE, task), task, *inputs)
    assert all(one.shape == other.shape for one, other in zip(found, original, strict=True))


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("feature-extraction", QuantizationConfig()),
        ("text-classification", QuantizationConfig(algorithm="rtn", embedding="8w", embedding_group_size=None)),
        pytest.param("token-classification", QuantizationConfig(group_size=64), marks=pytest.mark.slow),
        pytest.param("question-answering", QuantizationConfig(embedding_group_size=16), marks=pytest.mark.slow),
        pytest.param("fill-mask", QuantizationConfig(embedding="fp32"), marks=pytest.mark.slow),
        pytest.param("text-ranking", QuantizationConfig(), marks=pytest.mark.slow),
    ],
)
def test_the_program_computes_what_the_module_computes(
    task: str, settings: QuantizationConfig, models: Models, run_program: Runner
) -> None:
    program = device_module(models(WIDE, task), get_task(task), max_length=MAX_LENGTH, pooling="mean")
    types = torch.zeros(1, 17, dtype=torch.int64)
    apply_recipe(program, get_recipe("8da4w"), settings, [(random_ids(1, 17), types)[: len(program.inputs)]])
    result = lower({"forward": program}, max_length=MAX_LENGTH, constant_methods={})
    arithmetic = {"aten::linear", "aten::bmm", "aten::add", "aten::mul", "aten::gelu"}
    assert not arithmetic & set(result.facts.operators_outside["forward"])
    assert not any("quantize_per" in name for name in result.facts.operators_outside["forward"])
    run = run_program(result.program, "forward")
    for length in (2, 3, 17, MAX_LENGTH):
        inputs = (random_ids(1, length), torch.zeros(1, length, dtype=torch.int64))[: len(program.inputs)]
        with torch.no_grad():
            expected = program(*inputs)
        for one, other in zip(run(*inputs), expected, strict=True):
            # an activation between two steps may be rounded to either
            assert ((one - other).norm() / other.norm()).item() < 0.05
