"""fp16 and int8-static: numbers by the formula, and programs that compute what the modules compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.errors import InvalidArgumentError
from linnet_export.config import QuantizationConfig
from linnet_export.graph.program import device_module
from linnet_export.lower.lowering import lower
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.observers import OBSERVERS, RangeObserver
from linnet_export.quantize.plan import check_settings
from linnet_export.quantize.precisions.fp16 import Fp16Linear
from linnet_export.quantize.precisions.int8_static import Int8StaticLinear, affine_parameters
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, MAX_LENGTH, Case, random_ids

Models = Callable[[Case, str], Any]
Runner = Callable[[bytes, str], Callable[..., list[Tensor]]]


def test_ranges_by_hand() -> None:
    # 255 steps over the range; zero is one of them
    for low, high, zero in ((-1.28, 1.27, 0), (0.5, 2.55, -128), (-2.55, -1.0, 127)):
        found = affine_parameters(low, high)
        assert found[0] == pytest.approx(0.01)
        assert found[1] == zero
    scale, _ = affine_parameters(0.0, 0.0)
    assert scale > 0


def test_minmax_sees_every_value_and_a_percentile_leaves_out_the_rarest() -> None:
    x = torch.randn(20_000, 4)
    x[777, 2], x[5, 0] = 900.0, -800.0
    seen = {name: RangeObserver(choose) for name, choose in OBSERVERS.items()}
    for observer in seen.values():
        for part in x.split(2000):
            observer.update(part, part * 2)
    assert seen["minmax"].inputs() == (-800.0, 900.0)
    assert seen["minmax"].outputs() == (-1600.0, 1800.0)
    low, high = seen["percentile"].inputs()
    assert -6 < low < -2
    assert 2 < high < 6


def test_a_static_layer_by_the_formula() -> None:
    linear = nn.Linear(24, 10)
    x = torch.randn(5, 24)
    y = linear(x)
    inputs, outputs = affine_parameters(-4, 4), affine_parameters(y.min().item(), y.max().item())

    def rounded(value: Tensor, parameters: tuple[float, int]) -> Tensor:
        scale, zero = parameters
        return ((torch.round(value / scale) + zero).clamp(-128, 127) - zero) * scale

    layer = Int8StaticLinear(linear, inputs, outputs)
    weight = layer.weight.float() * layer.scale.unsqueeze(1)
    expected = rounded(functional.linear(rounded(x, inputs), weight, linear.bias), outputs)
    # one step where the sum lies between two
    torch.testing.assert_close(layer(x), expected, atol=1.01 * outputs[0], rtol=0)
    assert (layer(x) - y).abs().max() < 0.1


def test_a_layer_of_float16_weights() -> None:
    linear = nn.Linear(24, 10)
    x = torch.randn(5, 24)
    layer = Fp16Linear(linear)
    assert torch.equal(layer(x), functional.linear(x, linear.weight.half().float(), linear.bias))
    assert layer.stored_bytes == 2 * 240 + 40


def test_static_needs_texts(models: Models) -> None:
    with pytest.raises(InvalidArgumentError, match="int8-static needs --calibration FILE"):
        check_settings(get_recipe("int8-static"), QuantizationConfig(), calibrated=False)
    program = device_module(
        models(CASES[0], "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH
    )
    with pytest.raises(InvalidArgumentError, match="no calibration texts"):
        apply_recipe(program, get_recipe("int8-static"))


@pytest.mark.parametrize(
    ("recipe", "name", "task"),
    [
        ("int8-static", "bert-gelu", "feature-extraction"),
        ("fp16", "bert-gelu", "text-classification"),
        pytest.param("int8-static", "mobilebert-default", "token-classification", marks=pytest.mark.slow),
        pytest.param("int8-static", "bert-gelu", "question-answering", marks=pytest.mark.slow),
        pytest.param("fp16", "mobilebert-default", "fill-mask", marks=pytest.mark.slow),
        pytest.param("fp16", "electra-projected", "text-ranking", marks=pytest.mark.slow),
    ],
)
def test_the_program_computes_what_the_module_computes(
    recipe: str, name: str, task: str, models: Models, run_program: Runner
) -> None:
    case = next(case for case in CASES if case.name == name)
    program = device_module(models(case, task), get_task(task), max_length=MAX_LENGTH, pooling="mean")

    def inputs(length: int) -> tuple[Tensor, ...]:
        return (random_ids(1, length), torch.zeros(1, length, dtype=torch.int64))[: len(program.inputs)]

    with torch.no_grad():
        originals = {length: program(*inputs(length)) for length in (2, 3, 17, MAX_LENGTH)}
    apply_recipe(program, get_recipe(recipe), None, [inputs(length) for length in originals])
    result = lower({"forward": program}, max_length=MAX_LENGTH, constant_methods={})
    outside = set(result.facts.operators_outside["forward"])
    assert not {"aten::linear", "aten::bmm", "aten::add", "aten::mul"} & outside
    assert not any("quantize_per" in operator for operator in outside)
    run = run_program(result.program, "forward")
    for length, original in originals.items():
        with torch.no_grad():
            expected = program(*inputs(length))
        for one, other, exact in zip(run(*inputs(length)), expected, original, strict=True):
            assert ((one - other).norm() / other.norm()).item() < (1e-4 if recipe == "fp16" else 0.05)
            assert ((one - exact).norm() / exact.norm()).item() < (5e-3 if recipe == "fp16" else 0.2)
